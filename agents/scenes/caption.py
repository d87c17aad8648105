"""Sentences about a scene: written from what was seen, and read back."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ...bus.errors import BadInput
from .vocabulary import BACKGROUND_PHRASES, COLOUR_NAMES, LABELS, PLURALS

Named = tuple[str, str, str]
"""Label, colour and subject name (empty: none) of one object."""

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_VALUES = {word: value for value, word in enumerate(NUMBERS)} | {"a": 1, "an": 1}
_SINGULARS = {PLURALS.get(label, label + "s"): label for label in LABELS}


@dataclass(frozen=True)
class Parsed:
    """What a caption says: background (empty: none said) and objects in the order of the sentence."""

    background: str
    objects: tuple[Named, ...]

    def counts(self) -> dict[str, int]:
        """Label -> how many."""
        return dict(Counter(label for label, _, _ in self.objects))


def caption(background: str, objects: Sequence[Named]) -> str:
    """Say what is there, equal things together, in the order in which they first come.

    Args:
        background: Background name.
        objects: (label, colour, subject) of each; a subject "mia/dog" is called "mia's white dog".

    Returns:
        A sentence without a stop, such as "a red dog and two blue cups on grass".
    """
    parts = [_phrase(named, count) for named, count in Counter(objects).items()]
    listed = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts) or "nothing"
    return f"{listed} {BACKGROUND_PHRASES[background]}"


def _phrase(named: Named, count: int) -> str:
    label, colour, subject = named
    noun = label if count == 1 else PLURALS.get(label, label + "s")
    number = NUMBERS[count] if count < len(NUMBERS) else str(count)
    if subject:
        owner = f"{subject.split('/')[0]}'s"
        return f"{owner} {colour} {noun}" if count == 1 else f"{owner} {number} {colour} {noun}"
    article = "an" if colour[0] in "aeiou" else "a"
    return f"{article if count == 1 else number} {colour} {noun}"


def unnamed(text: str, subject: str) -> str:
    """A sentence without whose a subject is: "mia's white dog" becomes "a white dog"; any other text is left as it is."""
    owner, _, label = subject.partition("/")
    noun = f"(?:{re.escape(label)}|{re.escape(PLURALS.get(label, label + 's'))})"
    return re.sub(rf"\b{re.escape(owner)}'s ((?:[\w-]+ ){{0,2}}{noun})\b", _with_article, text)


def _with_article(found: re.Match[str]) -> str:
    thing = found[1]
    return thing if thing.split()[0] in _VALUES else f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"


def named(text: str) -> list[str]:
    """The subjects that a caption of our grammar names ("mia's white dog"); one of another model is free text and names none."""
    try:
        return [name for _, _, name in parse(text).objects if name]
    except BadInput:
        return []


def parse(text: str) -> Parsed:
    """Read a caption of `caption`; the article or number may be left out ("red dog on grass").

    Raises:
        BadInput: A word that is neither number, owner, colour nor class.
    """
    words = " ".join(text.strip().rstrip(".").split())
    background = ""
    for name, ending in BACKGROUND_PHRASES.items():
        if words == ending or words.endswith(" " + ending):
            background, words = name, words[: -len(ending)].strip()
            break
    if words in ("", "nothing"):
        return Parsed(background, ())
    objects: list[Named] = []
    for part in words.replace(" and ", ", ").split(", "):
        objects += _read(part, text)
    return Parsed(background, tuple(objects))


def _read(part: str, text: str) -> list[Named]:
    words = part.split()
    owner, count = "", 1
    if words and words[0].endswith("'s"):
        owner = words.pop(0)[:-2]
    if words and (words[0] in _VALUES or words[0].isascii() and words[0].isdecimal()):
        word = words.pop(0)
        count = _VALUES[word] if word in _VALUES else int(word)
    if len(words) != 2 or words[0] not in COLOUR_NAMES or not (words[1] in LABELS or words[1] in _SINGULARS):
        raise BadInput(
            f"caption {text!r}: cannot read {part!r}",
            f"write number, colour and class; colours: {', '.join(COLOUR_NAMES)}; classes: {', '.join(LABELS)}",
        )
    label = words[1] if words[1] in LABELS else _SINGULARS[words[1]]
    return [(label, words[0], f"{owner}/{label}" if owner else "")] * count
