"""Study ``monitoring``: its short form and page; the long form's verdicts (slow)."""

from pathlib import Path

import pytest
from semcast.scenarios.studies.reading import load_study
from semcast.scenarios.studies.running import run_study

from .contract import check, claim, found, quick

pytest.importorskip("trackers")


def test_the_short_form(tmp_path: Path) -> None:
    folder = quick("monitoring", tmp_path)
    check(folder)
    for name in ("prediction_saves_bits", "sooner", "completes_better_than_repeat"):  # six clips are too few for others
        assert claim(folder, name)["verdict"] == "holds", name
    numbers = {(each["name"], each["arm"]): each["value"] for each in found(folder)["numbers"]}
    assert numbers["bits_per_frame", "each"] > numbers["bits_per_frame", "kb"] > numbers["bits_per_frame", "kb-predicted"] > 0
    assert numbers["bits_per_frame", "jscc"] == 0 < numbers["air_symbols_per_frame", "jscc"]


@pytest.mark.slow
def test_the_verdicts_of_the_long_form(tmp_path: Path) -> None:
    outcome = run_study(load_study("monitoring"), out=str(tmp_path / "long"))
    verdicts = {each["name"]: each["verdict"] for each in found(outcome.folder)["claims"]}
    for name in ("kb_saves_bits", "kb_recovers", "prediction_saves_bits", "less_air", "sooner", "predicts"):
        assert verdicts[name] == "holds", verdicts
