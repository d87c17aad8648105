"""How users write: many sentences for one fact, sentences without any, and sentences about what is not going to happen.

An original names every fact of its itinerary in one of these ways. What is mentioned only to be left out is no fact.
"""

from collections.abc import Callable

from ...bus import keys
from .itinerary import Itinerary
from .lexicon import DISHES, NUMBERS, PLACES, WAYS

OPENINGS = {
    "invite": (
        "Dear friend, why do you not come to Paris with us for {days} days, {company} will be there as well.",
        "I would be so happy if you joined me and {company} for {days} days in Paris.",
        "Come along to Paris: {days} days, with {company}, and with you if you like.",
    ),
    "plan": (
        "Here is how I want to spend {days} days in Paris with {company}, and I need your help to book it.",
        "We finally have a plan for the {days} days in Paris, and {company} will travel with me.",
        "I am planning {days} days in Paris together with {company}.",
    ),
    "remember": (
        "Do you remember those {days} days in Paris, when {company} travelled with me?",
        "I keep thinking of our {days} days in Paris with {company}, so I wrote down what we did.",
        "This is my diary of {days} days in Paris with {company}.",
    ),
}
USUAL = {
    "stay": (
        "Our rooms are in {stay}, which is a good place to sleep.",
        "We sleep in {stay}, close to everything that matters.",
        "A small hotel in {stay} has our names in its book.",
    ),
    "diet": (
        "As for meals, I eat {diet}.",
        "Please remember that it has to be {diet} for me at every table.",
        "When it comes to food, the word for me is {diet}.",
    ),
    "budget": (
        "The budget is {budget}, and that is fine.",
        "We have a {budget} budget for all of this.",
        "I have put aside money for it, a {budget} amount if you ask me.",
    ),
}
DAY = {
    "morning": (
        "{Day} begins at {morning}, before the crowds are awake.",
        "In the morning of {day} we go to {morning}.",
        "On {day} our first stop is {morning}, right after breakfast.",
        "{Day} starts with a long visit to {morning}.",
    ),
    "lunch": (
        "For lunch there is {lunch}.",
        "Around noon we sit down somewhere and order {lunch}.",
        "At midday the kitchen next door makes {lunch} that one must not miss.",
        "Lunch is {lunch}, in the sun if there is any.",
    ),
    "afternoon": (
        "After lunch we move on to {afternoon}.",
        "The afternoon belongs to {afternoon}.",
        "Later that day we wander over to {afternoon}, without any hurry.",
        "Then, in the afternoon, {afternoon} is waiting for us.",
    ),
    "dinner": (
        "In the evening we share {dinner}.",
        "Dinner means {dinner}, of course.",
        "At night somebody cooks {dinner} for us.",
        "For dinner we have {dinner} and a glass of wine.",
    ),
    "way": (
        "We get around {way} all day.",
        "That day everything is done {way}.",
        "Between the stops we travel {way}, as it suits us best.",
    ),
}
LEFT_OUT = (
    "We leave out {place} this time, since it is closed for repairs.",
    "Somebody told me to see {place}, but there is no time for it.",
    "I would not order {dish} there, whatever the waiter says.",
    "Nobody wants to go {way} after what happened last year.",
)
"""What comes next is not going to happen."""
IDLE = (
    "I hear that the weather will be kind to us.",
    "You know how long I have been waiting for this.",
    "There should be enough time to sit on a bench and watch people.",
    "Do not forget to bring good shoes.",
    "The light over the river is said to be wonderful at that hour.",
)
CLOSINGS = ("Let me know what you think.", "I cannot wait to hear from you.", "With love, until soon.")
NAMED = ("the {nth} day", "day {n}")
NTH = ("first", "second", "third", "fourth")


def write(plan: Itinerary, *key: keys.Key) -> str:
    """The text of a journey in somebody's own words; sentences of 5 to 25 words, some 150 to 350 words in all."""
    rng = keys.generator(*key, "writing")

    def one(choice: tuple[str, ...]) -> str:
        return choice[int(rng.integers(len(choice)))]

    count = NUMBERS[len(plan.days) - 1]
    usual = [one(USUAL[name]).format(**{name: getattr(plan, name)}) for name in USUAL]
    said = [one(OPENINGS[plan.goal]).format(days=count, company=plan.company)]
    said += [usual[int(i)] for i in rng.permutation(len(usual))]
    for number in range(len(plan.days)):
        said += _day(plan, number, one, rng.random)
    return " ".join([*said, one(CLOSINGS)])


def _day(plan: Itinerary, number: int, one: Callable[[tuple[str, ...]], str], chance: Callable[[], float]) -> list[str]:
    day = plan.days[number]
    name = one(NAMED).format(nth=NTH[number], n=NUMBERS[number])
    said = []
    for slot, ways in DAY.items():
        said.append(one(ways).format(**{slot: getattr(day, slot)}, day=name, Day=name[0].upper() + name[1:]))
        if chance() < 0.15:
            said.append(one(IDLE))
    if chance() < 0.5:
        used = {value for each in plan.days for value in (each.morning, each.lunch, each.afternoon, each.dinner, each.way)}
        other = {"place": PLACES, "dish": DISHES, "way": WAYS}
        free = {what: one(tuple(each for each in names if each not in used)) for what, names in other.items()}
        said.append(one(LEFT_OUT).format(**free))
    return said
