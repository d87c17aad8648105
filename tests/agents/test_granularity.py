"""Granularity: exact costs, nested prompts, and successive refinement that loses nothing and sends nothing twice."""

import dataclasses

import pytest
from hypothesis import given, settings
from semcast.agents.granularity import LADDER, Granularity, cost_bits, cut, ladder, merged
from semcast.agents.models.roles import Box
from semcast.agents.prompt_codec import HEADER_BITS, PromptContent, decode, encode
from semcast.bus.errors import BadInput

from .test_prompt_codec import contents

BOXES = tuple(Box("dog", "red", 10.0 + i, 20.0, 12.0, 9.0) for i in range(6))
CONTENT = PromptContent(
    3, 1, 40, "mapping", (), "show my dog on grass", ("dog", "grass", "cup"), "a red dog on grass", "grass", BOXES, (-1,) * 6
)


def test_costs_in_closed_form():
    costs = cost_bits(CONTENT, Granularity(2, 4, False))
    assert costs["keywords"] == 7 * (5 + 1) + 7 * (2 + 1)  # words of 7 bits, each text with its end
    assert costs["caption"] == 7
    assert costs["boxes"] == 3 + 4 + 4 * 35
    assert cost_bits(CONTENT, Granularity())["boxes"] == 3 + 4 + 6 * 35


def test_each_granularity_is_a_beginning_of_the_next():
    rungs = ladder(CONTENT)
    assert [len(rung.content.boxes) for rung in rungs] == [0, 0, 4, 6]
    assert [rung.content.keywords for rung in rungs] == [("dog", "grass"), *[("dog", "grass", "cup")] * 3]
    assert [rung.added.parts for rung in rungs] == [("keywords",), ("keywords", "caption"), ("boxes",), ("boxes",)]
    assert rungs[3].bits == HEADER_BITS + 3 + 4 + 2 * 35


def test_a_rung_that_adds_nothing_is_left_out():
    assert len(ladder(dataclasses.replace(CONTENT, boxes=BOXES[:2], box_subjects=(-1, -1)))) == 3


def test_a_finer_rung_must_say_more():
    with pytest.raises(BadInput, match="says less"):
        ladder(CONTENT, (Granularity(2, 4), Granularity(2, 3)))
    with pytest.raises(BadInput, match="16 boxes"):
        Granularity(boxes=16)


def whole(content: PromptContent) -> PromptContent:
    """A codec round trip of all that there is."""
    return decode(encode(content)[0])


@settings(max_examples=100, deadline=None)
@given(content=contents())
def test_the_receiver_gets_every_rung_from_what_is_added(content: PromptContent) -> None:
    content = dataclasses.replace(cut(content, Granularity(caption=True)), caption=content.caption.strip())
    known = None
    for rung in ladder(content, LADDER):
        data, bits = encode(rung.added)
        assert bits == rung.bits
        known = decode(data) if known is None else merged(known, decode(data))
        assert known == whole(rung.content)
