"""Prompts as bits: exact round trips, exact costs, and refusal of what is no prompt."""

import contextlib
import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.agents.models.roles import Box
from semcast.agents.prompt_codec import HEADER_BITS, PARTS, TASKS, USER_BITS, PromptContent, decode, encode, part_bits, user_bits
from semcast.agents.scenes.caption import caption
from semcast.agents.scenes.vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS
from semcast.bus.errors import BadInput

BOXES = st.builds(
    Box,
    st.sampled_from((*LABELS, "")),
    st.sampled_from((*COLOUR_NAMES, "")),
    *(st.integers(0, 63).map(float) for _ in range(2)),
    *(st.integers(1, 64).map(float) for _ in range(2)),
)
WORDS = ("show", "my", "dog", "greet", "with", "red", "tilo's", "grass")
VECTORS = st.lists(st.floats(-4, 4, width=16), max_size=6).map(lambda values: np.array(values, "<f2").astype("<f4").tobytes())


@st.composite
def contents(draw: st.DrawFn) -> PromptContent:
    boxes = tuple(draw(st.lists(BOXES, max_size=15)))
    return PromptContent(
        number=draw(st.integers(0, 2**16 - 1)),
        recipient=draw(st.integers(0, 2**16 - 2)),
        time_ms=draw(st.integers(0, 2**16 - 1)),
        task=draw(st.sampled_from(TASKS)),
        parts=tuple(part for part in PARTS if draw(st.booleans())),
        goal=" ".join(draw(st.lists(st.sampled_from(WORDS), max_size=6))),
        keywords=tuple(draw(st.lists(st.sampled_from(WORDS), max_size=8))),
        caption=draw(
            st.text(max_size=40)
            | st.lists(st.sampled_from(("a", "dog", "mia's", "red,", "on", "grass", "x-y")), max_size=12).map(" ".join)
        ),
        background=draw(st.sampled_from((*BACKGROUND_NAMES, ""))),
        boxes=boxes,
        box_subjects=tuple(draw(st.integers(-1, 15)) for _ in boxes),
        subjects=tuple(draw(st.lists(st.integers(0, 15), max_size=4))),
        identifiers=draw(st.dictionaries(st.integers(0, 15), VECTORS, max_size=3)),
    )


def kept(content: PromptContent) -> PromptContent:
    """The content without the parts that it does not send."""
    empty = {
        "keywords": {"goal": "", "keywords": ()},
        "caption": {"caption": ""},
        "boxes": {"background": "", "boxes": (), "box_subjects": ()},
    }
    empty |= {"references": {"subjects": ()}, "identifiers": {"identifiers": {}}}
    for part in PARTS:
        if part not in content.parts:
            content = dataclasses.replace(content, **empty[part])
    return content


@settings(max_examples=200)
@given(content=contents(), far=st.just(0) | st.integers(2**16 - 1, 2**32 - 1))
def test_round_trip_and_exact_cost(content: PromptContent, far: int) -> None:
    content = dataclasses.replace(content, recipient=far or content.recipient)
    data, bits = encode(content)
    assert decode(data) == kept(content)
    costs = part_bits(content)
    assert bits == HEADER_BITS - USER_BITS + user_bits(content.recipient) + sum(costs[part] for part in content.parts)
    assert 0 <= 8 * len(data) - bits < 8


@given(raw=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        content = decode(raw)
    except BadInput:
        return
    assert content.task in TASKS


@given(content=contents().filter(lambda content: bool(content.parts)), cut=st.integers(1, 8))
def test_a_prompt_that_was_cut_off_is_refused_or_shorter(content: PromptContent, cut: int) -> None:
    data, _ = encode(content)
    with contextlib.suppress(BadInput):
        assert decode(data[:-cut]) != kept(content)


def test_words_of_the_vocabulary_are_compact() -> None:
    text = caption("street", [("dog", "red", ""), ("cup", "blue", ""), ("cup", "blue", ""), ("bus", "white", "")])
    content = PromptContent(0, 0, 0, "greeting", ("caption",), caption=text)
    bits = part_bits(content)["caption"]
    assert bits == 7 * (len(text.replace(",", " ,").split()) + 1)
    assert bits < 0.35 * 8 * len(text)


def test_a_box_costs_35_bits() -> None:
    box = Box("dog", "red", 10.4, 20.6, 12.0, 9.0)
    one = PromptContent(0, 0, 0, "mapping", ("boxes",), background="snow", boxes=(box,), box_subjects=(-1,))
    two = dataclasses.replace(one, boxes=(box, box), box_subjects=(-1, 3))
    assert part_bits(one)["boxes"] == 3 + 4 + 35
    assert part_bits(two)["boxes"] == 3 + 4 + 35 + 39
    read = decode(encode(one)[0]).boxes[0]
    assert (read.cx, read.cy, read.width, read.height) == (10.0, 21.0, 12.0, 9.0)


def test_unknown_parts_and_numbers_too_large_are_refused() -> None:
    with pytest.raises(BadInput, match="no part 'smell'"):
        encode(PromptContent(0, 0, 0, "greeting", ("smell",)))
    with pytest.raises(BadInput, match="does not fit"):
        encode(PromptContent(0, 1 << 32, 0, "greeting", ("caption",)))
