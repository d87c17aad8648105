"""Generated clips: a scene that stands still, and things that cross it on smooth keyed paths; exact ground truth of both."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from ...bus import keys
from ...bus.errors import BadInput
from ..models.roles import PICTURE_SIDE, Box
from ..scenes.draw import Pixels, draw, stamp
from ..scenes.sprites import SHAPES
from ..scenes.vocabulary import COLOUR_NAMES, LABELS
from ..scenes.world import MAX_OVERLAP, Scene, SceneObject, make_scene
from .incidents import Incident

MAX_FRAMES = 64
MAX_MOVERS = 8
SEEN_SHARE = 0.75
"""A thing counts as in view in frames that show at least this share of its box."""
MARGIN = 32
"""Pixels around a frame in which things may be."""
OCCLUDED_FRAMES = 3
"""Frames in which one mover may cover another by more than `scenes.world.MAX_OVERLAP`."""
TRIES = 60

Places = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Mover:
    """A thing that moves: what it looks like (its own place does not count), and the centre of its box in every frame."""

    thing: SceneObject
    places: Places

    def at(self, frame: int) -> SceneObject:
        """The thing in a frame, at whole pixels."""
        cx, cy = self.places[frame]
        return replace(self.thing, cx=_snapped(cx, self.thing.width), cy=_snapped(cy, self.thing.height))


@dataclass(frozen=True)
class Clip:
    """A clip's ground truth. ``still``: all that does not move; later movers lie in front; ``fps``: frames a second."""

    still: Scene
    movers: tuple[Mover, ...]
    frames: int
    fps: int
    incidents: tuple[Incident, ...] = ()

    def boxes(self, frame: int) -> dict[int, Box]:
        """Number of a thing -> its true box in a frame, cut to the picture; movers first, then what stands still."""
        things = [mover.at(frame) for mover in self.movers] + list(self.still.objects)
        found = {number: _in_view(thing) for number, thing in enumerate(things)}
        return {number: box for number, box in found.items() if box is not None}


def film(clip: Clip) -> Pixels:
    """Draw a clip.

    Returns:
        uint8 RGB of (frames, 64, 64, 3); equal clips give equal bytes on every computer.
    """
    still = np.pad(draw(clip.still), ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), mode="edge").astype(np.int32)
    inner = slice(MARGIN, MARGIN + PICTURE_SIDE)
    frames = []
    for number in range(clip.frames):
        canvas = still.copy()
        for mover in clip.movers:
            thing = mover.at(number)
            shifted = replace(thing, cx=thing.cx + MARGIN, cy=thing.cy + MARGIN)
            if _inside(shifted, PICTURE_SIDE + 2 * MARGIN):
                stamp(canvas, shifted)
        frames.append(canvas[inner, inner])
    return np.asarray(np.stack(frames), dtype=np.uint8)


@cache
def camera(*key: keys.Key) -> Scene:
    """What a camera that stands still always sees: a background with one or two things."""
    return make_scene(*key, "camera", count=(1, 2))


def make_clip(*key: keys.Key, still: Scene, frames: int = 16, fps: int = 8, movers: tuple[int, int] = (1, 3)) -> Clip:
    """Draw a clip from a key: things that wander through a scene in straight lines with a gentle swing.

    Args:
        *key: What the clip is for.
        still: See `camera`.
        frames: 2 to `MAX_FRAMES`.
        fps: Frames a second.
        movers: Least and most moving things.

    Raises:
        BadInput: Too many frames or movers.
    """
    check_size(frames, movers)
    rng = keys.generator(*key, "clip")
    number = int(rng.integers(movers[0], movers[1] + 1))
    placed: list[Mover] = []
    for _ in range(number):
        for _ in range(TRIES):
            mover = _wanderer(rng, frames)
            if _free(mover, placed, still):
                placed.append(mover)
                break
    return Clip(still, tuple(placed), frames, fps)


def check_size(frames: int, movers: tuple[int, int]) -> None:
    """Refuse what no clip can be (BadInput)."""
    if not 2 <= frames <= MAX_FRAMES or not 0 <= movers[0] <= movers[1] <= MAX_MOVERS:
        raise BadInput(f"a clip of {frames} frames with {movers} movers", f"2 to {MAX_FRAMES} frames, 0 to {MAX_MOVERS} movers")


def make_thing(rng: np.random.Generator, labels: Sequence[str], sides: tuple[float, float]) -> SceneObject:
    """A thing of one of some classes; ``sides``: least and most geometric mean of its sides in pixels."""
    label = labels[int(rng.integers(len(labels)))]
    colour = COLOUR_NAMES[int(rng.integers(len(COLOUR_NAMES)))]
    red, green, blue = (int(value) for value in rng.integers(-16, 17, 3))
    side, stretch = float(rng.uniform(*sides)), SHAPES[label][0]
    width, height = min(round(side * stretch**0.5), 32), min(round(side / stretch**0.5), 32)
    return SceneObject(label, colour, 0.0, 0.0, float(width), float(height), bool(rng.integers(2)), tint=(red, green, blue))


def _wanderer(rng: np.random.Generator, frames: int) -> Mover:
    thing = make_thing(rng, LABELS, (14.0, 22.0))
    cx, cy = (float(value) for value in rng.uniform(14, PICTURE_SIDE - 14, 2))
    angle, speed = float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(0.8, 3.0))
    swing, period, phase = float(rng.uniform(0, 2.5)), float(rng.uniform(12, 24)), float(rng.uniform(0, 2 * math.pi))
    along, across = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))
    places = []
    for frame in range(frames):
        far = speed * (frame - (frames - 1) / 2)
        side = swing * math.sin(2 * math.pi * frame / period + phase)
        places.append((cx + far * along[0] + side * across[0], cy + far * along[1] + side * across[1]))
    return Mover(thing, tuple(places))


def _free(mover: Mover, others: Sequence[Mover], still: Scene) -> bool:
    """Whether a mover is seen at all, and covers nothing for long."""
    frames = range(len(mover.places))
    if sum(_in_view(mover.at(frame)) is not None for frame in frames) < len(frames) // 2:
        return False
    rivals = [[other.at(frame) for frame in frames] for other in others] + [[thing] * len(frames) for thing in still.objects]
    return all(
        sum(covered(mover.at(frame), rival[frame]) > MAX_OVERLAP for frame in frames) <= OCCLUDED_FRAMES for rival in rivals
    )


def covered(one: SceneObject | Box, two: SceneObject | Box) -> float:
    """Shared area of two boxes over the area of the smaller one."""
    wide = min(one.cx + one.width / 2, two.cx + two.width / 2) - max(one.cx - one.width / 2, two.cx - two.width / 2)
    high = min(one.cy + one.height / 2, two.cy + two.height / 2) - max(one.cy - one.height / 2, two.cy - two.height / 2)
    return max(wide, 0.0) * max(high, 0.0) / min(one.width * one.height, two.width * two.height)


def _in_view(thing: SceneObject) -> Box | None:
    left, right = max(thing.cx - thing.width / 2, 0.0), min(thing.cx + thing.width / 2, float(PICTURE_SIDE))
    top, bottom = max(thing.cy - thing.height / 2, 0.0), min(thing.cy + thing.height / 2, float(PICTURE_SIDE))
    wide, high = max(right - left, 0.0), max(bottom - top, 0.0)
    if wide * high < SEEN_SHARE * thing.width * thing.height:
        return None
    return Box(thing.label, thing.colour, (left + right) / 2, (top + bottom) / 2, wide, high, 1.0, thing.subject)


def _inside(thing: SceneObject, side: int) -> bool:
    return thing.left >= 0 and thing.left + thing.width <= side and thing.top >= 0 and thing.top + thing.height <= side


def _snapped(centre: float, size: float) -> float:
    """The centre at which a box of whole size begins at a whole pixel."""
    return math.floor(centre - size / 2 + 0.5) + size / 2
