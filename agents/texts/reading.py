"""The sender's extractor for texts: reads an itinerary out of somebody's own words, by cues, without knowing how it was written.

It looks for names of the shared lexicon, and for words around them that say what they are there for: which day, which time of the
day, a meal, a bed, or that it is not going to happen. What it does not understand it leaves open. A program, not a network: the
tiny profile has no language model for this; its work is counted as `READ_FLOPS`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from .itinerary import SLOTS, Day, Itinerary, day_number
from .lexicon import BUDGETS, CAFE, COMPANY, DIETS, DISHES, GOALS, PLACES, STAYS, WAYS

READ_FLOPS = 40_000
"""Work of reading one letter: 2.4 us (measured) of a core that does 15 GFLOP/s in the JSCC networks."""

_SENTENCE = re.compile(r"(?<=[.?!])\s+")
_NTH = re.compile(r"\b(first|second|third|fourth) day\b|\bday (one|two|three|four)\b")
_COUNT = re.compile(r"\b(two|three|four) days\b")
_OWN = re.compile(rf"\b{CAFE} [A-Z][a-z]+\b")
_NOT = re.compile(r"\b(leave out|no time for|not order|nobody wants)\b")
_GOALS = {
    "invite": re.compile(r"\b(come|joined?|invited)\b"),
    "plan": re.compile(r"\b(plan|planning|book it)\b"),
    "remember": re.compile(r"\b(remember|diary|thinking of)\b"),
}
_FED, _HOUSED, _PAID = (
    re.compile(words) for words in (r"\b(eat|table|food)\b", r"\b(rooms?|sleep|hotel)\b", r"\b(budget|money|amount)\b")
)
_LATE = re.compile(r"\b(after lunch|afternoon|later)\b")
_NOON = re.compile(r"\b(lunch|noon|midday)\b")
_ORDINALS = ("first", "second", "third", "fourth")


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    return [part for part in _SENTENCE.split(text.strip()) if part]


def mentioned(sentence: str, names: Iterable[str]) -> str:
    """The longest of some names in a sentence; "" for none."""
    found = [name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", sentence, re.IGNORECASE)]
    return max(found, key=len, default="")


@dataclass
class _Notes:
    """What has been understood so far."""

    told: dict[str, str] = field(default_factory=dict)
    days: list[dict[str, str]] = field(default_factory=list)
    count: int = 0

    def day(self, number: int) -> dict[str, str]:
        while len(self.days) < number:
            self.days.append({})
        return self.days[number - 1]


def read(text: str) -> Itinerary:
    """What a text says; what is not understood stays empty."""
    notes, today = _Notes(), 0
    for sentence in sentences(text):
        low = sentence.lower()
        if found := _NTH.search(low):
            today = _ORDINALS.index(found[1]) + 1 if found[1] else day_number(found[2])
        if _NOT.search(low):
            continue
        if today:
            _plan(notes.day(min(today, 4)), sentence, low)
        else:
            _general(notes, sentence, low)
    days = notes.days[: notes.count or len(notes.days)]
    days += [{} for _ in range(notes.count - len(days))]
    return Itinerary(**notes.told, days=tuple(Day(**{slot: day.get(slot, "") for slot in SLOTS}) for day in days))


def _general(notes: _Notes, sentence: str, low: str) -> None:
    """A sentence before the first day."""
    if found := _COUNT.search(low):
        notes.count = day_number(found[1])
        goals = [goal for goal in GOALS if _GOALS[goal].search(low)]
        notes.told["goal"] = goals[-1] if goals else ""
        notes.told["company"] = mentioned(sentence, COMPANY)
        return
    for name, cue, choice in (("diet", _FED, DIETS), ("stay", _HOUSED, STAYS), ("budget", _PAID, BUDGETS)):
        if cue.search(low) and (value := mentioned(sentence, choice)):
            notes.told.setdefault(name, value)


def _plan(day: dict[str, str], sentence: str, low: str) -> None:
    """A sentence about a day."""
    own = _OWN.search(sentence)
    if place := own[0] if own else mentioned(sentence, PLACES):
        _put(day, "afternoon" if _LATE.search(low) else "morning", "afternoon", place)
    if dish := mentioned(sentence, DISHES):
        _put(day, "lunch" if _NOON.search(low) else "dinner", "lunch", dish)
    if way := mentioned(sentence, WAYS):
        day.setdefault("way", way)


def _put(day: dict[str, str], first: str, second: str, value: str) -> None:
    day.setdefault(first if first not in day else second, value)
