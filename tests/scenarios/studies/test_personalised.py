"""Study ``personalised``: its short form and page; the long form's verdicts (slow)."""

from pathlib import Path

import pytest
from semcast.scenarios.studies.reading import load_study
from semcast.scenarios.studies.running import run_study

from .contract import check, claim, found, quick


def test_the_short_form(tmp_path: Path) -> None:
    folder = quick("personalised", tmp_path)
    check(folder)
    assert claim(folder, "style")["verdict"] == "holds"
    numbers = {(each["name"], each["arm"]): each["value"] for each in found(folder)["numbers"]}
    assert numbers["prompt_bits_per_picture", "style"] == numbers["prompt_bits_per_picture", "none"]
    assert numbers["bits_before_the_service", "style"] == numbers["bits_before_the_service", "none"] == 0  # it stays at home
    assert numbers["bits_before_the_service", "history"] > 0 < numbers["bits_before_the_service", "cloud"]
    assert numbers["users_whose_style_the_cloud_knows", "both"] == 0
    assert numbers["subject_alignment", "history"] > numbers["subject_alignment", "none"]


@pytest.mark.slow
def test_the_verdicts_of_the_long_form(tmp_path: Path) -> None:
    outcome = run_study(load_study("personalised"), out=str(tmp_path / "long"))
    verdicts = {each["name"]: each["verdict"] for each in found(outcome.folder)["claims"]}
    for name in ("history", "history-of-all-requests", "history-colours-back", "style", "style-with-history", "style-palette"):
        assert verdicts[name] == "holds", verdicts
