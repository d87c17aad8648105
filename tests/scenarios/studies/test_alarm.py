"""Study ``alarm``: its short form and page; the long form's verdicts (slow)."""

from pathlib import Path

import pytest
from semcast.scenarios.studies.reading import load_study
from semcast.scenarios.studies.running import run_study

from .contract import check, claim, found, quick


def test_the_short_form(tmp_path: Path) -> None:
    folder = quick("alarm", tmp_path)
    check(folder)
    assert claim(folder, "fewer-symbols")["verdict"] == "holds"
    numbers = {(each["name"], each["arm"]): each for each in found(folder)["numbers"]}
    situations = {numbers["detection_rate", arm]["n"] for arm in ("alarm", "picture", "drawn")}
    assert len(situations) == 1  # the same scenes in all arms
    assert numbers["payload_bits", "alarm"]["value"] < 600


@pytest.mark.slow
def test_the_verdicts_of_the_long_form(tmp_path: Path) -> None:
    outcome = run_study(load_study("alarm"), out=str(tmp_path / "long"))
    verdicts = {each["name"]: each["verdict"] for each in found(outcome.folder)["claims"]}
    for name in ("fewer-symbols", "fewer-symbols-drawn", "sooner", "sooner-drawn", "cross-aligned"):
        assert verdicts[name] == "holds", verdicts
