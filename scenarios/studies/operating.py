"""Operating points of schemes, and which of them a scheme should take to bring a picture across well enough.

A point is one run: everything that its pictures cost and how good they were. Two points can be mixed: a share of the pictures is
sent by the one, the others by the other; cost and quality of the mix are then straight lines between those of the two. So schemes
whose codecs have other rates are compared at exactly equal quality.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...bus import keys
from .inference import expanded_tail

RESAMPLES = 2000


@dataclass(frozen=True)
class Point:
    """One run of a scheme.

    Attributes:
        name: Of the arm.
        family: What is compared.
        columns: Name -> value of each picture, (n,), pictures in one order for all points: ``down`` and ``up`` (complex channel
            uses, everything that the picture cost there), ``recovery``, ``iou50``, ``psnr_db`` (to the intended picture).
        tuned: (n,) bool: pictures by which operating points are chosen; the others are those that are compared.
    """

    name: str
    family: str
    columns: dict[str, np.ndarray]
    tuned: np.ndarray

    def mean(self, column: str) -> float:
        """Over the pictures that operating points are chosen by; ``total`` is up and down."""
        return float(self.column(column)[self.tuned].mean())

    def column(self, name: str) -> np.ndarray:
        """Of all pictures."""
        return self.columns["up"] + self.columns["down"] if name == "total" else self.columns[name]


@dataclass(frozen=True)
class Mix:
    """``share`` of the pictures by ``second``, the others by ``first``; ``reached``: whether that is good enough."""

    first: Point
    second: Point
    share: float
    reached: bool = True

    def values(self, column: str) -> np.ndarray:
        """Expected value of each picture that is compared, (n,)."""
        held = ~self.first.tuned
        return np.asarray((1 - self.share) * self.first.column(column)[held] + self.share * self.second.column(column)[held])

    @property
    def main(self) -> Point:
        """The point that most pictures are sent by."""
        return self.second if self.share >= 0.5 else self.first

    @property
    def words(self) -> str:
        """For people."""
        if self.share in (0.0, 1.0):
            return self.main.name
        return f"{1 - self.share:.0%} {self.first.name}, {self.share:.0%} {self.second.name}"


def choose(qualities: np.ndarray, costs: np.ndarray, target: float) -> tuple[int, int, float, bool]:
    """The mix of least cost whose quality is at least the target.

    Args:
        qualities: Of each point, (points,).
        costs: Likewise.
        target: What has to be reached.

    Returns:
        (first, second, share of the second, whether the target is reached); where no point reaches it, the best one alone.
    """
    best = int(np.argmax(qualities))
    if qualities[best] < target:
        return best, best, 1.0, False
    found = []
    for first, low in enumerate(qualities):
        for second, high in enumerate(qualities):
            if low < target <= high or low >= target:
                share = 0.0 if low >= target else float((target - low) / (high - low))
                found.append(((1 - share) * costs[first] + share * costs[second], first, second, share))
    _, first, second, share = min(found)
    return first, second, share, True


def cheapest(points: Sequence[Point], quality: str, target: float) -> Mix:
    """The mix of least mean air (up and down together) whose mean ``quality`` reaches the target on the tuning pictures."""
    qualities, costs = (np.array([point.mean(column) for point in points]) for column in (quality, "total"))
    first, second, share, reached = choose(qualities, costs, target)
    return Mix(points[first], points[second], share, reached)


def ratio(
    above: Sequence[Point], below: Sequence[Point], quality: str, target: float, column: str, *key: keys.Key
) -> tuple[float, float, float]:
    """Ratio of two schemes' mean costs at equal quality, with a 95 % interval (bootstrap, as `inference`).

    Pictures by which operating points are chosen and those that are compared are resampled, each for themselves, and the points
    chosen anew every time: the interval holds the uncertainty of the choice, too.

    Args:
        above: Points of the one scheme.
        below: Of the other.
        quality: Column that both have to bring to the target.
        target: See `choose`.
        column: The cost that is compared.
        *key: What the draw belongs to.
    """
    rng = keys.generator("operating points", *key)
    tuned = above[0].tuned
    sizes = int(tuned.sum()), int((~tuned).sum())
    picked = [rng.integers(0, size, (RESAMPLES, size)) for size in sizes]
    parts = []
    for points in (above, below):
        value = cheapest(points, quality, target).values(column).mean()
        chosen_by = [np.array([p.column(name)[tuned][picked[0]].mean(axis=1) for p in points]) for name in (quality, "total")]
        costs = np.array([p.column(column)[~tuned][picked[1]].mean(axis=1) for p in points])
        sampled = np.empty(RESAMPLES)
        for draw in range(RESAMPLES):
            first, second, share, _ = choose(chosen_by[0][:, draw], chosen_by[1][:, draw], target)
            sampled[draw] = (1 - share) * costs[first, draw] + share * costs[second, draw]
        parts.append((value, sampled))
    tail = expanded_tail(min(sizes))
    low, high = np.quantile(parts[0][1] / parts[1][1], (tail, 1 - tail))
    return float(parts[0][0] / parts[1][0]), float(low), float(high)


def common_target(families: Sequence[Sequence[Point]], quality: str, step: float) -> float:
    """The highest quality, in whole steps, that every scheme reaches with some point on the tuning pictures."""
    reached = min(max(point.mean(quality) for point in points) for points in families)
    return float(np.floor(reached / step) * step)
