"""Comparisons at equal cost: what fixed choices, or an oracle over them, reach with exactly what a choice spent.

Everything here is a loss (lower is better) against a cost, for k fixed choices over the same n requests. What is reached is
given as a *contrast*: one value a request whose mean is the loss reached, with the influence of each request on it (the delta
method), so that resampling requests resamples the choice's spending, the mix and its losses together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Mix:
    """Time sharing: a share ``share`` of the requests by fixed choice ``second``, the others by ``first``.

    Attributes:
        first: Index of the cheaper choice.
        second: Index of the dearer one; equal to ``first`` where one choice does it alone.
        share: In [0, 1].
        value: Loss reached, one value a request; see the module.
        covered: Whether the spending reaches the cheapest choice; if not, the mix is that choice, which spends more.
    """

    first: int
    second: int
    share: float
    value: np.ndarray
    covered: bool


def hull(losses: Sequence[float], costs: Sequence[float]) -> list[int]:
    """Indices of the corners of the lower convex hull of (cost, loss) points, by rising cost and falling loss."""
    corners: list[int] = []
    for index in sorted(range(len(costs)), key=lambda i: (costs[i], losses[i])):
        if corners and losses[index] >= losses[corners[-1]]:
            continue
        while len(corners) > 1:
            a, b = corners[-2], corners[-1]
            if (losses[b] - losses[a]) * (costs[index] - costs[a]) < (losses[index] - losses[a]) * (costs[b] - costs[a]):
                break
            corners.pop()
        corners.append(index)
    return corners


def time_sharing(losses: np.ndarray, costs: np.ndarray, spent: np.ndarray) -> Mix:
    """The best time sharing of fixed choices that spends what another choice spent: the lower convex hull at its mean cost.

    With corners i and j around the budget B, ``a = (B - C_i) / (C_j - C_i)`` and ``s = (L_j - L_i) / (C_j - C_i)``, the loss
    is ``(1 - a) L_i + a L_j`` and a request's value ``(1 - a) l_i + a l_j + s (spent - (1 - a) c_i - a c_j)``.

    Args:
        losses: Shape (k, n).
        costs: Shape (k, n).
        spent: Shape (n,).
    """
    mean_loss, mean_cost, budget = losses.mean(axis=1), costs.mean(axis=1), float(spent.mean())
    corners = hull(mean_loss.tolist(), mean_cost.tolist())
    after = next((place for place, corner in enumerate(corners) if mean_cost[corner] > budget), len(corners))
    if after in (0, len(corners)):  # cheaper than the cheapest, or able to pay for the best
        only = corners[0] if after == 0 else corners[-1]
        return Mix(only, only, 0.0, losses[only], after > 0)
    i, j = corners[after - 1], corners[after]
    share = float((budget - mean_cost[i]) / (mean_cost[j] - mean_cost[i]))
    slope = (mean_loss[j] - mean_loss[i]) / (mean_cost[j] - mean_cost[i])
    loss, cost = ((1.0 - share) * of[i] + share * of[j] for of in (losses, costs))
    return Mix(i, j, share, loss + slope * (spent - cost), True)


def hindsight(losses: np.ndarray, costs: np.ndarray, spent: np.ndarray) -> np.ndarray:
    """Loss of the oracle that knows all outcomes and spends, on average, no more than another choice did.

    Over allocations of fixed choices to requests, ``min mean(loss)`` with ``mean(cost) <= B`` has the dual
    ``max over p >= 0 of mean(min_k (l_k + p c_k)) - p B`` (a linear program: at most one request is shared between two choices).
    A request's value is ``min_k (l_k + p c_k) - p spent`` at the best price p. It is exact as far as requests do not
    meet: a fixed choice's outcome is taken from the run in which all requests were handled by that choice, with its queues and
    knowledge.

    Args:
        losses: Shape (k, n).
        costs: Shape (k, n).
        spent: Shape (n,).
    """
    budget = float(spent.mean())
    price = _price(losses, costs, budget)
    if price is None:  # even the cheapest choice of every request is dearer
        cheapest = costs.min(axis=0)
        return np.asarray(np.where(costs <= cheapest, losses, np.inf).min(axis=0))
    return np.asarray((losses + price * costs).min(axis=0) - price * spent)


def _price(losses: np.ndarray, costs: np.ndarray, budget: float) -> float | None:
    """Price of cost at which the oracle spends the budget; 0 if it spends less anyway, None if it cannot spend so little."""

    def spends(price: float) -> float:
        worth = losses + price * costs
        return float(np.where(worth <= worth.min(axis=0), costs, np.inf).min(axis=0).mean())

    if spends(0.0) <= budget:
        return 0.0
    if costs.min(axis=0).mean() > budget:
        return None
    low, high = 0.0, 1.0
    while spends(high) > budget and high < 1e12:
        low, high = high, 2.0 * high
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if spends(middle) > budget else (low, middle)
    return high


def frontier_of_hindsight(losses: np.ndarray, costs: np.ndarray, points: int = 24) -> list[tuple[float, float]]:
    """(mean cost, mean loss) of the hindsight oracle at budgets from the least it can spend to what the best outcome takes."""
    best = np.where(losses <= losses.min(axis=0), costs, np.inf).min(axis=0).mean()
    found = []
    for budget in np.linspace(costs.min(axis=0).mean(), best, points):
        value = hindsight(losses, costs, np.full(losses.shape[1], budget))
        found.append((float(budget), float(value.mean())))
    return found
