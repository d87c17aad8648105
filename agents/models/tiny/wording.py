"""Repairs wording: a caption that lost words or got wrong ones becomes a well-formed sentence, by the KB and the local model.

What arrived is sorted into things (owner, number, colour, noun) and a background; words that fit nowhere are left out. The KB
fills in what it knows: the look of an own subject, the background. For what is still missing the language model of role
``keywords``, which has learned damaged captions too, names the likeliest word. That is a guess: a repair makes a sentence
readable, not true.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import torch
from transformers import GPTNeoForCausalLM

from ....bus.errors import BadInput
from ...scenes.caption import NUMBERS, caption, parse
from ...scenes.vocabulary import BACKGROUND_PHRASES, COLOUR_NAMES, LABELS, PLURALS
from ..cards import checked, read_card
from .keywords import ARROW, PARTS, SEMICOLON, WORDS, Reading, numbers_of
from .pretrained import read
from .text import split

OWN = "my"
ALIKE = 0.7
"""Least similarity (`difflib`, 0 to 1) of a word to a known one that it is taken for."""
MOST = 8
"""Things of a sentence; what comes after is left out."""
SINGULAR = {PLURALS.get(label, label + "s"): label for label in LABELS}


@dataclass
class Thing:
    """What was said of one thing; empty where nothing was."""

    owner: str = ""
    number: int = 0
    colour: str = ""
    label: str = ""

    @property
    def said(self) -> bool:
        """Whether there is more than a number."""
        return bool(self.owner or self.colour or self.label)


def well_formed(text: str) -> bool:
    """Whether a caption can be read word for word and says its background."""
    try:
        return bool(parse(text).background)
    except BadInput:
        return False


def sorted_out(words: Iterable[str]) -> tuple[list[Thing], str]:
    """Damaged words as things and a background ("" where none is said)."""
    things, background = [Thing()], ""
    for word in words:
        now = things[-1]
        new = Thing()
        if word.endswith("'s"):
            new.owner = word[:-2]
        elif word in NUMBERS[2:9]:
            new.number = NUMBERS.index(word)
        elif word in COLOUR_NAMES and word != now.colour:
            new.colour = word
        elif (word in LABELS or word in SINGULAR) and SINGULAR.get(word, word) != now.label:
            new.label = SINGULAR.get(word, word)
            new.number = 2 if word in SINGULAR and word not in LABELS and not now.number else 0
        elif word in BACKGROUND_PHRASES:
            background = word
        elif word in ("a", "an", "and", ",", "on") and now.said:
            things.append(Thing())
        things[-1] = _joined(things, new)
    return [thing for thing in things if thing.said][:MOST], background


def _joined(things: list[Thing], new: Thing) -> Thing:
    """The last thing with what is new of it; what comes out of order begins another one."""
    now = things[-1]
    late = (
        new.owner and now.said or new.number and (now.colour or now.label) and not new.label
        or new.colour and (now.colour or now.label) or new.label and now.label
    )  # fmt: skip
    if late:
        things.append(new)
        return new
    return Thing(new.owner or now.owner, new.number or now.number, new.colour or now.colour, new.label or now.label)


class Wording:
    """The calibrator's part for texts.

    Args:
        model: Of role ``keywords``, in eval mode.
    """

    def __init__(self, model: GPTNeoForCausalLM) -> None:
        self._model = model

    def repaired(self, text: str, known: Sequence[str] = ()) -> str:
        """A well-formed sentence for a caption.

        Args:
            text: As received.
            known: What the receiver's KB says: subjects such as "mia's white dog", a background such as "on grass".

        Returns:
            `text` itself where it is well-formed already; "" where nothing can be made out.
        """
        if well_formed(text):
            return text
        words = [_nearest(word) for word in split(text)]
        things, background = sorted_out(words)
        facts, ground = sorted_out(word for item in known for word in [*split(item), ","])
        if not things:
            return ""
        for thing in things:
            for fact in facts:
                if thing.owner == fact.owner and thing.label in ("", fact.label):
                    thing.label, thing.colour = fact.label, thing.colour or fact.colour
        self._guess(things, text, known)
        return self._sentence(things, background or ground, text, known)

    def _guess(self, things: list[Thing], text: str, known: Sequence[str]) -> None:
        """Fill in colours and nouns that nobody has said."""
        for index, thing in enumerate(things):
            for field, choice in (("colour", COLOUR_NAMES), ("label", LABELS)):
                if not getattr(thing, field):
                    start = [word for before in things[:index] for word in (*_words(before), before.label, ",")]
                    setattr(thing, field, self._likeliest(choice, [*start, *_words(thing)], text, known))

    def _sentence(self, things: list[Thing], background: str, text: str, known: Sequence[str]) -> str:
        named = [(thing.label, thing.colour, f"{thing.owner}/{thing.label}" if thing.owner else "") for thing in things]
        listed = [name for thing, name in zip(things, named, strict=True) for _ in range(thing.number or 1)]
        if not background:
            start = split(caption("grass", listed))[:-1]
            first = self._likeliest(("grass", "sand", "snow", "a"), start, text, known)
            background = "street" if first == "a" else first
        return caption(background, listed)

    def _likeliest(self, choice: Sequence[str], start: Sequence[str], text: str, known: Sequence[str]) -> str:
        """Of some words the one that the model would go on with."""
        begun = [WORDS.number(OWN if word.endswith("'s") else word) for word in start]
        with torch.inference_mode():
            logits = Reading(self._model).read([*numbers_of(prompt(text, known)), *begun])
        scores = [round(float(logits[WORDS.number(word)]), 3) for word in choice]
        return choice[scores.index(max(scores))]


def load(folder: Path) -> Wording:
    """With the weights of the keyword model in `folder`; hashes are checked."""
    card = read_card(folder, recipe="keywords")
    for name in PARTS:
        checked(card, name)
    return Wording(read(GPTNeoForCausalLM, folder))


def prompt(text: str, known: Sequence[str]) -> list[str]:
    """The words that the model goes on with; misspelt ones as the known words that they are most like, owners as "my"."""
    words = [*map(_nearest, split(text)), SEMICOLON, *(word for item in known for word in map(_nearest, split(item))), ARROW]
    return [OWN if word.endswith("'s") else word for word in words]


def _nearest(word: str) -> str:
    if word.endswith("'s") or WORDS.word(WORDS.number(word)):
        return word
    return next(iter(get_close_matches(word, WORDS.words, 1, ALIKE)), word)


def _words(thing: Thing) -> list[str]:
    """Of a thing, up to its noun."""
    article = "an" if thing.colour[:1] in ("a", "e", "i", "o", "u") else "a"
    first = f"{thing.owner}'s" if thing.owner else NUMBERS[thing.number] if thing.number else article
    return [first, thing.colour] if thing.colour else [first]
