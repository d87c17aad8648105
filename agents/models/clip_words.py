"""The words that the CLIP-class judge reads, one token each: those of the scene world's captions, of markings and of places."""

from collections.abc import Sequence

from ..scenes.caption import NUMBERS
from ..scenes.vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS, PLURALS, Marking

PAD, START, UNKNOWN, END, OWNER = range(5)
"""Filler, beginning, a word that is not known, end, and any "...'s"."""
ROWS, COLUMNS = ("top", "middle", "bottom"), ("left", "centre", "right")
"""Thirds of the picture, as words."""
MARKING_WORDS = {
    "stripes": "stripes", "spots": "spots", "patch": "patch", "half": "half", "belt": "belt", "checker": "squares",
}  # fmt: skip
"""Kind of a marking -> what it is called."""
WORDS: tuple[str, ...] = tuple(
    dict.fromkeys(
        ["[pad]", "[start]", "[unknown]", "[end]", "[owner]", "a", "an", "and", "on", "with", "nothing", *NUMBERS]
        + [*BACKGROUND_NAMES, *COLOUR_NAMES, *LABELS, *(PLURALS.get(label, label + "s") for label in LABELS)]
        + [*ROWS, *COLUMNS, *MARKING_WORDS.values()]
    )
)
"""Token number -> word. The card keeps them, so that new words in the vocabulary cannot shift the old ones."""
LENGTHS = (16, 32, 64)
"""A text is padded to the first of these token counts that holds it, and cut at the last."""


def tokens(text: str, words: Sequence[str] = WORDS) -> list[int]:
    """Token numbers of a text with `START` and `END`, at most ``LENGTHS[-1]``; case and punctuation do not count."""
    known = {word: number for number, word in enumerate(words)}
    found = [_number(word.strip(",.;:!?"), known) for word in text.lower().split()]
    return [START, *found[: LENGTHS[-1] - 2], END]


def padded(row: Sequence[int]) -> int:
    """The length that a row of tokens is padded to."""
    return next(length for length in LENGTHS if len(row) <= length)


def _number(word: str, known: dict[str, int]) -> int:
    return OWNER if word.endswith("'s") else known.get(word, UNKNOWN)


def marking_phrase(marking: Marking | None) -> str:
    """``" with black spots"``; nothing for a plain body. Two markings of one kind and colour are called the same."""
    if marking is None:
        return ""
    return f" with {marking.colour} {MARKING_WORDS[marking.kind]}"


def place_phrase(cx: float, cy: float, side: float = 64) -> str:
    """``" top left"``: the thirds of a picture of `side` pixels that hold the point."""
    return f" {ROWS[min(int(3 * cy / side), 2)]} {COLUMNS[min(int(3 * cx / side), 2)]}"


def object_phrase(label: str, colour: str, marking: Marking | None = None) -> str:
    """``"a white dog with black spots"``: what a crop shows."""
    return f"{'an' if colour[0] in 'aeiou' else 'a'} {colour} {label}{marking_phrase(marking)}"
