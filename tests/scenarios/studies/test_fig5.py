"""Study ``gai-scn-fig5``: trends over the number of objects."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.scenarios.studies.fig5 import Options, arms, slope, spearman
from semcast.scenarios.studies.reading import load_study
from semcast.scenarios.studies.running import run_study

from . import contract

NAME = "gai-scn-fig5"


@given(st.floats(-5, 5), st.floats(-1, 1), st.integers(0, 1000))
def test_the_slope_is_that_of_least_squares(intercept: float, rise: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(1, 9, 60)
    y = intercept + rise * x + rng.normal(0, 0.1, 60)
    value, low, high = slope(x, y, [str(i % 30) for i in range(60)], "test")
    assert value == pytest.approx(np.polyfit(x, y, 1)[0], abs=1e-9) and low <= value <= high
    assert low - 0.1 < rise < high + 0.1


def test_rank_correlation() -> None:
    assert spearman([1, 2, 3, 4], [0.9, 0.7, 0.5, 0.1]) == pytest.approx(-1.0)
    assert spearman([1, 1, 2, 2], [5, 5, 5, 5]) == 0.0


def test_there_is_a_run_for_every_count_and_prompt() -> None:
    found = arms(Options())
    assert len(found) == 16 and found["caption-3"] == {"traffic": {"objects": [3, 3]}}
    assert len(arms(Options(places=False, counts=(1, 8)))) == 2
    assert len(load_study(NAME).arms) == 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return contract.quick(NAME, tmp_path_factory.mktemp("fig5"))


def test_its_short_form_is_whole_and_the_recovery_ratio_falls(folder: Path) -> None:
    contract.check(folder)
    told = contract.found(folder)
    claimed = contract.claim(folder, "recovery-falls")
    assert claimed["verdict"] == "holds" and claimed["n"] == 20
    by = {each["at"]["objects"]: each["value"] for each in told["numbers"] if each["name"] == "recovery_by_objects"}
    assert by[1.0] >= by[4.0] > by[8.0] > 0.5
    best = {each["at"]["objects"]: each["value"] for each in told["numbers"] if each["name"] == "originals_recovery_by_objects"}
    assert all(0.9 < best[count] <= 1 and best[count] >= by[count] for count in by)
    assert load_study(str(folder)).arms == load_study(NAME, quick=True).arms, "what is resumed is the same study"
    rows = [row["objects"] for row in told["tables"][0]["rows"]]
    assert rows == [1, 4, 8]


@pytest.mark.slow
def test_all_trends_of_the_full_form(tmp_path: Path) -> None:
    outcome = run_study(load_study(NAME), out=str(tmp_path / NAME))
    assert outcome.status == "ok", outcome.error
    contract.check(outcome.folder)
    for each in contract.found(outcome.folder)["claims"]:
        assert each["n"] == 41 and each["verdict"] == "holds", each["name"]
