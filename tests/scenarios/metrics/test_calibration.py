"""Rank correlation of noise estimates: the closed form, what has none, and its interval."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.scenarios.metrics import calibration
from semcast.scenarios.metrics.calibration import rank_correlation, rank_interval


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=10, max_size=40, unique_by=(lambda p: p[0], lambda p: p[1]))
)
def test_against_the_closed_form_without_ties(points) -> None:
    pairs = np.array(points)
    ranks = pairs.argsort(axis=0).argsort(axis=0)
    n, d = len(pairs), ranks[:, 0] - ranks[:, 1]
    assert rank_correlation(pairs) == pytest.approx(1 - 6 * float((d**2).sum()) / (n * (n * n - 1)))


def test_few_or_constant_estimates_give_none() -> None:
    line = np.linspace(0, 1, 20)
    assert rank_correlation(np.stack([line, line**3], 1)) == pytest.approx(1.0)
    assert rank_correlation(np.stack([line, line], 1)[:9]) is None
    assert rank_correlation(np.stack([np.zeros(20), line], 1)) is None


def test_the_interval_holds_the_value() -> None:
    x = np.linspace(0, 1, 60)
    pairs = np.stack([x, (x * 7.3) % 1.0 * 0.3 + x], 1)
    low, high = rank_interval(pairs)
    assert low < rank_correlation(pairs) < high <= 1.0
    assert rank_interval(pairs) == (low, high)


def test_intervals_of_many_requests_are_those_of_resampling(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal(600)
    pairs = np.stack([x, 0.6 * x + rng.standard_normal(600)], axis=1)
    resampled = rank_interval(pairs)
    monkeypatch.setattr(calibration, "MANY", 600)
    approximate = rank_interval(pairs)
    assert approximate != resampled
    assert approximate == pytest.approx(resampled, abs=0.02)
    assert rank_interval(np.stack([x, x], axis=1)) == pytest.approx((1.0, 1.0))
