"""The judge of texts: which facts a text says, and whether its sentences are well-formed. Only metrics ask it, never an agent.

It knows all sentences that users and the composer write (`agents.texts.writing`, `agents.texts.composing`) and matches whole
sentences against them, turned into regular expressions; agents read by cues instead (`agents.texts.reading`), and mend by
likelihoods. What is in no known sentence is not well-formed; a text with such sentences is read by cues besides, as people make
something out of damaged sentences, too. It is no judge apart from the agents: the sentences are the composer's own, words that
stand for lost ones are those of `agents.texts.mending`, and the cues are those of the sender's reader, so that what that one
misunderstands of a damaged text, the judge may, too.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache

from ...agents.texts import composing, reading, writing
from ...agents.texts.lexicon import NUMBERS, SOME, SOMEHOW, SOMETHING, SOMEWHERE, STYLES
from ...agents.texts.mending import STANDS_FOR

_VAGUE = {*STANDS_FOR.values(), SOME, SOMEHOW, SOMETHING, SOMEWHERE}
_SENTENCE = re.compile(r"(?<=[.?!])\s+")
_OWN = "Cafe [A-Z][a-z]+"
_PLAIN = {said: word for words in STYLES.values() for word, said in words.items()}
"""A style's words -> the plain ones."""
Sentence = tuple[re.Pattern[str], dict[str, str]]
"""What a sentence looks like, and what it says besides its names."""


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    return [part for part in _SENTENCE.split(text.strip()) if part]


def facts(text: str) -> frozenset[str]:
    """The facts that a text says, in the form of `agents.texts.itinerary.Itinerary.facts`; contradictions count both."""
    found: set[str] = set()
    day, damaged = 0, False
    for sentence in sentences(text):
        known = _matched(sentence)
        if known is None:
            damaged = True
            continue
        if "day" in known:
            day = _number(known.pop("day"))
        found |= {_fact(name, value, day) for name, value in known.items() if value not in _VAGUE}
    return frozenset(found | set(reading.read(text).facts())) if damaged else frozenset(found)


def wording(text: str) -> float:
    """Share of a text's sentences that are well-formed; 0 of no text."""
    said = sentences(text)
    return sum(_matched(each) is not None for each in said) / len(said) if said else 0.0


def _fact(name: str, value: str, day: int) -> str:
    value = _PLAIN.get(value, value)
    if name == "days":
        return f"days={NUMBERS.index(value) + 1}"
    return f"{day}.{name}={value}" if name in writing.DAY else f"{name}={value}"


def _number(day: str) -> int:
    words = day.lower().split()
    ordinals = {**{word: i for i, word in enumerate(writing.NTH, 1)}, **{word: i for i, word in enumerate(NUMBERS, 1)}}
    return next((ordinals[word] for word in words if word in ordinals), 0)


def _matched(sentence: str) -> dict[str, str] | None:
    """What a sentence says; None where it is not well-formed."""
    for pattern, said in _known():
        if found := pattern.fullmatch(sentence):
            return {**said, **found.groupdict()}
    return None


@cache
def _known() -> tuple[Sentence, ...]:
    """All sentences: those of users, those of the composer, and those that say nothing."""
    known = []
    for opening in (writing.OPENINGS, {goal: _composed(text) for goal, text in composing.OPENINGS.items()}):
        for goal, texts in opening.items():
            known += [(_expression(text, {}), {"goal": goal}) for text in texts]
    for text in (*(each for texts in writing.USUAL.values() for each in texts), *composing.GENERAL.values()):
        known.append((_expression(text, {}), {}))
    for slot, texts in writing.DAY.items():
        known += [(_expression(text, {}), {}) for text in texts]
        text = composing.DAILY[slot].replace("day {n}", "{day}")
        known.append((_expression(text, {"place": slot, "dish": slot, "way": slot}), {}))
    silent = (*writing.LEFT_OUT, *writing.IDLE, *writing.CLOSINGS)
    known += [(_expression(text, {}, silent=True), {}) for text in silent]
    return tuple(known)


def _composed(opening: str) -> tuple[str, ...]:
    return (opening + composing.WITH + composing.STOP, opening + composing.STOP)


def _expression(text: str, renamed: Mapping[str, str], silent: bool = False) -> re.Pattern[str]:
    """A pattern with slots in braces as an expression with a group for each; ``silent``: with none."""

    def slot(found: re.Match[str]) -> str:
        name = found[1].lower()
        group = renamed.get(name, name)
        return f"(?:{_options(name)})" if silent else f"(?P<{group}>{_options(name)})"

    parts = re.split(r"(\{\w+\})", text.replace(" .", "."))
    return re.compile("".join(re.sub(r"\{(\w+)\}", slot, part) if part.startswith("{") else re.escape(part) for part in parts))


@cache
def _options(slot: str) -> str:
    """What a slot can hold, as an expression."""
    if slot == "day":
        named = (f"the {nth} day" for nth in writing.NTH)
        return _one_of([*named, *(f"day {number}" for number in NUMBERS)], either_case=True)
    kind = {"morning": "place", "afternoon": "place", "lunch": "dish", "dinner": "dish"}.get(slot, slot)
    names = [*composing.CLASSES[kind], *_VAGUE]
    names += [words[name] for words in STYLES.values() for name in composing.CLASSES[kind] if name in words]
    return _one_of(names) + (f"|{_OWN}" if kind == "place" else "")


def _one_of(names: Iterable[str], either_case: bool = False) -> str:
    found = "|".join(re.escape(name) for name in sorted(set(names), key=lambda name: (-len(name), name)))
    return f"(?i:{found})" if either_case else found
