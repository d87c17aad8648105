"""Cost against recovery: each scheme's frontier, and the ratio of two schemes' costs at equal recovery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .statistics import Paired, Resamples, interval

COSTS = ("symbols_total", "symbols_up", "symbols_down")


@dataclass(frozen=True)
class Ratio:
    """Cost of ``second`` over the cost of ``first`` where both reach ``recovery``: above 1, ``first`` is cheaper.

    The interval is of 95 %, at a fixed recovery; resamples in which a scheme does not reach it count for its dearest point.
    """

    cost: str
    first: str
    second: str
    recovery: float
    ratio: float
    low: float | None
    high: float | None


def frontier(costs: np.ndarray, recoveries: np.ndarray) -> list[int]:
    """Indices of the points that no other point beats in both, by rising cost."""
    chosen: list[int] = []
    best = -np.inf
    for index in np.lexsort((-recoveries, costs)):
        if recoveries[index] > best:
            chosen.append(int(index))
            best = float(recoveries[index])
    return chosen


def cost_at(recovery: float, costs: np.ndarray, recoveries: np.ndarray) -> float:
    """Cost at a recovery, straight along the frontier in log cost; below the cheapest point its cost, nan above the best."""
    chosen = frontier(costs, recoveries)
    x, y = recoveries[chosen], np.log(costs[chosen])
    if recovery > x[-1] + 1e-12:
        return float("nan")
    return float(np.exp(np.interp(recovery, x, y)))


def ratios(data: Paired, schemes: Mapping[str, Sequence[int]], resamples: Resamples, levels: int = 3) -> list[Ratio]:
    """Ratios between the first two schemes at up to ``levels`` recoveries that both reach, for each cost.

    Args:
        data: All points.
        schemes: Scheme -> indices of its points.
        resamples: The draws.
        levels: Recoveries between the higher of the two lowest and the lower of the two highest.

    Returns:
        Empty where the two ranges of recovery do not meet.
    """
    first, second = list(schemes)[:2]
    recovery = data.values["object_recovery"].mean(axis=1)
    high = min(recovery[list(schemes[name])].max() for name in (first, second))
    low = max(recovery[list(schemes[name])].min() for name in (first, second))
    if high < low:
        return []
    units = resamples.units(data.values["object_recovery"])
    sampled_recovery = resamples.means(data.values["object_recovery"])
    found = []
    for cost in COSTS:
        if not (data.values[cost].mean(axis=1) > 0).all():
            continue
        sampled_cost = resamples.means(data.values[cost])
        for level in np.unique(np.linspace(low, high, levels)):
            mean = _ratio(level, data.values[cost].mean(axis=1), recovery, schemes[first], schemes[second])
            samples = [
                _ratio(level, c, r, schemes[first], schemes[second]) for c, r in zip(sampled_cost, sampled_recovery, strict=True)
            ]
            bounds = interval(np.array(samples), units) or (None, None)
            found.append(Ratio(cost, first, second, float(level), mean, *bounds))
    return found


def _ratio(level: float, costs: np.ndarray, recoveries: np.ndarray, first: Sequence[int], second: Sequence[int]) -> float:
    ends = []
    for indices in (list(first), list(second)):
        own = min(level, float(recoveries[indices].max()))
        ends.append(cost_at(own, costs[indices], recoveries[indices]))
    return ends[1] / ends[0]
