"""Prompts of texts as bits: what a journey says, in parts; and a writer's preferences, with which much need not be said.

Parts: ``keywords`` (goal, company, number of days, places), ``meals``, ``details`` (stay, diet, budget, ways). A name costs its
index in the shared lexicon, an own place 5 bits a letter; where the other side has the writer's preferences, what is as usual
costs one bit, and an own place no letters.
"""

from dataclasses import dataclass

from ...bus.errors import BadInput
from ..bits import BitReader, BitWriter
from ..prompt_codec import HEADER_BITS, LETTER_BITS, NUMBER_BITS, TIME_BITS, USER_BITS
from .itinerary import Day, Itinerary, Preferences, filled
from .lexicon import BUDGETS, CAFE, COMPANY, DIETS, DISHES, GOALS, OWN_LETTERS, PLACES, STAYS, WAYS
from .words import LETTERS

KEYWORDS, MEALS, DETAILS = "keywords", "meals", "details"
PARTS = (KEYWORDS, MEALS, DETAILS)
"""In the order in which they are coded."""
CHOICES = {"goal": GOALS, "company": COMPANY, "stay": STAYS, "diet": DIETS, "budget": BUDGETS, "way": WAYS}
DAYS_BITS = 3
LENGTH_BITS = 4
"""How many letters follow."""
PREAMBLE_BITS = NUMBER_BITS + USER_BITS + TIME_BITS + len(PARTS) + 1
"""Request number, recipient, time stamp (ms), which parts follow, and whether the preferences are referred to."""

if PREAMBLE_BITS > HEADER_BITS:
    raise AssertionError("a text's header has outgrown a picture's")


@dataclass(frozen=True)
class TextPrompt:
    """What a prompt of a text says.

    Attributes:
        number: Request number of the sender, below 2^16.
        recipient: Index of the recipient among the sorted user ids, below 2^16.
        time_ms: When it was written, in ms modulo 2^16.
        parts: Of `PARTS`.
        told: The journey; what is in no part is not sent.
        known: Whether it refers to the writer's preferences.
    """

    number: int
    recipient: int
    time_ms: int
    parts: tuple[str, ...]
    told: Itinerary
    known: bool = False


def bits_of(choice: tuple[str, ...]) -> int:
    """Bits of one of some names, or of none."""
    return len(choice).bit_length()


def encode(prompt: TextPrompt, likes: Preferences) -> tuple[bytes, int]:
    """Code a prompt.

    Args:
        prompt: What to say.
        likes: The writer's preferences, which the other side has where ``prompt.known``.

    Returns:
        The bytes (the last one filled with zeros) and the number of bits that count.

    Raises:
        BadInput: A name is not in the lexicon, or a number does not fit its field.
    """
    out = BitWriter()
    out.write(prompt.number % (1 << NUMBER_BITS), NUMBER_BITS)
    out.write(prompt.recipient, USER_BITS)
    out.write(prompt.time_ms % (1 << TIME_BITS), TIME_BITS)
    for part in PARTS:
        out.write(part in prompt.parts, 1)
    out.write(prompt.known, 1)
    writer = _Writer(out, likes if prompt.known else None)
    for part in PARTS:
        if part in prompt.parts:
            writer.part(part, prompt.told)
    return out.bytes(), out.length


def part_bits(told: Itinerary, likes: Preferences, known: bool) -> dict[str, int]:
    """Part -> its bits, header not counted."""
    found = {}
    for part in PARTS:
        out = BitWriter()
        _Writer(out, likes if known else None).part(part, told)
        found[part] = out.length
    return found


def decode(data: bytes, likes: Preferences | None) -> TextPrompt:
    """Read a prompt.

    Args:
        data: The bytes.
        likes: What is known of the writer; without, references to it stay open.

    Returns:
        The prompt; where it refers to preferences that are known, what was not said is as usual.

    Raises:
        BadInput: The bytes are no prompt.
    """
    source = BitReader(data)
    number, recipient, time_ms = source.read(NUMBER_BITS), source.read(USER_BITS), source.read(TIME_BITS)
    parts = tuple(part for part in PARTS if source.read(1))
    known = bool(source.read(1))
    reader = _Reader(source, known, likes)
    for part in PARTS:
        if part in parts:
            reader.part(part)
    told = reader.told()
    if known and likes is not None:
        told = filled(told, likes)
    return TextPrompt(number, recipient, time_ms, parts, told, known)


def encode_profile(likes: Preferences) -> tuple[bytes, int]:
    """A writer's preferences as bits, 5 for each letter of its own place's name; how it likes to read is its own affair."""
    out = BitWriter()
    for name in ("company", "stay", "diet", "budget", "way"):
        out.write(CHOICES[name].index(getattr(likes, name)) + 1, bits_of(CHOICES[name]))
    _spell(out, likes.own)
    return out.bytes(), out.length


def decode_profile(data: bytes) -> Preferences:
    """Read preferences.

    Raises:
        BadInput: The bytes are none.
    """
    source = BitReader(data)
    values = {name: _named(source, CHOICES[name]) for name in ("company", "stay", "diet", "budget", "way")}
    return Preferences(**values, own=_spelled(source))


class _Writer:
    """Writes parts; ``likes``: what the other side knows of the writer."""

    def __init__(self, out: BitWriter, likes: Preferences | None) -> None:
        self._out, self._likes = out, likes

    def part(self, part: str, told: Itinerary) -> None:
        if part == KEYWORDS:
            self._name("goal", told.goal)
            self._usual("company", told.company)
            self._out.write(len(told.days), DAYS_BITS)
            for day in told.days:
                self._place(day.morning)
                self._place(day.afternoon)
        elif part == MEALS:
            self._out.write(len(told.days), DAYS_BITS)
            for day in told.days:
                for dish in (day.lunch, day.dinner):
                    self._index(dish, DISHES)
        else:
            for name in ("stay", "diet", "budget"):
                self._usual(name, getattr(told, name))
            self._out.write(len(told.days), DAYS_BITS)
            for day in told.days:
                self._usual("way", day.way)

    def _index(self, value: str, choice: tuple[str, ...]) -> None:
        if value and value not in choice:
            raise BadInput(f"{value!r} is not in the lexicon", "texts of other worlds need a lexicon of their own")
        self._out.write(choice.index(value) + 1 if value else 0, bits_of(choice))

    def _name(self, name: str, value: str) -> None:
        self._index(value, CHOICES[name])

    def _usual(self, name: str, value: str) -> None:
        """One bit where it is as usual; a choice that was not understood counts as usual."""
        if self._likes is not None:
            same = not value or value == getattr(self._likes, name)
            self._out.write(not same, 1)
            if same:
                return
        self._name(name, value)

    def _place(self, place: str) -> None:
        own = place.startswith(CAFE + " ")
        self._out.write(own, 1)
        if not own:
            self._index(place, PLACES)
        elif self._likes is None:
            _spell(self._out, place)
        else:
            self._out.write(place != self._likes.own, 1)
            if place != self._likes.own:
                _spell(self._out, place)


class _Reader:
    """Reads parts."""

    def __init__(self, source: BitReader, known: bool, likes: Preferences | None) -> None:
        self._source, self._known, self._likes = source, known, likes
        self._told: dict[str, str] = {}
        self._days: list[dict[str, str]] = []

    def told(self) -> Itinerary:
        return Itinerary(**self._told, days=tuple(Day(**day) for day in self._days))

    def part(self, part: str) -> None:
        if part == KEYWORDS:
            self._told["goal"] = _named(self._source, GOALS)
            self._told["company"] = self._usual("company")
            for day in self._each_day():
                day["morning"], day["afternoon"] = self._place(), self._place()
        elif part == MEALS:
            for day in self._each_day():
                day["lunch"], day["dinner"] = _named(self._source, DISHES), _named(self._source, DISHES)
        else:
            for name in ("stay", "diet", "budget"):
                self._told[name] = self._usual(name)
            for day in self._each_day():
                day["way"] = self._usual("way")

    def _each_day(self) -> list[dict[str, str]]:
        number = self._source.read(DAYS_BITS)
        self._days += [{} for _ in range(number - len(self._days))]
        return self._days[:number]

    def _usual(self, name: str) -> str:
        if self._known and not self._source.read(1):
            return getattr(self._likes, name) if self._likes else ""
        return _named(self._source, CHOICES[name])

    def _place(self) -> str:
        if not self._source.read(1):
            return _named(self._source, PLACES)
        if self._known and not self._source.read(1):
            return self._likes.own if self._likes else ""
        return _spelled(self._source)


def _named(source: BitReader, choice: tuple[str, ...]) -> str:
    """One of some names by its number; 0 is none."""
    number = source.read(bits_of(choice)) - 1
    if number >= len(choice):
        raise BadInput(f"there is no name number {number}", "the bytes are no prompt of a text")
    return choice[number] if number >= 0 else ""


def _spell(out: BitWriter, place: str) -> None:
    name = place.partition(" ")[2].lower()[:OWN_LETTERS]
    out.write(len(name), LENGTH_BITS)
    for letter in name:
        out.write(LETTERS.index(letter), LETTER_BITS)


def _spelled(source: BitReader) -> str:
    letters = [source.read(LETTER_BITS) for _ in range(source.read(LENGTH_BITS))]
    if any(letter >= len(LETTERS) for letter in letters):
        raise BadInput("a letter is none", "the bytes are no prompt of a text")
    name = "".join(LETTERS[letter] for letter in letters).strip()
    return f"{CAFE} {name.capitalize()}" if name else ""
