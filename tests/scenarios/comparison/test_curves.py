"""Cost against recovery, by hand."""

import numpy as np
import pytest
from semcast.bus import keys
from semcast.scenarios.comparison.curves import cost_at, frontier, ratios
from semcast.scenarios.comparison.statistics import Resamples, paired

from .worlds import cell


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
            recovery = (rng.random(n) < level).astype(float).tolist() if scheme == "x" else cells[-2].values["object_recovery"]
            cost = [factor * 1000 * level] * n
            cells.append(cell(f"{scheme}/{level}", 1, names, object_recovery=list(recovery), symbols_total=cost))
    data = paired([c.point for c in cells], cells)
    resamples = Resamples(data.seeds, 300)
    found = [ratio for ratio in ratios(data, {"x": [0, 1], "y": [2, 3]}, resamples) if ratio.cost == "symbols_total"]
    assert found
    for ratio in found:
        assert ratio.ratio == pytest.approx(2.0)
        assert (ratio.low, ratio.high) == pytest.approx((2.0, 2.0))


def test_no_ratio_where_recoveries_do_not_meet() -> None:
    names = ["u/0", "u/1"]
    cells = [cell("x/1", 1, names, object_recovery=[0.1, 0.2]), cell("y/1", 1, names, object_recovery=[0.8, 0.9])]
    data = paired(["x/1", "y/1"], cells)
    assert ratios(data, {"x": [0], "y": [1]}, Resamples(data.seeds, 50)) == []
