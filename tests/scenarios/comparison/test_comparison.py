"""Paired differences and curves against what can be worked out by hand."""

import numpy as np
import pytest
from semcast.bus import keys
from semcast.scenarios.comparison.cells import COLUMNS, Cell
from semcast.scenarios.comparison.curves import cost_at, frontier, ratios
from semcast.scenarios.comparison.plan import scheme_points
from semcast.scenarios.comparison.statistics import differences, means, paired, resamples
from semcast.scenarios.loading import load


def cell(point: str, seed: int, requests: list[str], **columns: list[float]) -> Cell:
    """A cell whose other columns are ones."""
    return Cell(point, seed, "", tuple(requests), {name: columns.get(name, [1.0] * len(requests)) for name in COLUMNS})


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


def test_resamples_keep_the_number_of_requests_of_one_seed() -> None:
    weights = resamples(np.zeros(7, dtype=int), 50)
    assert weights.shape == (50, 7)
    assert (weights.sum(axis=1) == 7).all()
    values = np.arange(7.0)[None, :]
    assert abs(means(values, resamples(np.zeros(7, dtype=int), 2000)).mean() - 3.0) < 0.1


def test_an_interval_holds_the_known_width_of_a_mean() -> None:
    n = 400
    base = keys.generator("test", "paired").standard_normal(n)
    change = 0.1 + 0.2 * keys.generator("test", "change").standard_normal(n)
    names = [f"u/{i}" for i in range(n)]
    cells = [cell("a", 1, names, psnr_db=base.tolist()), cell("b", 1, names, psnr_db=(base + change).tolist())]
    rows = [row for row in differences(paired(["a", "b"], cells)) if row["choice"] == "b" and row["metric"] == "psnr_db"]
    (row,) = rows
    assert row["difference"] == pytest.approx(change.mean())
    half = 1.96 * change.std(ddof=1) / n**0.5  # far below that of unpaired means: 0.14
    assert row["low"] == pytest.approx(change.mean() - half, abs=0.3 * half)
    assert row["high"] == pytest.approx(change.mean() + half, abs=0.3 * half)


def test_the_frontier_holds_what_nothing_beats() -> None:
    costs, recoveries = np.array([10.0, 20.0, 30.0, 15.0]), np.array([0.2, 0.5, 0.4, 0.5])
    assert frontier(costs, recoveries) == [0, 3]


def test_cost_between_two_points_is_straight_in_the_logarithm() -> None:
    costs, recoveries = np.array([10.0, 1000.0]), np.array([0.2, 0.4])
    assert cost_at(0.3, costs, recoveries) == pytest.approx(100.0)
    assert cost_at(0.1, costs, recoveries) == pytest.approx(10.0)
    assert np.isnan(cost_at(0.5, costs, recoveries))


def test_a_scheme_of_double_cost_has_ratio_two_everywhere() -> None:
    n = 60
    rng = keys.generator("test", "ratio")
    names = [f"u/{i}" for i in range(n)]
    cells = []
    for scheme, factor in (("x", 1.0), ("y", 2.0)):
        for level in (0.3, 0.6):
            recovery = (rng.random(n) < level).astype(float) if scheme == "x" else cells[-2].values["object_recovery"]
            cost = [factor * 1000 * level] * n
            cells.append(cell(f"{scheme}/{level}", 1, names, object_recovery=list(recovery), symbols_total=cost))
    data = paired([c.point for c in cells], cells)
    found = [ratio for ratio in ratios(data, {"x": [0, 1], "y": [2, 3]}) if ratio.cost == "symbols_total"]
    assert found
    for ratio in found:
        assert ratio.ratio == pytest.approx(2.0)
        assert (ratio.low, ratio.high) == pytest.approx((2.0, 2.0))


def test_no_ratio_where_recoveries_do_not_meet() -> None:
    names = ["u/0", "u/1"]
    cells = [cell("x/1", 1, names, object_recovery=[0.1, 0.2]), cell("y/1", 1, names, object_recovery=[0.8, 0.9])]
    assert ratios(paired(["x/1", "y/1"], cells), {"x": [0], "y": [1]}) == []


def test_schemes_are_swept_over_their_own_settings() -> None:
    points = scheme_points(load("quickstart"), ["gai-scn", "semcom"], ["c1", "c2"])
    assert len(points) == (1 + 2 * 3) + (1 + 2)
    assert len({point.name for point in points}) == len(points)
    fixed = next(point for point in points if point.name == "semcom/c2")
    assert fixed.overrides == {"scheme": "semcom", "policies.encoder": "fixed:codec=c2"}
