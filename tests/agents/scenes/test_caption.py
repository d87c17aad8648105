"""Captions are written from objects and read back."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.agents.scenes.caption import caption, parse, unnamed
from semcast.agents.scenes.vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS
from semcast.bus.errors import BadInput

owners = st.one_of(st.just(""), st.from_regex(r"\A[a-z]{1,8}(\.[0-9]{1,3})?\Z"))
objects = st.tuples(st.sampled_from(LABELS), st.sampled_from(COLOUR_NAMES), owners).map(
    lambda named: (named[0], named[1], f"{named[2]}/{named[0]}" if named[2] else "")
)


@given(st.sampled_from(BACKGROUND_NAMES), st.lists(objects, max_size=16))
def test_round_trip(background, things):
    read = parse(caption(background, things))
    assert read.background == background
    assert Counter(read.objects) == Counter(things)


def test_sentence():
    things = [("dog", "red", ""), ("cup", "blue", ""), ("cup", "blue", ""), ("dog", "white", "mia/dog")]
    assert caption("grass", things) == "a red dog, two blue cups and mia's white dog on grass"
    assert caption("street", [("bus", "orange", "")] * 3) == "three orange buses on a street"
    assert caption("snow", []) == "nothing on snow"


def test_counts():
    assert parse("two blue fish and a red fish on sand").counts() == {"fish": 3}


@pytest.mark.parametrize("text", ["a red dragon on grass", "a dog on grass", "a red dog on mars"])
def test_unknown_words_are_named(text):
    with pytest.raises(BadInput, match="cannot read"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("mia's white dog and a red cup on grass", "a white dog and a red cup on grass"),
        ("leo's cat, mia's orange dog and mia's red cup at sea", "leo's cat, an orange dog and mia's red cup at sea"),
        ("mia's two white dogs on sand", "two white dogs on sand"),
        ("a photo of mia's dog", "a photo of a dog"),
        ("a white dog on grass", "a white dog on grass"),
    ],
)
def test_a_caption_can_say_less(text: str, without: str) -> None:
    assert unnamed(text, "mia/dog") == without
