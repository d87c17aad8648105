"""Damaged captions with what was meant: practice in repairing words for the keyword model, and how well it does."""

from collections import Counter

from ....bus import keys
from ...scenes.caption import caption
from ...scenes.vocabulary import BACKGROUND_PHRASES, SUBJECTS
from ...scenes.world import make_scene
from ..tiny.keywords import MAX_ANSWER, STOP, WORDS, numbers_of
from ..tiny.text import split
from ..tiny.wording import OWN, prompt

NAMES = tuple(SUBJECTS)
LOST, WRONG, STRANGE, TWICE, CUT = 0.1, 0.04, 0.04, 0.03, 0.15
"""Chances of a word to be lost, to be another word, to be none of the vocabulary and to be said twice; of a sentence to lose its
end."""
MOST_OBJECTS = 6


def damaged(*key: keys.Key) -> tuple[str, tuple[str, ...], str]:
    """A caption that lost or changed words, what the receiver's KB knows, and the caption as it was.

    The KB holds the owner's subject, which half of the pictures show, and in half of the cases the background.
    """
    rng = keys.generator(*key, "damage")
    name = NAMES[int(rng.integers(len(NAMES)))]
    shown = (name,) if rng.random() < 0.5 else ()
    scene = make_scene(*key, count=(1, MOST_OBJECTS), subjects=shown)
    order = rng.permutation(len(scene.objects))
    things = [scene.objects[int(index)] for index in order]
    told = caption(scene.background, [(thing.label, thing.colour, thing.subject) for thing in things])
    words: list[str] = []
    for word in split(told):
        draw = rng.random(4)
        if draw[0] < LOST:
            continue
        if draw[1] < WRONG:
            word = WORDS.words[int(rng.integers(len(WORDS.words)))]
        elif draw[2] < STRANGE:
            word = "xyzzy"
        words += [word, word] if draw[3] < TWICE else [word]
    if rng.random() < CUT:
        words = words[: int(rng.integers(1, len(words) + 1))]
    subject = SUBJECTS[name]
    known = [f"{subject.owner}'s {subject.colour} {subject.label}"]
    known += [BACKGROUND_PHRASES[scene.background]] if rng.random() < 0.5 else []
    return joined(words), tuple(known), told


def joined(words: list[str]) -> str:
    """Words and commas as a text."""
    return " ".join(words).replace(" ,", ",")


def numbers(*key: keys.Key) -> tuple[list[int], list[int]]:
    """What is read and what is to be answered."""
    text, known, told = damaged(*key)
    words = [OWN if word.endswith("'s") else word for word in split(told)]
    return numbers_of(prompt(text, known)), [WORDS.number(word) for word in [*words[: MAX_ANSWER - 1], STOP]]


def word_f1(said: str, told: str) -> float:
    """F1 of words, each counted as often as it is said."""
    ours, theirs = Counter(split(said)), Counter(split(told))
    common = sum((ours & theirs).values())
    return 2 * common / max(ours.total() + theirs.total(), 1)
