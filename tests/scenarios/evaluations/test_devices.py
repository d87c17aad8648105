"""``semcast eval devices``: a table for each role, changes paired by scene."""

import json

import pytest
from semcast.agents.models.loading import variants
from semcast.scenarios.cli import main
from semcast.scenarios.evaluations.devices import ROLES, VARIANTS, tables
from semcast.scenarios.evaluations.score import Score


def test_a_line_a_model_with_changes_against_the_whole_one() -> None:
    def score(value: float) -> Score:
        return Score(value, value - 0.1, value + 0.1, 5)

    found = {
        "extractor/mflops": score(248.367),
        "extractor/f1_8": score(0.9),
        "extractor@int8/mflops": score(132.0),
        "extractor@int8/f1_8": score(0.85),
        "extractor@int8/f1_8_change": score(-0.05),
        "generator/mflops": score(3883.0),
    }
    extractor, generator, decoder = tables(found)
    assert [row["model"] for row in extractor] == ["extractor", "extractor@int8"]
    assert extractor[0] == {"model": "extractor", "mflops": 248.37, "f1_8": "0.900"}
    assert extractor[1]["f1_8"] == "0.850 (-0.050 [-0.150, +0.050])"
    assert generator == [{"model": "generator", "mflops": 3883.0}] and decoder == []


@pytest.mark.slow
def test_the_command_measures_every_variant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "devices", "--scenes", "6", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    for role in ROLES:
        names = [f"{role}@{variant}" for variant in variants("tiny")[role] if variant in VARIANTS]
        assert names
        for name in (role, *names):
            assert found[f"{name}/wall_ms"]["value"] > 0 and found[f"{name}/download_mb"]["value"] > 0
            assert name == role or found[f"{name}/mflops"]["value"] < found[f"{role}/mflops"]["value"]
    assert abs(found["generator@int8/alignment_change"]["value"]) < 0.02
