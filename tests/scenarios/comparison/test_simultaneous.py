"""Intervals that hold all at once: under the null, under the truth, and where nothing can be told."""

from dataclasses import astuple

import numpy as np
import pytest
from semcast.bus import keys
from semcast.scenarios.comparison.simultaneous import BETTER, IDENTICAL, UNCLEAR, WORSE, Claim, claims
from semcast.scenarios.comparison.statistics import Resamples

SEEDS = np.repeat(np.arange(10), 12)
RESAMPLES = Resamples(SEEDS, 600)
CHOICES, TRIALS = 12, 150


def world(trial: int, effect: float = 0.0) -> list[np.ndarray]:
    """Differences of 12 choices to a baseline: correlated, since all share the baseline; seeds differ as much as requests."""
    rng = keys.generator("test", "null", trial)
    shared = rng.standard_normal(10)[:, None] + rng.standard_normal((10, 12))
    own = [rng.standard_normal(10)[:, None] + rng.standard_normal((10, 12)) for _ in range(CHOICES)]
    return [(effect + each - shared).ravel() for each in own]


def test_under_the_null_something_is_found_in_five_percent_of_comparisons_and_without_correction_in_many() -> None:
    wrong_all = wrong_alone = 0
    for trial in range(TRIALS):
        found = claims(world(trial), RESAMPLES)
        wrong_all += any(claim.verdict(True) != UNCLEAR for claim in found)
        wrong_alone += any(
            claim.low > 0.0 or claim.high < 0.0 for claim in found if claim.low is not None and claim.high is not None
        )
    assert wrong_all / TRIALS <= 0.09  # 5 %, and two standard errors of 150 trials
    assert wrong_alone / TRIALS > 2 * wrong_all / TRIALS
    assert wrong_alone / TRIALS > 0.12


def test_a_large_effect_is_found() -> None:
    found = claims(world(0, effect=4.0), RESAMPLES)
    assert all(claim.verdict(True) == BETTER and claim.verdict(False) == WORSE for claim in found)
    assert [claim.difference for claim in found] == pytest.approx([each.mean() for each in world(0, effect=4.0)])


def test_bands_hold_the_pointwise_intervals() -> None:
    for claim in claims(world(1), RESAMPLES):
        assert claim.low is not None and claim.high is not None and claim.low_all is not None and claim.high_all is not None
        assert claim.low_all <= claim.low < claim.high <= claim.high_all


def test_equal_choices_are_identical_and_spoil_nothing() -> None:
    alone = claims([world(2, effect=4.0)[0]], RESAMPLES)[0]
    both = claims([world(2, effect=4.0)[0], np.zeros(len(SEEDS))], RESAMPLES)
    assert astuple(both[0]) == pytest.approx(astuple(alone))
    assert both[1] == Claim(0.0, 0.0, 0.0, 0.0, 0.0)
    assert both[1].verdict(True) == IDENTICAL and both[1].verdict(False) == IDENTICAL
    assert Claim(0.0, -1.0, 1.0, -2.0, 2.0).verdict(True) == UNCLEAR
    assert Claim(0.0, None, None, None, None).verdict(True) == UNCLEAR


def test_a_sparse_contrast_has_no_verdict_and_spoils_no_other() -> None:
    sparse = np.zeros(len(SEEDS))
    sparse[[3, 40]] = 1.0  # two requests of two seeds: a tenth of the resamples hold neither seed
    alone, both = claims([world(2, effect=4.0)[0]], RESAMPLES), claims([world(2, effect=4.0)[0], sparse], RESAMPLES)
    assert astuple(both[0]) == pytest.approx(astuple(alone[0]))
    assert both[1].difference == pytest.approx(2 / 120) and both[1].low_all is None
    assert both[1].verdict(True) == UNCLEAR


def test_a_contrast_that_applies_to_no_request_claims_nothing() -> None:
    found = claims([np.full(len(SEEDS), np.nan), world(3, effect=4.0)[0]], RESAMPLES)
    assert found[0] == Claim(None, None, None, None, None)
    assert found[1].verdict(True) == BETTER


def test_one_seed_is_judged_by_its_requests_as_students_t_does() -> None:
    values = 1.0 + keys.generator("test", "one seed").standard_normal(60)
    (claim,) = claims([values], Resamples(np.zeros(60, dtype=int), 4000))
    half = 2.0 * values.std(ddof=1) / 60**0.5
    assert claim.low_all == pytest.approx(values.mean() - half, abs=0.2 * half)
    assert claim.high_all == pytest.approx(values.mean() + half, abs=0.2 * half)


def test_standard_errors_of_a_resample_are_those_of_its_seeds() -> None:
    """With every request of a seed alike a resample is k draws of seeds, and its error that of their mean."""
    from semcast.scenarios.comparison.simultaneous import _errors

    values = np.repeat(keys.generator("test", "alike").standard_normal(10), 12)[None, :]
    drawn = values[0].reshape(10, 12)[:, 0][RESAMPLES.drawn]
    assert _errors(values, RESAMPLES, resampled=True)[:, 0] == pytest.approx(drawn.std(axis=1, ddof=1) / 10**0.5)
