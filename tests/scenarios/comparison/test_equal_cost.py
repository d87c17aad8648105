"""What fixed choices reach at equal cost, against brute force and linear programs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from semcast.bus import keys
from semcast.scenarios.comparison.equal_cost import frontier_of_hindsight, hindsight, hull, time_sharing
from semcast.scenarios.comparison.statistics import Resamples

POINTS = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 40)), min_size=1, max_size=8)


def shared(losses: np.ndarray, costs: np.ndarray, budget: float) -> float:
    """Least mean loss of any sharing of time among choices that costs at most the budget."""
    k = len(losses)
    found = linprog(losses, A_ub=[costs], b_ub=[budget], A_eq=[np.ones(k)], b_eq=[1.0], bounds=(0, 1))
    return float(found.fun)


@settings(max_examples=60, deadline=None)
@given(POINTS, st.floats(0.0, 1.0))
def test_the_hull_is_the_best_time_sharing(points: list[tuple[int, int]], place: float) -> None:
    costs, losses = np.array(points, dtype=float).T
    budget = costs.min() + place * (costs.max() - costs.min())
    mix = time_sharing(losses[:, None], costs[:, None], np.array([budget]))
    assert mix.value.mean() == pytest.approx(shared(losses, costs, budget), abs=1e-7)
    assert (1 - mix.share) * costs[mix.first] + mix.share * costs[mix.second] <= budget + 1e-9
    corners = hull(losses.tolist(), costs.tolist())
    assert sorted(costs[corners]) == list(costs[corners])
    assert sorted(losses[corners], reverse=True) == list(losses[corners])


def test_a_spending_below_the_cheapest_choice_is_not_covered() -> None:
    losses, costs = np.array([[0.5, 0.5], [0.1, 0.1]]), np.array([[10.0, 10.0], [20.0, 20.0]])
    mix = time_sharing(losses, costs, np.array([5.0, 5.0]))
    assert (mix.first, mix.second, mix.covered) == (0, 0, False)
    assert time_sharing(losses, costs, np.array([25.0, 25.0])).covered


def allocated(losses: np.ndarray, costs: np.ndarray, budget: float) -> float:
    """Least mean loss over shares of choices for each request, at most one of each request in all, within a mean cost."""
    k, n = losses.shape
    each = np.kron(np.eye(n), np.ones(k))
    found = linprog(losses.T.ravel() / n, A_ub=[costs.T.ravel() / n], b_ub=[budget], A_eq=each, b_eq=np.ones(n), bounds=(0, 1))
    return float(found.fun)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.0, 1.2))
def test_hindsight_is_the_best_allocation_within_the_spending(key: int, place: float) -> None:
    rng = keys.generator("test", "hindsight", key)
    losses, costs = rng.random((4, 7)), rng.integers(10, 200, (4, 7)).astype(float)
    budget = costs.min(axis=0).mean() + place * (costs.max() - costs.min(axis=0).mean())
    spent = rng.random(7)
    spent *= budget / spent.mean()
    assert hindsight(losses, costs, spent).mean() == pytest.approx(allocated(losses, costs, budget), abs=1e-7)


def test_hindsight_with_too_little_takes_the_cheapest_of_every_request() -> None:
    losses, costs = np.array([[0.3, 0.9], [0.1, 0.2]]), np.array([[10.0, 20.0], [20.0, 10.0]])
    assert hindsight(losses, costs, np.array([1.0, 1.0])).tolist() == [0.3, 0.2]


def test_more_budget_never_makes_hindsight_worse() -> None:
    rng = keys.generator("test", "frontier")
    found = frontier_of_hindsight(rng.random((5, 30)), rng.integers(10, 99, (5, 30)).astype(float))
    costs, losses = zip(*found, strict=True)
    assert list(costs) == sorted(costs)
    assert all(after <= before + 1e-9 for before, after in zip(losses, losses[1:], strict=False))


def test_contrasts_move_as_recomputed_resamples_do() -> None:
    """The delta method: bootstrap means of the fixed linear form spread like the hull found anew in every resample."""
    rng = keys.generator("test", "delta")
    n = 400
    costs = np.array([60.0, 120.0, 260.0])[:, None] * (1 + 0.3 * rng.random((3, n)))
    losses = np.clip(np.array([0.5, 0.3, 0.2])[:, None] + 0.15 * rng.standard_normal((3, n)), 0, 1)
    spent = 100.0 * (1 + 0.5 * rng.random(n))
    own = np.clip(0.32 + 0.15 * rng.standard_normal(n), 0, 1)
    resamples = Resamples(np.zeros(n, dtype=int), 400)
    for reached, again in (
        (time_sharing(losses, costs, spent).value, lambda *of: time_sharing(*of).value),
        (hindsight(losses, costs, spent), hindsight),
    ):
        linear = resamples.means((own - reached)[None, :])[:, 0]
        exact = []
        for counts in resamples._counts[0][:400].astype(int):
            picked = np.repeat(np.arange(n), counts)
            exact.append((own[picked] - again(losses[:, picked], costs[:, picked], spent[picked])).mean())
        assert np.std(linear) == pytest.approx(np.std(exact), rel=0.1)
        assert np.mean(linear) == pytest.approx(np.mean(exact), abs=0.15 * np.std(exact))
