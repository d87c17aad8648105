"""Where things go when a prompt does not say: a planner that draws sizes from statistics and avoids overlap."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ....bus import keys
from ..roles import PICTURE_SIDE, Box

_TRIES = 60


@dataclass(frozen=True)
class SizeStatistics:
    """Sizes measured on training scenes.

    Attributes:
        sides: Number of objects -> mean and deviation of the geometric mean of width and height, pixels.
        aspects: Class -> mean of width over height.
    """

    sides: Mapping[int, tuple[float, float]]
    aspects: Mapping[str, float]

    def draw(self, label: str, number: int, rng: np.random.Generator) -> tuple[float, float]:
        """Width and height in pixels of an object of the class among `number` objects."""
        mean, deviation = self.sides[min(self.sides, key=lambda known: abs(known - number))]
        side = mean + deviation * float(np.clip(rng.standard_normal(), -1.5, 1.5))
        stretch = self.aspects.get(label, 1.0) ** 0.5
        return min(max(side * stretch, 8.0), 32.0), min(max(side / stretch, 8.0), 32.0)


def measure(scenes: Sequence[Sequence[Box]]) -> SizeStatistics:
    """Size statistics of the boxes of many scenes."""
    sides: dict[int, list[float]] = {}
    aspects: dict[str, list[float]] = {}
    for boxes in scenes:
        for box in boxes:
            sides.setdefault(len(boxes), []).append((box.width * box.height) ** 0.5)
            aspects.setdefault(box.label, []).append(box.width / box.height)
    return SizeStatistics(
        {number: (round(float(np.mean(v)), 2), round(float(np.std(v)), 2)) for number, v in sorted(sides.items())},
        {label: round(float(np.mean(v)), 3) for label, v in sorted(aspects.items())},
    )


def missing(mentioned: Sequence[Box], boxes: Sequence[Box]) -> list[Box]:
    """What a caption mentions beyond the given boxes, by class; a box without a class stands for anything."""
    left = Counter(box.label for box in boxes)
    rest = []
    for thing in mentioned:
        if left[thing.label] > 0:
            left[thing.label] -= 1
        elif left[""] > 0:
            left[""] -= 1
        else:
            rest.append(thing)
    return rest


def plan(things: Sequence[Box], boxes: Sequence[Box], statistics: SizeStatistics, *key: keys.Key) -> list[Box]:
    """Find room for `things` beside `boxes`.

    Args:
        things: What is to be placed; only label, colour and subject are read.
        boxes: What has a place already.
        statistics: Sizes to draw from.
        *key: What the plan is for, such as a seed.

    Returns:
        `boxes` followed by the placed things, each at the least crowded of a number of places.
    """
    rng = keys.generator(*key, "layout")
    placed = list(boxes)
    number = len(things) + len(boxes)
    for thing in things:
        candidates = [_candidate(thing, number, statistics, rng) for _ in range(_TRIES)]
        crowding = [sum(_overlap(candidate, other) for other in placed) for candidate in candidates]
        placed.append(candidates[int(np.argmin(crowding))])
    return placed


def _candidate(thing: Box, number: int, statistics: SizeStatistics, rng: np.random.Generator) -> Box:
    width, height = statistics.draw(thing.label, number, rng)
    cx = float(rng.uniform(width / 2, PICTURE_SIDE - width / 2))
    cy = float(rng.uniform(height / 2, PICTURE_SIDE - height / 2))
    return Box(thing.label, thing.colour, cx, cy, width, height, thing.score, thing.subject)


def _overlap(a: Box, b: Box) -> float:
    """Shared area of two boxes, in square pixels, with a margin of one pixel around."""
    wide = min(a.cx + a.width / 2, b.cx + b.width / 2) - max(a.cx - a.width / 2, b.cx - b.width / 2) + 1
    high = min(a.cy + a.height / 2, b.cy + b.height / 2) - max(a.cy - a.height / 2, b.cy - b.height / 2) + 1
    return max(wide, 0.0) * max(high, 0.0)
