"""Best of n: agreement of pictures with prompts, and the cloud that picks by it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.agents.models.boxes import iou
from semcast.agents.models.roles import Box, Extraction, Generate
from semcast.agents.selection import agreement, asked_by

DOG, CUP = Box("dog", "red", 20, 20, 16, 12), Box("cup", "blue", 44, 40, 10, 10)
CALL = Generate("a red dog and a blue cup on sand", "sand", [DOG, CUP], 0)


def seen(*boxes: Box, background: str = "sand") -> Extraction:
    return Extraction("", background, list(boxes))


def test_what_was_asked_is_found_exactly() -> None:
    assert agreement(asked_by(CALL), seen(CUP, DOG)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "worse",
    [
        seen(DOG),
        seen(DOG, CUP, CUP),
        seen(DOG, CUP, background="snow"),
        seen(DOG, Box("cup", "red", 44, 40, 10, 10)),
        seen(DOG, Box("cup", "blue", 14, 40, 10, 10)),
        seen(DOG, Box("cup", "blue", 44, 40, 10, 10, 0.6)),
        seen(),
    ],
)
def test_every_flaw_costs(worse: Extraction) -> None:
    assert agreement(asked_by(CALL), worse) < 0.99


def test_the_value_by_hand() -> None:
    moved = Box("cup", "blue", 49, 40, 10, 10)  # half of it beside: 50 of 150
    assert iou(CUP, moved) == pytest.approx(1 / 3)
    assert agreement(asked_by(CALL), seen(DOG, moved)) == pytest.approx(0.1 + 0.9 * (1 + (1 + 1 + 1 / 3) / 3) / 2)


def test_a_caption_alone_asks_for_no_places() -> None:
    asked = asked_by(Generate("a red dog and a blue cup on sand", "", [], 0))
    assert asked.background == "sand" and [thing.label for thing in asked.things] == ["dog", "cup"]
    assert agreement(asked, seen(Box("dog", "red", 50, 50, 9, 9), CUP)) == pytest.approx(1.0)


def test_of_nothing_asked_nothing_found_is_best() -> None:
    nothing = asked_by(Generate("", "", [], 0))
    assert agreement(nothing, seen()) == 1.0 > agreement(nothing, seen(DOG))


boxes = st.builds(
    Box,
    st.sampled_from(["dog", "cup", ""]),
    st.sampled_from(["red", "blue", ""]),
    *[st.floats(0, 64)] * 2,
    *[st.floats(1, 64)] * 2,
    st.floats(0, 1),
)


@given(st.lists(boxes, max_size=5), st.lists(boxes, max_size=5))
def test_it_lies_between_0_and_1_whatever_their_order(asked: list[Box], found: list[Box]) -> None:
    value = agreement(asked_by(Generate("", "", asked, 0)), seen(*found))
    assert 0 <= value <= 1 + 1e-12
    assert agreement(asked_by(Generate("", "", asked[::-1], 0)), seen(*found[::-1])) == pytest.approx(value)
