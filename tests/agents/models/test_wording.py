"""Repair of wording: what is read, what is given back, and that shipped weights gain on damaged captions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.agents.models.loading import WEIGHTS
from semcast.agents.models.tiny.keywords import ARROW, MAX_ANSWER, MAX_PROMPT, SEMICOLON
from semcast.agents.models.tiny.text import UNKNOWN
from semcast.agents.models.tiny.wording import Thing, Wording, load, prompt, sorted_out, well_formed
from semcast.agents.models.training.wording import damaged, numbers, word_f1
from semcast.agents.scenes.caption import parse

KB = ("mia's white dog", "on grass")


@pytest.fixture(scope="module")
def wording():
    return load(WEIGHTS / "keywords")


def test_the_text_has_the_words_and_the_kb_and_no_owners():
    text = " ".join(prompt("mia's dogg, a red one", KB))
    assert text == f"my dog , a red one {SEMICOLON} my white dog on grass {ARROW}"


def test_a_sound_caption_needs_no_model():
    sound = Wording(None)  # any use of it would raise
    for text in ("a red dog and two blue cups on sand", "mia's white dog on a street"):
        assert sound.repaired(text, KB) == text
    assert not well_formed("a red dog") and not well_formed("a dog on grass") and not well_formed("")


@pytest.mark.parametrize(
    ("words", "things", "background"),
    [
        ("a red dog on grass", [Thing("", 0, "red", "dog")], "grass"),
        ("two red dogs a cup", [Thing("", 2, "red", "dog"), Thing("", 0, "", "cup")], ""),
        ("red dogs", [Thing("", 2, "red", "dog")], ""),
        ("dog dog cup", [Thing("", 0, "", "dog"), Thing("", 0, "", "cup")], ""),
        ("mia's dog leo's orange , sand", [Thing("mia", 0, "", "dog"), Thing("leo", 0, "orange", "")], "sand"),
        ("dog red cup", [Thing("", 0, "", "dog"), Thing("", 0, "red", "cup")], ""),
        ("a and say two", [], ""),
    ],
)
def test_words_are_sorted_into_things(words, things, background):
    assert sorted_out(words.split()) == (things, background)


def test_damage_is_keyed_and_fits():
    cases = [damaged("test", index) for index in range(200)]
    assert cases[:5] == [damaged("test", index) for index in range(5)]
    assert all(well_formed(told) for _, _, told in cases)
    assert 0.05 < sum(text == told for text, _, told in cases) / 200 < 0.4
    for index in range(200):
        read, said = numbers("test", index)
        assert len(read) <= MAX_PROMPT and len(said) <= MAX_ANSWER and UNKNOWN not in said


def test_word_f1_against_counts_by_hand():
    assert word_f1("a red dog", "a red dog") == 1
    assert word_f1("a dog dog", "a red dog") == pytest.approx(2 / 3)
    assert word_f1("", "a red dog") == 0


def test_owners_come_back_by_their_things(wording):
    said = wording.repaired("mia's white on grass", KB)
    assert parse(said).objects == (("dog", "white", "mia/dog"),)
    assert wording.repaired("leo's orange cat and a red cup sand", KB) == "leo's orange cat and a red cup on sand"
    assert wording.repaired("mia's and two blue cups", KB) == "mia's white dog and two blue cups on grass"


def test_damaged_captions_become_readable_and_nearer_to_what_was_said(wording):
    """`semcast eval wording` measures the same on more."""
    cases = [damaged("test wording", index) for index in range(40)]
    repaired = [wording.repaired(text, known) for text, known, _ in cases]
    before = sum(word_f1(text, told) for text, _, told in cases) / 40
    after = sum(word_f1(text, told) for text, (_, _, told) in zip(repaired, cases, strict=True)) / 40
    assert after > before + 0.01
    assert sum(map(well_formed, repaired)) > 2 * sum(well_formed(text) for text, _, _ in cases)


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=2))
@settings(max_examples=15, deadline=None)
def test_any_text_gives_a_sentence_or_itself(wording, text, known):
    said = wording.repaired(text, known)
    assert said == "" or well_formed(said)
