"""The cloud's composer: a journey in plain sentences, by a small grammar that everybody in the network knows.

A program, not a language model. Whatever is not known is not mentioned.
"""

from dataclasses import dataclass

from .itinerary import Itinerary
from .lexicon import BUDGETS, CAFE, COMPANY, DAYS, DIETS, DISHES, NUMBERS, PLACES, STAYS, WAYS

CLASSES: dict[str, tuple[str, ...]] = {
    "days": DAYS,
    "company": COMPANY,
    "stay": STAYS,
    "diet": DIETS,
    "budget": BUDGETS,
    "n": NUMBERS,
    "place": PLACES,
    "dish": DISHES,
    "way": WAYS,
}
"""Slot of a pattern -> what it can hold; a place may also be somebody's own (`CAFE` and a name)."""

OPENINGS = {
    "invite": "You are invited to {days} days in Paris",
    "plan": "This is the plan for {days} days in Paris",
    "remember": "Let us remember our {days} days in Paris",
}
WITH = " with {company}"
STOP = " ."
GENERAL = {
    "stay": "The rooms are in {stay} .",
    "diet": "At every table it is {diet} .",
    "budget": "The budget is {budget} .",
}
DAILY = {
    "morning": "In the morning of day {n} we visit {place} .",
    "lunch": "At noon of day {n} we eat {dish} .",
    "afternoon": "In the afternoon of day {n} we visit {place} .",
    "dinner": "In the evening of day {n} we eat {dish} .",
    "way": "On day {n} we go {way} .",
}
BEGINNINGS = tuple(begin + rest for begin in OPENINGS.values() for rest in (WITH + STOP, STOP))
PATTERNS = (*GENERAL.values(), *DAILY.values())
"""All sentences but the first."""


@dataclass(frozen=True)
class Token:
    """A word, or a slot of a class."""

    text: str
    slot: bool = False


def tokens_of(pattern: str) -> tuple[Token, ...]:
    """The words and slots of a pattern."""
    return tuple(Token(part.strip("{}"), part.startswith("{")) for part in pattern.split(" "))


def compose(told: Itinerary) -> list[list[str]]:
    """A journey as sentences of tokens: words, stops, and whole names ("the Louvre"); a goal that is not known is a plan."""
    sentences = []
    begin = OPENINGS.get(told.goal, OPENINGS["plan"]) + (WITH if told.company else "") + STOP
    if told.days:
        sentences.append(_said(begin, {"days": NUMBERS[len(told.days) - 1], "company": told.company}))
    sentences += [_said(text, {name: getattr(told, name)}) for name, text in GENERAL.items() if getattr(told, name)]
    for number, day in enumerate(told.days):
        for slot, text in DAILY.items():
            if value := getattr(day, slot):
                sentences.append(_said(text, {"n": NUMBERS[number], "place": value, "dish": value, "way": value}))
    return sentences


def _said(pattern: str, values: dict[str, str]) -> list[str]:
    return [values[token.text] if token.slot else token.text for token in tokens_of(pattern)]


def joined(tokens: list[str]) -> str:
    """Tokens as a text."""
    return " ".join(tokens).replace(" .", ".")


def is_own(place: str) -> bool:
    """Whether a place is somebody's own."""
    return place.startswith(CAFE + " ")
