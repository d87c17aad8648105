"""A contest in the plane of quality and cost: each choice beside fixed ones that cost the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .equal_cost import frontier_of_hindsight, hindsight, hull, time_sharing
from .objectives import Plane
from .statistics import Paired, mean


@dataclass(frozen=True)
class Rival:
    """What fixed choices reach with what a choice spent.

    Attributes:
        point: The choice.
        against: What the rival is called.
        single: One fixed choice, not time sharing between two.
        loss: What it reaches, one value a request, see `equal_cost`.
        cost: Its mean cost.
        covered: Whether it costs no more than the choice; if not, no fixed choice is as cheap.
    """

    point: str
    against: str
    single: bool
    loss: np.ndarray
    cost: float
    covered: bool


class PlaneView:
    """The fixed choices on the compared seeds, in the plane.

    Args:
        data: All points.
        plane: Quality and cost.
        fixed: Names of the fixed choices.
        tuned: Their mean losses on the tuning seeds, by which the best one within a cost is picked.
    """

    def __init__(self, data: Paired, plane: Plane, fixed: Sequence[str], tuned: Mapping[str, float]) -> None:
        self.plane = plane
        self._data, self._names, self._tuned = data, list(fixed), tuned
        self._losses = np.array([self.loss(name) for name in fixed])
        self._costs = np.array([self.cost(name) for name in fixed])

    def loss(self, point: str) -> np.ndarray:
        """A point's quality by request, so that lower is better."""
        return np.asarray(self.plane.sign * self._data.row(point, self.plane.quality))

    def cost(self, point: str) -> np.ndarray:
        """A point's cost by request."""
        return self._data.row(point, self.plane.cost)

    def rivals(self, point: str) -> list[Rival]:
        """The best fixed choice that costs no more than a point, and the best time sharing of two that costs the same."""
        names, losses, costs, spent = self._names, self._losses, self._costs, self.cost(point)
        means = costs.mean(axis=1)
        affordable = [k for k in range(len(names)) if means[k] <= spent.mean() * (1 + 1e-9)]
        best = min(affordable or [int(means.argmin())], key=lambda k: self._tuned.get(names[k], 0.0))
        mix = time_sharing(losses, costs, spent)
        first, second = plain(names[mix.first]), plain(names[mix.second])
        parts = f"{first} {1 - mix.share:.0%}, {second} {mix.share:.0%}" if 0.005 < mix.share < 0.995 else first
        parts = second if mix.share >= 0.995 else parts
        at, cheaper = self.plane.name, "best fixed of no higher cost"
        mixed = float((1 - mix.share) * means[mix.first] + mix.share * means[mix.second])
        return [
            Rival(point, f"{cheaper} ({plain(names[best])})", True, losses[best], float(means[best]), bool(affordable)),
            Rival(point, f"time sharing {at} ({parts})", False, mix.value, mixed, mix.covered),
        ]

    def difference(self, rival: Rival) -> np.ndarray:
        """Quality of a choice less that of its rival, by request."""
        return np.asarray(self.plane.sign * (self.loss(rival.point) - rival.loss))

    def hindsight(self, point: str) -> np.ndarray:
        """Loss of the oracle in hindsight that spends what a point spent, by request."""
        return hindsight(self._losses, self._costs, self.cost(point))

    def row(self, rival: Rival) -> dict[str, Any]:
        """Means of a choice and its rival."""
        return {
            "metric": self.plane.quality,
            "against": rival.against,
            "mean": mean(self._data.row(rival.point, self.plane.quality)),
            "rival_mean": mean(self.plane.sign * rival.loss),
            "cost_is": self.plane.cost,
            "cost": mean(self.cost(rival.point)),
            "rival_cost": rival.cost,
            "cheaper_than_all": not rival.covered,
        }

    def picture(self, labels: Mapping[str, str]) -> dict[str, Any]:
        """What the figure shows: fixed choices, their hull, the oracle in hindsight, and the labelled points."""
        sign = self.plane.sign
        costs, losses = self._costs.mean(axis=1).tolist(), self._losses.mean(axis=1).tolist()
        return {
            "quality": self.plane.quality,
            "cost": self.plane.cost,
            "fixed": [
                {"fixed": name, "cost": cost, "quality": sign * loss}
                for name, cost, loss in zip(self._names, costs, losses, strict=True)
            ],
            "hull": [(costs[k], sign * losses[k]) for k in hull(losses, costs)],
            "hindsight": [(cost, sign * loss) for cost, loss in frontier_of_hindsight(self._losses, self._costs)],
            "choices": [
                {"choice": label, "cost": mean(self.cost(point)), "quality": mean(self._data.row(point, self.plane.quality))}
                for point, label in labels.items()
            ],
        }


def plain(name: str) -> str:
    """A fixed choice without the policy's name: ``"fixed:codec=a"`` -> ``"codec=a"``."""
    return name.replace("fixed:", "")
