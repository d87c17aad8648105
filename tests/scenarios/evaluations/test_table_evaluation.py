"""Equivalence of two profiles: the tests against their definitions."""

import numpy as np
import pytest
from scipy import stats
from semcast.scenarios.evaluations import Request, table
from semcast.scenarios.evaluations.table import MARGIN, equivalence, holm


def test_both_one_sided_tests_are_students() -> None:
    rng = np.random.default_rng(1)
    tiny = 10 + rng.standard_normal(9)
    other = tiny + 0.1 + 0.2 * rng.standard_normal(9)
    score, p = equivalence(other, tiny)
    percent = 100 * (other - tiny) / tiny.mean()
    above = stats.ttest_1samp(percent, -MARGIN, alternative="greater").pvalue
    below = stats.ttest_1samp(percent, MARGIN, alternative="less").pvalue
    assert p == pytest.approx(max(above, below))
    low, high = stats.ttest_1samp(percent, 0).confidence_interval(0.9)
    assert (score.low, score.high, score.n) == pytest.approx((low, high, 9))
    assert (p < 0.05) == (score.low > -MARGIN and score.high < MARGIN)


def test_equal_and_far_values() -> None:
    same = np.full(4, 3.0)
    assert equivalence(same, same) == (equivalence(same, same)[0], 0.0)
    assert equivalence(same * 1.2, same)[1] == 1.0
    drifted = equivalence(np.array([3.3, 3.4, 3.2, 3.3]), np.array([3.0, 3.1, 2.9, 3.05]))
    assert drifted[1] > 0.5  # ten per cent off


def test_holm_steps_down() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06})
    assert holm({"a": 0.5, "b": 0.6}) == {"a": 1.0, "b": 1.0}


def test_runs_of_the_table_are_kept_and_read_again(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(table, "WORLDS", {"brief": {"traffic.duration_s": 6.0}})
    told: list[str] = []
    request = Request(seeds=2, parts=tmp_path, tell=told.append)
    first = table.figures("table", 0, request)
    assert set(first) == set(table.METRICS) and 0 < first["object_recovery"] <= 1
    assert table.figures("table", 0, request) == first and len(told) == 1
    assert table.figures("table", 1, request) != first
