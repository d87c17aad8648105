"""Paired differences and their intervals, by resampling requests within seeds, and seeds where there are several."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...bus import keys
from .cells import COLUMNS, Cell

RESAMPLES = 2000


@dataclass(frozen=True)
class Paired:
    """Cells of all points, by request: ``values[column]`` has shape (points, requests); ``seeds`` the seed of each request.

    A request belongs to all points: the same user takes the same picture at the same time whatever the network does, so
    that differences are taken request by request (common random numbers).
    """

    points: tuple[str, ...]
    seeds: np.ndarray
    values: dict[str, np.ndarray]


def paired(points: Sequence[str], cells: Sequence[Cell]) -> Paired:
    """Join cells by seed and request; requests that some point lacks (none, normally) are left out."""
    by_place = {(cell.point, cell.seed): cell for cell in cells}
    seeds = sorted(dict.fromkeys(cell.seed for cell in cells))
    columns: dict[str, list[list[float]]] = {column: [[] for _ in points] for column in COLUMNS}
    owner: list[int] = []
    for seed in seeds:
        rows = [{request: i for i, request in enumerate(by_place[point, seed].requests)} for point in points]
        common = [request for request in by_place[points[0], seed].requests if all(request in row for row in rows)]
        owner += [seed] * len(common)
        for column, p in ((column, p) for column in COLUMNS for p in range(len(points))):
            values = by_place[points[p], seed].values[column]
            columns[column][p] += [values[rows[p][request]] for request in common]
    return Paired(tuple(points), np.array(owner), {column: np.array(values) for column, values in columns.items()})


def resamples(seeds: np.ndarray, number: int = RESAMPLES) -> np.ndarray:
    """Bootstrap weights of shape (number, requests), rows summing to the number of requests drawn.

    With several seeds, seeds are drawn first (a run's requests share its fading and queues), then requests within each.
    """
    rng = keys.generator("compare", "bootstrap", len(seeds), number)
    names = np.unique(seeds)
    members = [np.flatnonzero(seeds == name) for name in names]
    weights = np.zeros((number, len(seeds)))
    for k in range(number):
        drawn = rng.integers(len(names), size=len(names)) if len(names) > 1 else np.zeros(1, dtype=int)
        for which in drawn:
            inside = members[which]
            np.add.at(weights[k], inside[rng.integers(len(inside), size=len(inside))], 1.0)
    return weights


def means(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted means: values (points, requests) and weights (resamples, requests) -> (resamples, points)."""
    return np.asarray(weights @ values.T / weights.sum(axis=1, keepdims=True))


def interval(samples: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of samples."""
    low, high = np.percentile(samples, (2.5, 97.5))
    return float(low), float(high)


def differences(data: Paired) -> list[dict[str, float | str | int]]:
    """For each point and metric: mean, paired difference to the first point and its 95 % interval."""
    weights = resamples(data.seeds)
    seeds = len(np.unique(data.seeds))
    rows: list[dict[str, float | str | int]] = []
    for p, point in enumerate(data.points):
        for column, values in data.values.items():
            change = values[p] - values[0]
            low, high = interval(means(change[None, :], weights))
            rows.append(
                {
                    "choice": point,
                    "metric": column,
                    "mean": float(values[p].mean()),
                    "difference": float(change.mean()),
                    "low": low,
                    "high": high,
                    "seeds": seeds,
                }
            )
    return rows
