"""The table of evaluations, the command, and the figures kept for reports."""

import json
from importlib import import_module
from pathlib import Path

import pytest
from semcast.agents.models.loading import PROFILES
from semcast.scenarios.cli import main
from semcast.scenarios.evaluations import EVALUATIONS, Request, chosen, evaluate, kept
from semcast.scenarios.evaluations.score import Score, Skipped
from semcast.scenarios.report.models import model_table


@pytest.mark.parametrize("name", EVALUATIONS)
def test_every_evaluation_has_its_module_and_known_roles(name: str) -> None:
    assert callable(import_module(f"semcast.scenarios.evaluations.{name}").evaluate)
    assert set(EVALUATIONS[name].roles) <= {*PROFILES["tiny"], "judge", "clip_judge"}
    assert chosen(name) == (name,)
    assert (name in chosen("models")) == EVALUATIONS[name].models


def test_the_shipped_figures_are_of_known_evaluations_and_shown() -> None:
    shipped = json.loads(kept.KEPT.read_text())
    assert set(shipped) <= set(EVALUATIONS)
    for profile, command in (("tiny", "semcast eval models --save"), ("table", "semcast eval table --save")):
        rows, remark = model_table(profile)
        figures = [name for part in shipped.values() if part["profile"] == profile for name in part["figures"]]
        if profile == "table":  # one row a metric: its difference, and the p-value beside it
            figures = [name for name in figures if name.endswith("_percent")]
            assert all(row["low"] <= row["difference"] <= row["high"] and 0 <= row["p"] <= 1 for row in rows)
        assert len(rows) == len(figures) > 0
        assert command in remark and "other weights" not in remark


def test_the_command_prints_name_to_value_low_high_n(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "extraction", "--scenes", "8", "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    assert set(out) >= {"extractor_f1", "extractor_f1_with_colour"}
    for figure in out.values():
        assert set(figure) == {"value", "low", "high", "n"}
        assert figure["low"] <= figure["value"] <= figure["high"]
    assert evaluate("extraction", Request(scenes=8))["extractor_f1"] == Score(**out["extractor_f1"])


def test_kept_figures_replace_only_those_of_their_evaluation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "KEPT", tmp_path / "evaluation.json")
    assert model_table("tiny") == ([], "Not measured yet: semcast eval models --save")
    kept.save("library", {"a": Score(1.0, 0.0, 2.0, 5)}, "tiny")
    kept.save("extraction", {"b": Score(1.0, 0.0, 2.0, 5)}, "tiny")
    kept.save("extraction", {"c": Score(3.0, 2.0, 4.0, 5), "d": Skipped("absent")}, "tiny")
    assert {name: list(part.figures) for name, part in kept.kept("tiny").items()} == {"extraction": ["c", "d"], "library": ["a"]}
    assert [row["figure"] for row in model_table("tiny")[0]] == ["c", "d", "a"]
    assert kept.kept("hub") == {}


def test_figures_of_other_weights_are_called_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "KEPT", tmp_path / "evaluation.json")
    kept.save("library", {"a": Score(1.0, 0.0, 2.0, 5)}, "tiny")
    assert "on the weights of this run" in model_table("tiny")[1]
    content = json.loads(kept.KEPT.read_text())
    content["library"]["weights"]["jscc_encoder"] = "0" * 64
    kept.KEPT.write_text(json.dumps(content))
    assert "other weights than this run's: library" in model_table("tiny")[1]
