"""Intervals of studies against closed forms."""

import math

import numpy as np
import pytest
from scipy import stats
from semcast.bus import keys
from semcast.scenarios.studies.inference import bootstrap, difference, mean, ratio, share


def test_the_interval_of_a_mean_is_that_of_the_normal_law_for_many_samples() -> None:
    values = keys.generator("inference", 1).normal(5.0, 2.0, 2000)
    value, low, high = mean(values.tolist(), 1)
    assert value == pytest.approx(values.mean())
    half = 1.96 * values.std(ddof=1) / math.sqrt(len(values))
    assert (high - low) / 2 == pytest.approx(half, rel=0.06)
    assert (high + low) / 2 == pytest.approx(value, abs=0.1 * half)


def test_pairs_stay_pairs() -> None:
    """Two columns that differ by a constant: the difference has no spread at all, whatever theirs is."""
    first = keys.generator("inference", 2).normal(0.0, 100.0, 60)
    assert difference((first + 3.0).tolist(), first.tolist(), 1) == pytest.approx((3.0, 3.0, 3.0))
    assert ratio((2.0 * first + 1e3).tolist(), (first + 5e2).tolist(), 1) == pytest.approx((2.0, 2.0, 2.0))


def test_the_interval_of_a_ratio_is_that_of_the_delta_method_for_many_samples() -> None:
    rng = keys.generator("inference", 3)
    second = rng.gamma(20.0, 1.0, 3000)
    first = 2.0 * second + rng.normal(0.0, 3.0, 3000)
    value, low, high = ratio(first.tolist(), second.tolist(), 1)
    residual = (first - value * second) / second.mean()
    assert (high - low) / 2 == pytest.approx(1.96 * residual.std(ddof=1) / math.sqrt(3000), rel=0.08)


def test_intervals_repeat_and_belong_to_their_key() -> None:
    values = keys.generator("inference", 4).normal(0.0, 1.0, 50).tolist()
    assert mean(values, 7, "a") == mean(values, 7, "a")
    assert mean(values, 7, "a")[1:] != mean(values, 7, "b")[1:]


def test_a_share_has_the_wilson_interval() -> None:
    for successes, number in ((0, 10), (3, 10), (10, 10), (457, 1000)):
        expected = stats.binomtest(successes, number).proportion_ci(0.95, method="wilson")
        assert share(successes, number)[1:] == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert math.isnan(share(0, 0)[0])


def test_without_units_there_is_no_number() -> None:
    assert all(math.isnan(value) for value in bootstrap(lambda means: means[0], np.empty((1, 0)), 1))
