"""The tuned baseline: the fixed choice that does best on seeds that are not compared."""

from collections.abc import Sequence
from dataclasses import dataclass

from .cells import Cell
from .objectives import Objective, with_derived
from .statistics import Paired, mean, paired

TUNING_OFFSET = 10_000
"""Tuning seeds are the scenario's seed plus this, and on from there."""


@dataclass(frozen=True)
class Tuned:
    """Fixed choices on the tuning seeds: the best by the objective, and their mean losses (lower is better).

    ``losses`` are by the objective's metric, ``plane_losses`` by the quality of its plane (empty if it has none): by these the
    best choice within a cost is found.
    """

    best: str
    losses: dict[str, float]
    plane_losses: dict[str, float]


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
    losses = _mean_losses(data, objective.metric, objective.higher_is_better)
    plane = objective.plane
    return Tuned(
        min(points, key=lambda point: losses[point]),
        losses,
        _mean_losses(data, plane.quality, plane.higher_is_better) if plane else {},
    )


def _mean_losses(data: Paired, metric: str, higher_is_better: bool) -> dict[str, float]:
    found = {point: mean(data.row(point, metric)) or 0.0 for point in data.points}
    return {point: -value if higher_is_better else value for point, value in found.items()}
