"""The words of the scene world: what can be seen, in which colour, where, and whose."""

from dataclasses import dataclass

from ...bus import keys

LABELS = (
    "dog", "cat", "bird", "fish", "car", "bus", "house", "tree", "flower", "cup", "boat", "plane",
    "chair", "lamp", "ball", "umbrella", "hat", "shoe", "bicycle", "mushroom", "clock", "key", "butterfly", "bottle",
)  # fmt: skip
"""Object classes, everyday nouns; the index is the class number of the models."""

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (208, 44, 44),
    "orange": (240, 138, 32),
    "yellow": (246, 214, 52),
    "green": (38, 142, 58),
    "blue": (44, 88, 214),
    "purple": (142, 58, 178),
    "white": (246, 246, 242),
    "black": (44, 42, 48),
}
"""Colour name -> sRGB of an object's body before jitter; the order is the colour number of the models."""

COLOUR_NAMES = tuple(COLOURS)

BACKGROUNDS: dict[str, tuple[int, int, int]] = {
    "grass": (138, 180, 104),
    "sand": (222, 200, 152),
    "snow": (222, 230, 240),
    "street": (128, 130, 138),
}
"""Background name -> mean sRGB; the order is the background number of the models."""

BACKGROUND_NAMES = tuple(BACKGROUNDS)

BACKGROUND_PHRASES = {"grass": "on grass", "sand": "on sand", "snow": "on snow", "street": "on a street"}
"""Background name -> how a caption ends."""

PLURALS = {"bus": "buses", "fish": "fish", "butterfly": "butterflies"}
"""Irregular plurals; all other labels take an s."""

MARKING_KINDS = ("stripes", "spots", "patch", "half", "belt", "checker")


@dataclass(frozen=True)
class Marking:
    """A second colour painted on a subject's body: what class and colour do not say.

    Attributes:
        kind: One of `MARKING_KINDS`.
        colour: Colour name of the marking, other than the body's.
        angle: Direction of the pattern in degrees.
        period: Bands (or rows of spots) over the body, 1.5 to 3.5; the size of a patch or belt grows with it.
        phase: Shift of the pattern in periods, [0, 1).
    """

    kind: str
    colour: str
    angle: int
    period: float
    phase: float


@dataclass(frozen=True)
class Subject:
    """A personal subject, such as Mia's dog: a class and colour with a marking of its own (none: a plain one)."""

    name: str
    label: str
    colour: str
    marking: Marking | None

    @property
    def owner(self) -> str:
        """The user that the subject belongs to ("mia" of "mia/dog")."""
        return self.name.split("/")[0]


def random_marking(body_colour: str, *key: keys.Key) -> Marking:
    """Draw a marking for a body of the given colour from the key; angles are multiples of 15 degrees."""
    others = [name for name in COLOUR_NAMES if name != body_colour]
    return Marking(
        kind=MARKING_KINDS[keys.integer(len(MARKING_KINDS), *key, "kind")],
        colour=others[keys.integer(len(others), *key, "colour")],
        angle=15 * keys.integer(12, *key, "angle"),
        period=1.5 + 0.25 * keys.integer(9, *key, "period"),
        phase=keys.integer(8, *key, "phase") / 8,
    )


_CATALOG = (
    Subject("mia/dog", "dog", "white", Marking("spots", "black", 30, 2.5, 0.25)),
    Subject("leo/cat", "cat", "orange", Marking("stripes", "white", 90, 3.0, 0.0)),
    Subject("ana/car", "car", "blue", Marking("belt", "yellow", 90, 1.5, 0.5)),
    Subject("ben/cup", "cup", "red", Marking("checker", "white", 0, 2.5, 0.0)),
    Subject("eva/fish", "fish", "yellow", Marking("stripes", "blue", 0, 3.0, 0.25)),
    Subject("tom/boat", "boat", "green", Marking("half", "orange", 0, 2.0, 0.5)),
    Subject("zoe/butterfly", "butterfly", "purple", Marking("half", "yellow", 0, 2.0, 0.5)),
    Subject("kai/ball", "ball", "black", Marking("stripes", "orange", 45, 2.5, 0.5)),
    Subject("ida/umbrella", "umbrella", "white", Marking("stripes", "red", 0, 3.0, 0.5)),
    Subject("max/dog", "dog", "black", Marking("patch", "white", 0, 3.0, 0.5)),
    Subject("lea/bird", "bird", "red", Marking("belt", "black", 0, 2.5, 0.5)),
    Subject("sam/house", "house", "purple", Marking("patch", "green", 90, 3.0, 0.25)),
)

SUBJECTS: dict[str, Subject] = {subject.name: subject for subject in _CATALOG}
"""The catalog's personal subjects by name (owner/label)."""
