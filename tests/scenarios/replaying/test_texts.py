"""A run of texts, decided anew; and what compares pictures alone says so."""

import json
from pathlib import Path

import pytest
from semcast.scenarios.cli import main

CHANGES = ("traffic.content=text", "policies.prompt=fixed:parts=all,share=true", "traffic.max_requests=1")


def test_another_prompt_policy_over_the_same_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sets = [part for change in CHANGES for part in ("--set", change)]
    run, again = str(tmp_path / "run"), str(tmp_path / "again")
    assert main(["run", "two-users", "--quick", "--host", "memory", *sets, "--out", run, "--display", "none"]) == 0
    capsys.readouterr()
    command = ["replay", run, "--policy", "prompt=fixed:parts=keywords", "--out", again, "--display", "none", "--json"]
    assert main(command) == 0
    found = json.loads(capsys.readouterr().out)
    rows = {row["metric"]: row for row in found["rows"]}
    assert found["metric"] == "fact_recovery" and rows["fact_recovery"]["difference"] < 0
    assert rows["told_bits"]["difference"] < 0 and "object_recovery" not in rows


def test_comparisons_of_pictures_say_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    sets = [part for change in CHANGES for part in ("--set", change)]
    command = ["compare", "two-users", "--policy", "prompt=fixed:parts=all,threshold", *sets, "--out", str(tmp_path / "no")]
    assert main(command) == 2
    assert "comparisons judge pictures" in capsys.readouterr().err
