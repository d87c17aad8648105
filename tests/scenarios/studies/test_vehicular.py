"""Study ``vehicular``: its short form and page; the long form's verdicts (slow)."""

from pathlib import Path

import pytest
from semcast.scenarios.studies.reading import load_study
from semcast.scenarios.studies.running import run_study

from .contract import check, claim, found, quick

pytest.importorskip("trackers")


def test_the_short_form(tmp_path: Path) -> None:
    folder = quick("vehicular", tmp_path)
    check(folder)
    for name in ("less_air", "less_air_low", "sooner", "multicast_saves"):
        assert claim(folder, name)["verdict"] == "holds", name
    numbers = {(each["name"], each["arm"]): each["value"] for each in found(folder)["numbers"]}
    assert numbers["place_error_m", "prompts"] == pytest.approx(0.5 * numbers["place_error_px", "prompts"])


@pytest.mark.slow
def test_the_verdicts_of_the_long_form(tmp_path: Path) -> None:
    outcome = run_study(load_study("vehicular"), out=str(tmp_path / "long"))
    verdicts = {each["name"]: each["verdict"] for each in found(outcome.folder)["claims"]}
    for name in ("finds_as_much", "places", "less_air", "less_air_low", "sooner", "multicast_saves"):
        assert verdicts[name] == "holds", verdicts
