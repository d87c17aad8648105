"""Itineraries: what a text is about, drawn from a key, with its facts; and what its writer always wants."""

from msgspec import Struct
from msgspec.structs import replace

from ...bus import keys
from .lexicon import (
    BUDGETS,
    CAFE,
    COMPANY,
    DAYS,
    DIETS,
    EATEN,
    GOALS,
    INTERESTS,
    NUMBERS,
    PLACES,
    STAYS,
    STYLES,
    SYLLABLES,
    WAYS,
)

USUAL = 0.9
"""Probability that a choice of a journey is the writer's usual one."""
USUAL_WAY = 0.75
"""The same of how it gets around on a day."""
OWN_SHARE = 0.5
"""Probability that the writer's own place is among those of a journey."""


class Day(Struct, frozen=True):
    """One day; what is not known is empty."""

    morning: str = ""
    lunch: str = ""
    afternoon: str = ""
    dinner: str = ""
    way: str = ""


class Itinerary(Struct, frozen=True):
    """A journey to Paris; what is not known is empty."""

    goal: str = ""
    company: str = ""
    stay: str = ""
    diet: str = ""
    budget: str = ""
    days: tuple[Day, ...] = ()

    def facts(self) -> tuple[str, ...]:
        """Everything that is known, one string a fact: ``"stay=the Marais"``, ``"2.lunch=mussels"``, ``"days=3"``."""
        found = [f"{name}={getattr(self, name)}" for name in ("goal", *USUALS) if getattr(self, name)]
        if self.days:
            found.append(f"days={len(self.days)}")
        for number, day in enumerate(self.days, 1):
            found += [f"{number}.{slot}={getattr(day, slot)}" for slot in SLOTS if getattr(day, slot)]
        return tuple(found)


USUALS = ("company", "stay", "diet", "budget")
"""Choices of a journey that a writer has preferences for; the way of a day is one more."""
SLOTS = ("morning", "lunch", "afternoon", "dinner", "way")


class Preferences(Struct, frozen=True):
    """What somebody always wants (KB items of kind preference): usual choices, interest, own place, and style of reading."""

    company: str
    stay: str
    diet: str
    budget: str
    way: str
    own: str
    """Name of its own place, such as ``"Cafe Lumina"``."""
    interest: str = ""
    style: str = "plain"


def preferences(seed: int, user: str) -> Preferences:
    """A user's preferences; they follow from the run's seed."""

    def one(what: str, choice: tuple[str, ...]) -> str:
        return choice[keys.integer(len(choice), seed, "preference", user, what)]

    name = "".join(one(f"own {i}", SYLLABLES) for i in range(3))
    return Preferences(
        company=one("company", COMPANY),
        stay=one("stay", STAYS),
        diet=one("diet", DIETS),
        budget=one("budget", BUDGETS),
        way=one("way", WAYS),
        own=f"{CAFE} {name.capitalize()}",
        interest=one("interest", tuple(INTERESTS)),
        style=one("style", tuple(STYLES)),
    )


def draw(likes: Preferences, *key: keys.Key) -> Itinerary:
    """A journey of somebody with these preferences; places are of the usual interest every second time, none comes twice."""
    rng = keys.generator(*key, "itinerary")

    def one(choice: tuple[str, ...]) -> str:
        return choice[int(rng.integers(len(choice)))]

    def usually(liked: str, choice: tuple[str, ...], share: float = USUAL) -> str:
        return liked if rng.random() < share else one(choice)

    number = 2 + int(rng.integers(len(DAYS)))
    diet = usually(likes.diet, DIETS)
    dishes = [EATEN[diet][int(i)] for i in rng.permutation(len(EATEN[diet]))[: 2 * number]]
    places: list[str] = []
    while len(places) < 2 * number:
        place = one(INTERESTS[likes.interest] if rng.random() < 0.5 else PLACES)
        if place not in places:
            places.append(place)
    if rng.random() < OWN_SHARE:
        places[int(rng.integers(len(places)))] = likes.own
    days = [
        Day(places[2 * i], dishes[2 * i], places[2 * i + 1], dishes[2 * i + 1], usually(likes.way, WAYS, USUAL_WAY))
        for i in range(number)
    ]
    company, stay, budget = usually(likes.company, COMPANY), usually(likes.stay, STAYS), usually(likes.budget, BUDGETS)
    return Itinerary(one(GOALS), company, stay, diet, budget, tuple(days))


def filled(told: Itinerary, likes: Preferences) -> Itinerary:
    """A journey of which not all was told, as somebody understands it who knows the writer: what is open is as usual."""
    usual = {name: getattr(told, name) or getattr(likes, name) for name in USUALS}
    return replace(told, **usual, days=tuple(replace(day, way=day.way or likes.way) for day in told.days))


def day_number(word: str) -> int:
    """``"two"`` -> 2; 0 for no number."""
    return NUMBERS.index(word) + 1 if word in NUMBERS else 0
