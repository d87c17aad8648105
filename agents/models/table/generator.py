"""Role ``generator`` of the table: the sketch of what a prompt says, and of nothing else."""

import struct
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from msgspec.structs import replace

from ....bus.errors import BadInput
from ...scenes.vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS
from ...scenes.world import make_scene
from ...sketches import BOXES, CAPTION, IDENTIFIER, KEYWORDS, PLAIN, REFERENCE, STEP, Sketch, Thing, number_of, thing, written
from ..roles import PICTURE_SIDE, Box, Generate, Picture
from ..tiny.layout import missing
from ..tiny.reading import read
from . import looks
from .base import TableModel
from .store import Stored, read_table

MAX_OBJECTS = 12
MAX_STEPS = 50
SIDE = 20
"""Sides in pixels of things that a prompt does not place."""


class TableGenerator(TableModel):
    """Implements `semcast.agents.models.roles.Model`."""

    role = "generator"

    def __init__(self, stored: Stored) -> None:
        super().__init__(stored)
        card = stored.costs["generator"].data
        self._threshold = float(stored.costs["extractor"].data["subject_threshold"])
        self._fixed, self._per_step, self._reference = (int(card[f"flops_{part}"]) for part in ("fixed", "per_step", "reference"))

    def group(self, arguments: Generate) -> str:
        """Calls with the same number of steps share a batch."""
        return f"steps{arguments.steps}"

    def flops(self, arguments: Generate) -> int:
        """As the measured profile's.

        Raises:
            BadInput: More or fewer steps than there are, or adapters, which the table does not know.
        """
        if not 1 <= arguments.steps <= MAX_STEPS or arguments.adapters:
            raise BadInput(
                f"generator: steps = {arguments.steps}, {len(arguments.adapters)} adapters",
                f"the table profile makes 1 to {MAX_STEPS} steps, without adapters",
            )
        return self._fixed + self._per_step * arguments.steps + self._reference * bool(arguments.references)

    def answer(self, call: Generate) -> Picture:
        """What the prompt says; what it leaves open follows from the seed. A vector of another look draws no subject."""
        alike = looks.alike
        own = {name: vector for name, vector in call.subjects.items() if alike(self.stored, name, vector) >= self._threshold}
        return Picture(written(sketch_of(replace(call, subjects=own))))


def sketch_of(call: Generate) -> Sketch:
    """The sketch of a prompt: its boxes, the most certain 12, then what its words mention beyond them.

    A subject's own look is there where the call has an identifier for it.
    """
    said = read(call.caption)
    given = sorted(call.boxes, key=lambda box: -box.score)[:MAX_OBJECTS]
    mentioned = [Box(label, colour, 0, 0, 0, 0, 1.0, subject) for label, colour, subject in said.objects]
    rest = missing(mentioned, given)[: MAX_OBJECTS - len(given)]
    open_ = iter(_numbers(call.seed))
    things = [_decided(thing(_known(box, call), _look(box.subject, call)), open_) for box in given]
    things += [_placed(thing(_known(box, call), _look(box.subject, call)), open_) for box in rest]
    background = number_of(call.background or said.background, BACKGROUND_NAMES)
    made = BOXES if given else CAPTION if said.background or "," not in call.caption else KEYWORDS
    grain = call.seed & 0x3FFFFFFF
    return Sketch(tuple(things), background or 1 + next(open_) % len(BACKGROUND_NAMES), grain, made, call.steps)


def _known(box: Box, call: Generate) -> Box:
    """A subject of which nothing is known is only its class and colour."""
    if box.subject in call.subjects or not box.subject:
        return box
    return Box(box.label, box.colour, box.cx, box.cy, box.width, box.height, box.score)


def _look(subject: str, call: Generate) -> int:
    if subject not in call.subjects:
        return PLAIN
    return REFERENCE if subject in call.references else IDENTIFIER


def _decided(thing: Thing, numbers: Iterator[int]) -> Thing:
    """With a class and a colour."""
    if thing.label and thing.colour:
        return thing
    label, colour = 1 + next(numbers) % len(LABELS), 1 + next(numbers) % len(COLOUR_NAMES)
    return Thing(thing.label or label, thing.colour or colour, *_place(thing), thing.subject, thing.look)


def _place(thing: Thing) -> tuple[int, int, int, int]:
    return thing.cx, thing.cy, thing.width, thing.height


def _placed(thing: Thing, numbers: Iterator[int]) -> Thing:
    """Somewhere."""
    room = (PICTURE_SIDE - SIDE) * STEP
    x, y = SIDE * STEP // 2 + next(numbers) % room, SIDE * STEP // 2 + next(numbers) % room
    return _decided(Thing(thing.label, thing.colour, x, y, SIDE * STEP, SIDE * STEP, thing.subject, thing.look), numbers)


def _numbers(seed: int) -> tuple[int, ...]:
    """As many as 12 things and a background can want, from the seed."""
    raw = b"".join(blake2b(seed.to_bytes(16, "little", signed=True) + bytes([part])).digest() for part in range(2))
    return struct.unpack("<64H", raw)


def load(folder: Path) -> TableGenerator:
    """Read the table."""
    return TableGenerator(read_table(folder))


def examples() -> list[Generate]:
    """Eight calls: with boxes, with words alone, with what is left open."""
    calls = []
    for index in range(8):
        scene = make_scene("example", index, count=(2, 4))
        boxes = scene.boxes() if index % 2 else []
        words = "" if index % 2 else ("dog, red cup" if index % 4 else "a red dog and two blue cups on grass")
        calls.append(Generate(words, scene.background if boxes else "", boxes, 100 + index))
    return calls
