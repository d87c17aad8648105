"""Intervals against a closed form; the form on the command line."""

import numpy as np
import pytest
from semcast.scenarios.evaluations.score import Score, Skipped, as_json, mean, ratio


def test_the_interval_of_a_mean_is_the_normal_one_for_many_samples() -> None:
    values = np.arange(1000) / 999  # standard deviation 1 / sqrt(12)
    score = mean(values)
    assert score.value == pytest.approx(0.5)
    half = 1.96 / np.sqrt(12 * 1000)
    assert (score.low, score.high) == (pytest.approx(0.5 - half, abs=0.002), pytest.approx(0.5 + half, abs=0.002))
    assert score.n == 1000
    assert mean(values) == score


def test_a_ratio_is_of_sums_and_not_a_mean_of_ratios() -> None:
    hits, of = np.array([1.0, 1.0, 0.0]), np.array([1.0, 4.0, 5.0])
    assert ratio(np.stack([hits, of], axis=1), lambda sums: sums[..., 0] / sums[..., 1]).value == pytest.approx(0.2)


def test_what_was_not_measured_has_no_number() -> None:
    assert as_json(Score(1.0, 0.5, 1.5, 3)) == {"value": 1.0, "low": 0.5, "high": 1.5, "n": 3}
    assert as_json(Skipped("no weights")) == {"value": None, "low": None, "high": None, "n": 0, "skipped": "no weights"}
