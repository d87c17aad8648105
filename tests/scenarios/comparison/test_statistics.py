"""Pairing and intervals against what can be worked out by hand, and coverage by simulation."""

import math

import numpy as np
import pytest
from semcast.bus import keys
from semcast.bus.errors import RunFailed
from semcast.scenarios.comparison.objectives import with_derived
from semcast.scenarios.comparison.rows import difference_rows
from semcast.scenarios.comparison.statistics import Paired, Resamples, interval, mean, narrower, paired, unpaired

from .worlds import cell, clustered


def test_requests_are_paired_by_seed_and_id() -> None:
    cells = [
        cell("a", 1, ["u/0", "u/1"], object_recovery=[0.0, 1.0]),
        cell("b", 1, ["u/1", "u/0", "u/2"], object_recovery=[0.5, 0.25, 9.0]),
        cell("a", 2, ["u/0"], object_recovery=[0.5]),
        cell("b", 2, ["u/0"], object_recovery=[1.0]),
    ]
    data = paired(["a", "b"], cells)
    assert data.seeds.tolist() == [1, 1, 2]
    assert data.values["object_recovery"].tolist() == [[0.0, 1.0, 0.5], [0.25, 0.5, 1.0]]


def test_what_does_not_apply_at_one_point_is_left_out_at_all() -> None:
    names = ["u/0", "u/1", "u/2"]
    cells = [
        cell("a", 1, names, subject_alignment=[0.5, None, 0.25], psnr_db=[1.0, 2.0, 3.0]),
        cell("b", 1, names, subject_alignment=[0.75, 0.5, None], psnr_db=[1.0, 2.0, 3.0]),
    ]
    data = with_derived(paired(["a", "b"], cells))
    assert np.isnan(data.values["subject_alignment"]).tolist() == [[False, True, True]] * 2
    rows = difference_rows(data, {"a": "a", "b": "b"}, "a", Resamples(data.seeds, 50), {})
    row = next(row for row in rows if row["choice"] == "b" and row["metric"] == "subject_alignment")
    assert (row["mean"], row["difference"], row["requests"]) == (0.75, 0.25, 1)
    assert row["low"] is None  # one request tells no interval
    assert next(row for row in rows if row["metric"] == "psnr_db")["requests"] == 3


def test_runs_without_a_common_request_are_told() -> None:
    with pytest.raises(RunFailed, match="no request"):
        paired(["a", "b"], [cell("a", 1, []), cell("b", 1, ["u/0"])])


def test_resamples_draw_seeds_then_as_many_requests_as_each_has() -> None:
    seeds = np.array([1] * 3 + [2] * 5)
    resamples = Resamples(seeds, 200)
    numbers = resamples.sums(np.ones((1, 8)))[:, :, 0]
    assert numbers.shape == (200, 2)
    assert set(np.unique(numbers)) == {3.0, 5.0}
    assert set(map(tuple, numbers.tolist())) == {(3.0, 3.0), (3.0, 5.0), (5.0, 3.0), (5.0, 5.0)}


def test_means_of_resamples_leave_out_what_does_not_apply() -> None:
    values = np.array([[1.0, np.nan, 3.0, np.nan]])
    found = Resamples(np.zeros(4, dtype=int), 400).means(values)[:, 0]
    assert np.nanmin(found) == 1.0 and np.nanmax(found) == 3.0
    assert np.nanmean(found) == pytest.approx(2.0, abs=0.15)


def test_an_interval_of_many_is_the_middle_95_percent_and_of_few_wider() -> None:
    samples = keys.generator("test", "normal").standard_normal(200_000)
    low, high = interval(samples, 100_000) or (0.0, 0.0)
    assert (low, high) == (pytest.approx(-1.96, abs=0.03), pytest.approx(1.96, abs=0.03))
    low, high = interval(samples, 10) or (0.0, 0.0)  # Student's 2.262 for 9 degrees of freedom, times sqrt(10 / 9)
    assert high == pytest.approx(2.262 * math.sqrt(10 / 9), abs=0.05)
    assert interval(samples, 1) is None


@pytest.mark.parametrize(("between", "within"), [(1.0, 0.3), (0.2, 1.0)], ids=["seeds differ", "requests differ"])
def test_intervals_cover_the_truth(between: float, within: float) -> None:
    """Of 300 comparisons of 10 seeds with 20 requests each, 95 % hold the true difference 0."""
    hits = 0
    for trial in range(300):
        values, seeds = clustered(f"cover {between} {trial}", 10, 20, between, within)
        resamples = _resamples(seeds)
        low, high = interval(resamples.means(values[None, :])[:, 0], 10) or (1.0, -1.0)
        hits += low <= 0.0 <= high
    assert 0.925 <= hits / 300 <= 1.0
    if between > within:
        assert hits / 300 <= 0.98


_KEPT: dict[int, Resamples] = {}


def _resamples(seeds: np.ndarray) -> Resamples:
    """The draws depend on the seeds' sizes alone: made once."""
    return _KEPT.setdefault(len(seeds), Resamples(seeds, 1000))


def test_pairing_gains_what_the_common_part_takes() -> None:
    """Var(a - b) = 0.02 against Var(a) + Var(b) = 2.02 where both share a part of variance 1: a tenth of the width."""
    rng = keys.generator("test", "gain")
    world = rng.standard_normal(2000)
    a, b = (world + 0.1 * rng.standard_normal(2000) for _ in range(2))
    resamples = Resamples(np.zeros(2000, dtype=int))
    samples = resamples.means(np.array([a, b]))
    together, apart = interval(samples[:, 1] - samples[:, 0], 2000), unpaired(samples[:, 1], samples[:, 0], 2000)
    assert narrower(together, apart) == pytest.approx(math.sqrt(2.02 / 0.02), rel=0.1)
    assert narrower((0.0, 0.0), apart) is None


def test_a_row_has_the_known_width_of_a_mean() -> None:
    n = 400
    base = keys.generator("test", "paired").standard_normal(n)
    change = 0.1 + 0.2 * keys.generator("test", "change").standard_normal(n)
    names = [f"u/{i}" for i in range(n)]
    cells = [cell("a", 1, names, psnr_db=base.tolist()), cell("b", 1, names, psnr_db=(base + change).tolist())]
    data = with_derived(paired(["a", "b"], cells))
    rows = difference_rows(data, {"a": "best", "b": "mine"}, "a", Resamples(data.seeds), {})
    (row,) = [row for row in rows if row["choice"] == "mine" and row["metric"] == "psnr_db"]
    assert row["difference"] == pytest.approx(change.mean())
    half = 1.96 * change.std(ddof=1) / n**0.5  # far below that of unpaired means: 0.14
    assert row["low"] == pytest.approx(change.mean() - half, abs=0.15 * half)
    assert row["high"] == pytest.approx(change.mean() + half, abs=0.15 * half)
    assert (row["against"], row["seeds"], row["verdict"]) == ("best", 1, None)


def test_worth_is_quality_less_the_price_of_the_symbols() -> None:
    cells = [cell("a", 1, ["u/0"], psnr_db=[30.0], symbols_picture=[2048.0])]
    data: Paired = with_derived(paired(["a"], cells), price_db=2.0)
    assert mean(data.row("a", "encoder_worth_db")) == pytest.approx(30.0 - 2.0 * 2.048)
