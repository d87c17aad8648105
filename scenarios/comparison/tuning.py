"""The tuned baseline: the fixed choice that does best on seeds that are not compared."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .cells import Cell
from .objectives import Objective, with_derived
from .statistics import paired

TUNING_OFFSET = 10_000
"""Tuning seeds are the scenario's seed plus this, and on from there."""


@dataclass(frozen=True)
class Tuned:
    """Fixed choices on the tuning seeds: their mean loss (the objective, lower is better), and the best of them."""

    best: str
    losses: dict[str, float]


def tuning_seeds(base: int, number: int) -> range:
    """Seeds for tuning; they meet no compared seed while fewer than `TUNING_OFFSET` are compared."""
    return range(base + TUNING_OFFSET, base + TUNING_OFFSET + number)


def tune(points: Sequence[str], cells: Sequence[Cell], objective: Objective, price_db: float) -> Tuned:
    """Rank fixed choices by the objective; of equals the first is the best.

    Args:
        points: Names of the fixed choices.
        cells: Their cells on the tuning seeds.
        objective: What is tuned for.
        price_db: See `objectives.with_derived`.
    """
    data = with_derived(paired(points, cells), price_db)
    values = data.values[objective.metric]
    finite = values[:, np.isfinite(values).any(axis=0)]
    means = finite.mean(axis=1) if finite.shape[1] else np.zeros(len(points))
    losses = {point: float(-value if objective.higher_is_better else value) for point, value in zip(points, means, strict=True)}
    return Tuned(min(points, key=lambda point: losses[point]), losses)
