"""Intervals of studies against closed forms."""

import math

import numpy as np
import pytest
from scipy import stats
from semcast.bus import keys
from semcast.scenarios.studies.inference import bootstrap, difference, expanded_tail, mean, ratio, share


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


def test_intervals_of_few_samples_cover_what_they_promise() -> None:
    """The plain percentile interval of eight normal values covers 88 %."""
    rng = keys.generator("inference", 5)
    inside = 0
    for trial in range(400):
        _, low, high = mean(rng.normal(0.0, 1.0, 8).tolist(), trial)
        inside += low <= 0.0 <= high
    assert 0.92 <= inside / 400 <= 0.98


def test_the_tail_of_many_samples_is_that_of_the_plain_percentile_interval() -> None:
    assert expanded_tail(100_000) == pytest.approx(0.025, abs=1e-5)
    assert expanded_tail(5) == pytest.approx(stats.norm.cdf(-2.7764451051977987 * math.sqrt(5 / 4)))


def test_units_of_a_group_count_once() -> None:
    """Ten values, each twenty times: grouped, the interval is that of ten values, and not that of two hundred."""
    own = keys.generator("inference", 6).normal(0.0, 1.0, 10)
    values, groups = np.repeat(own, 20).tolist(), np.repeat(np.arange(10), 20).tolist()
    alone, grouped, wrong = mean(own.tolist(), 1), mean(values, 1, groups=groups), mean(values, 1)
    assert grouped == pytest.approx(alone)
    assert wrong[2] - wrong[1] < 0.35 * (grouped[2] - grouped[1])
    assert mean(values, 1, groups=["one"] * 200)[1:] == (-math.inf, math.inf)


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
