"""Scenes as data: exact ground truth of a picture, drawn from a key."""

from dataclasses import dataclass

import numpy as np

from ...bus import keys
from ...bus.errors import BadInput
from ..models.roles import PICTURE_SIDE, Box
from .sprites import SHAPES
from .vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS, SUBJECTS, Marking, Subject

MAX_OBJECTS = 8
MAX_OVERLAP = 0.22
"""Largest share of the smaller of two boxes that the other may cover."""


@dataclass(frozen=True)
class SceneObject:
    """One object; later objects lie in front of earlier ones.

    Attributes:
        label: Class name.
        colour: Colour name of the body.
        cx: Centre, pixels from the left edge (multiples of 0.5).
        cy: Centre, pixels from the upper edge.
        width: Pixels, a whole number.
        height: Pixels, a whole number.
        flip: Mirrored left and right.
        subject: Name of the personal subject, or empty.
        marking: Second colour pattern of a subject.
        tint: Added to R, G and B of the body colour.
    """

    label: str
    colour: str
    cx: float
    cy: float
    width: float
    height: float
    flip: bool = False
    subject: str = ""
    marking: Marking | None = None
    tint: tuple[int, int, int] = (0, 0, 0)

    @property
    def left(self) -> int:
        """First column."""
        return int(self.cx - self.width / 2)

    @property
    def top(self) -> int:
        """First row."""
        return int(self.cy - self.height / 2)

    def box(self) -> Box:
        """The object as a true box of score 1."""
        return Box(self.label, self.colour, self.cx, self.cy, self.width, self.height, 1.0, self.subject)


@dataclass(frozen=True)
class Distractor:
    """A small unlabelled thing: centre and radius in pixels, and its colour in sRGB."""

    cx: int
    cy: int
    radius: int
    rgb: tuple[int, int, int]


@dataclass(frozen=True)
class Scene:
    """A picture's ground truth. ``texture`` picks the background's grain and light."""

    background: str
    objects: tuple[SceneObject, ...]
    texture: int = 0
    distractors: tuple[Distractor, ...] = ()

    def boxes(self) -> list[Box]:
        """True boxes, back to front."""
        return [thing.box() for thing in self.objects]


def make_scene(*key: keys.Key, count: int | tuple[int, int] = (1, MAX_OBJECTS), subjects: tuple[str, ...] = ()) -> Scene:
    """Draw a scene from a key.

    Args:
        *key: What the scene is for, for instance ``(seed, "user.07", "scene", 3)``.
        count: Number of objects, or the smallest and largest; at least the number of ``subjects``.
        subjects: Names of personal subjects of the catalog; each appears once.

    Returns:
        The scene; equal arguments give equal scenes.

    Raises:
        BadInput: Unknown subject, or a count outside 1 to 8.
    """
    low, high = (count, count) if isinstance(count, int) else count
    if not 1 <= low <= high <= MAX_OBJECTS or len(subjects) > high:
        raise BadInput(
            f"make_scene: count {count} with {len(subjects)} subjects", f"1 to {MAX_OBJECTS} objects, subjects included"
        )
    for name in subjects:
        if name not in SUBJECTS:
            raise BadInput(f"unknown subject {name!r}", "known: " + ", ".join(SUBJECTS))
    return scene_of(tuple(SUBJECTS[name] for name in subjects), low, high, *key)


def scene_of(subjects: tuple[Subject, ...], low: int, high: int, *key: keys.Key) -> Scene:
    """Like `make_scene`, with subjects that need not be in the catalog (training draws markings of its own)."""
    rng = keys.generator(*key, "scene")
    number = max(int(rng.integers(low, high + 1)), len(subjects))
    placed: list[SceneObject] = []
    for index in range(number):
        subject = subjects[index] if index < len(subjects) else None
        thing = _place(rng, placed, number, subject)
        if thing is not None:
            placed.append(thing)
    order = rng.permutation(len(placed))
    spots = tuple(
        Distractor(
            int(rng.integers(2, PICTURE_SIDE - 2)),
            int(rng.integers(2, PICTURE_SIDE - 2)),
            int(rng.integers(1, 3)),
            _any_colour(rng),
        )
        for _ in range(int(rng.integers(0, 5)))
    )
    background = BACKGROUND_NAMES[int(rng.integers(len(BACKGROUND_NAMES)))]
    return Scene(background, tuple(placed[i] for i in order), int(rng.integers(1 << 30)), spots)


def _any_colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in rng.integers(40, 240, 3))
    return red, green, blue


def _place(rng: np.random.Generator, placed: list[SceneObject], number: int, subject: Subject | None) -> SceneObject | None:
    """Find room for one more object; it shrinks with every ten failures, and is left out when it would be tiny."""
    label = subject.label if subject else LABELS[int(rng.integers(len(LABELS)))]
    colour = subject.colour if subject else COLOUR_NAMES[int(rng.integers(len(COLOUR_NAMES)))]
    red, green, blue = (int(value) for value in rng.integers(-16, 17, 3))
    flip = bool(rng.integers(2))
    largest = 30 - 2 * max(number - 3, 0)
    side = float(rng.uniform(14 if number <= 5 else 12, largest))
    stretch = float(rng.uniform(0.92, 1.08)) * SHAPES[label][0]
    for attempt in range(200):
        # the sides' geometric mean is `side`, but the longer one is kept within 32 pixels
        shrunk = max(side - attempt // 10, 10.0)
        width, height = (min(round(shrunk * stretch**0.5), 32), min(round(shrunk / stretch**0.5), 32))
        left, top = int(rng.integers(0, PICTURE_SIDE - width + 1)), int(rng.integers(0, PICTURE_SIDE - height + 1))
        cx, cy = left + width / 2, top + height / 2
        if all(_overlap(cx, cy, width, height, other) <= MAX_OVERLAP for other in placed):
            name, marking = (subject.name, subject.marking) if subject else ("", None)
            return SceneObject(label, colour, cx, cy, float(width), float(height), flip, name, marking, (red, green, blue))
    return None


def _overlap(cx: float, cy: float, width: float, height: float, other: SceneObject) -> float:
    """Shared area over the area of the smaller box."""
    wide = min(cx + width / 2, other.cx + other.width / 2) - max(cx - width / 2, other.cx - other.width / 2)
    high = min(cy + height / 2, other.cy + other.height / 2) - max(cy - height / 2, other.cy - other.height / 2)
    if wide <= 0 or high <= 0:
        return 0.0
    return wide * high / min(width * height, other.width * other.height)
