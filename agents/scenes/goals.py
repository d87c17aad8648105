"""What users want with a picture: a goal world of messages, goals in a few words, and keywords; each follows from its key.

A user says something about the picture that it takes ("tell me where the white one is"). The goal names what is meant in the
picture's own terms ("locate my dog"): the kind follows from the wording, the thing from wording and picture together, since a
message may name a class, a colour, a place ("the thing on the left"), both class and colour, or an own subject. Of the patterns
of a kind some are kept for evaluation (`HELD_OUT`): their words occur in training, their sentences do not.
"""

import re
from dataclasses import dataclass

from ...bus import keys
from .vocabulary import BACKGROUND_PHRASES, COLOUR_NAMES, LABELS, PLURALS
from .world import Scene, SceneObject

KINDS = ("show", "locate", "count", "compare", "greet")
MAX_KEYWORDS = 6
CLEAR = 3.0
"""A thing is the leftmost or rightmost if its centre lies this many pixels beyond the next one's."""

PATTERNS: dict[str, tuple[str, ...]] = {
    "show": (
        *("show {a}", "let them see {a}", "send a picture of {a}", "i want to show {a}", "have a look at {a}", "present {a}"),
        *("{a} should be seen", "take a look at {a}", "they must see {a}", "display {a}", "i want to see {a}"),
        *("let me have a look at {a}", "they want to look at {a}", "give them the picture of {a}", "you should see {a}"),
    ),
    "locate": (
        *("where is {a}", "find {a}", "in which place is {a}", "tell me where {a} is", "i am looking for {a}"),
        *("which way to {a}", "point at {a}", "on which side is {a}", "search for {a}", "i cannot find {a}"),
        *("tell them where {a} is", "where do you find {a}", "tell me the place of {a}", "i want to know where {a} is"),
        *("tell me where to look for {a}", "tell them which side {a} is on"),
    ),
    "count": (
        *("how many {a} are there", "count {a}", "what is the number of {a}", "tell me how many {a} you see", "number of {a}"),
        *("i want to know how many {a} there are", "give the number of {a}", "are there many {a}"),
        *("i want the number of {a}", "tell them how many {a} there are", "how many {a} do i count", "count all {a}"),
    ),
    "compare": (
        *("compare {a} with {b}", "is {a} like {b}", "what is the difference of {a} and {b}", "{a} or {b}"),
        *("how do {a} and {b} differ", "which is nicer {a} or {b}", "put {a} beside {b}", "which one is larger {a} or {b}"),
        *(
            "what is nicer {a} or {b}",
            "tell them the difference of {a} and {b}",
            "is {a} larger with {b} beside",
            "{a} and {b} differ how",
        ),
    ),
    "greet": (
        *("say hello", "greetings to them", "tell them hello from me", "wish them a good day", "send my regards"),
        *("i think of them", "hello to all", "give them my regards", "just to say hello"),
        *("wish all a good day", "say greetings to all", "hello from me", "send a good day to them"),
    ),
}
"""Kind -> sentences for training; {a} and {b} stand for what is meant."""

HELD_OUT: dict[str, tuple[str, ...]] = {
    "show": ("i want them to see {a}", "let them have a look at {a}", "they should see {a}", "send them a picture of {a}"),
    "locate": (
        "tell them where to find {a}",
        "in which place do you find {a}",
        "i want to find {a}",
        "tell me on which side {a} is",
    ),
    "count": ("tell me the number of {a}", "i want to count {a}", "how many {a} do you see", "give me the number of {a}"),
    "compare": (
        "which is larger {a} or {b}",
        "tell me the difference of {a} and {b}",
        "how is {a} like {b}",
        "compare {a} and {b}",
    ),
    "greet": ("send them greetings", "wish a good day to all", "say hello from me", "send hello to them"),
}
"""Kind -> sentences for evaluation alone."""

NEEDED = {"show": 1, "locate": 1, "compare": 2}
"""Kind -> how many things a message of it means."""
OPENERS = ("", "", "please", "hey", "so", "well")
CLOSERS = ("", "", "please", "thanks", "today", "now")


@dataclass(frozen=True)
class Goal:
    """What is wanted, and of what.

    Attributes:
        kind: One of `KINDS`. subjects: "my dog" for an own subject, else "the white dog"; for ``count`` "the dogs" or "the
        white things"; for ``greet`` the
            own subject in the picture or none.
        place: Background name of ``show`` and ``greet``, else "".
    """

    kind: str
    subjects: tuple[str, ...]
    place: str = ""

    def phrase(self) -> str:
        """A few words: "show my dog on grass"."""
        link = "with" if self.kind == "greet" and self.subjects else ""
        place = BACKGROUND_PHRASES[self.place] if self.place else ""
        return " ".join(part for part in (self.kind, link, " and ".join(self.subjects), place) if part)


@dataclass(frozen=True)
class Request:
    """What a user said, what it meant, and the words that tell most of the picture for it.

    Attributes:
        message: A sentence.
        goal: Its meaning.
        keywords: At most `MAX_KEYWORDS`.
        named: How the message names the goal's subjects ("the thing on the left"), one for each; none in a greeting.
    """

    message: str
    goal: Goal
    keywords: tuple[str, ...]
    named: tuple[str, ...] = ()


def request(scene: Scene, subjects: tuple[str, ...], *key: keys.Key, held_out: bool = False, places: bool = True) -> Request:
    """Draw what a user says about a picture and what it means by it.

    Args:
        scene: With at least one object.
        subjects: Names of the user's own subjects.
        *key: What the request is for.
        held_out: Draw from `HELD_OUT` instead of `PATTERNS`.
        places: Things may be told by their place.

    Returns:
        A request whose meaning follows from message, picture and subjects.
    """
    rng = keys.generator(*key, "goal")
    things = scene.objects
    named = [(thing, _references(thing, things, subjects, places)) for thing in things]
    clear = [(thing, references) for thing, references in named if references]
    kind = KINDS[int(rng.integers(len(KINDS)))]
    if len(clear) < NEEDED.get(kind, 0):
        kind = "count"
    words: list[str] = []
    if kind == "count":
        text, subject = _plural(things[int(rng.integers(len(things)))], bool(rng.random() < 0.3))
        goal, words = Goal(kind, (subject,)), [text]
    elif kind == "greet":
        own = [thing for thing in things if thing.subject in subjects][:1]
        goal = Goal(kind, tuple(_called(thing, subjects) for thing in own), scene.background)
    else:
        meant = [clear[int(index)] for index in rng.permutation(len(clear))[: NEEDED[kind]]]
        words = [references[int(rng.integers(len(references)))] for _, references in meant]
        goal = Goal(kind, tuple(_called(thing, subjects) for thing, _ in meant), scene.background if kind == "show" else "")
    patterns = (HELD_OUT if held_out else PATTERNS)[kind]
    sentence = patterns[int(rng.integers(len(patterns)))].format(**dict(zip("ab", words, strict=False)))
    opener, closer = OPENERS[int(rng.integers(len(OPENERS)))], CLOSERS[int(rng.integers(len(CLOSERS)))]
    return Request(" ".join(f"{opener} {sentence} {closer}".split()), goal, keywords(goal, scene), tuple(words))


def keywords(goal: Goal, scene: Scene) -> tuple[str, ...]:
    """Colour and class of the goal's subjects, the background, the other classes from left to right; at most `MAX_KEYWORDS`."""
    words = [word for subject in goal.subjects for word in subject.split()[1:]]
    things = sorted(scene.objects, key=lambda thing: (thing.cx, thing.cy))
    singular = {PLURALS.get(label, label + "s"): label for label in LABELS}
    words = [singular.get(word, word) for word in words if word != "things"]
    return tuple(dict.fromkeys([*words, scene.background, *(thing.label for thing in things)]))[:MAX_KEYWORDS]


def _called(thing: SceneObject, subjects: tuple[str, ...]) -> str:
    return f"my {thing.label}" if thing.subject in subjects else f"the {thing.colour} {thing.label}"


def _references(thing: SceneObject, things: tuple[SceneObject, ...], subjects: tuple[str, ...], places: bool) -> list[str]:
    """All ways to mean this thing and no other."""
    others = [other for other in things if other is not thing]
    found = []
    if thing.subject in subjects:
        found.append(f"my {thing.label}")
    if all(other.label != thing.label for other in others):
        found.append(f"the {thing.label}")
    if all((other.label, other.colour) != (thing.label, thing.colour) for other in others) and thing.subject not in subjects:
        found.append(f"the {thing.colour} {thing.label}")
    if all(other.colour != thing.colour for other in others) and not thing.subject:
        found.append(f"the {thing.colour} one")
    if places and all(other.cx >= thing.cx + CLEAR for other in others):
        found.append("the thing on the left")
    if places and all(other.cx <= thing.cx - CLEAR for other in others):
        found.append("the thing on the right")
    return found


def _plural(thing: SceneObject, by_colour: bool) -> tuple[str, str]:
    """How many of what: the words of the message and of the goal."""
    if by_colour and not thing.subject:
        return f"{thing.colour} things", f"the {thing.colour} things"
    plural = PLURALS.get(thing.label, thing.label + "s")
    return plural, f"the {plural}"


def words() -> tuple[str, ...]:
    """All words of messages, goals and keywords of training, sorted."""
    sentences = [*OPENERS, *CLOSERS, *(pattern for patterns in PATTERNS.values() for pattern in patterns)]
    spoken = {word for sentence in sentences for word in sentence.split() if not word.startswith("{")}
    spoken |= {"my", "the", "one", "thing", "things", "on", "left", "right", "and", "with", *KINDS}
    spoken |= {*LABELS, *COLOUR_NAMES, *(PLURALS.get(label, label + "s") for label in LABELS)}
    return tuple(sorted(spoken | {word for phrase in BACKGROUND_PHRASES.values() for word in phrase.split()}))


def impersonal(phrase: str, label: str) -> str:
    """A goal without whose a thing of this class is: "locate my dog" becomes "locate the dog"."""
    return re.sub(rf"\bmy ((?:[\w-]+ )?{re.escape(label)})\b", r"the \1", phrase)
