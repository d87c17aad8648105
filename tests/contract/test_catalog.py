"""The promise: every scenario of the catalog verifies, in its quick form; decided anew as it was, nothing differs."""

import json
from pathlib import Path

import pytest
from semcast.scenarios.cli import main
from semcast.scenarios.loading import catalog, load
from semcast.scenarios.runner import run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of the runs, made when first asked for."""
    return {name: tmp_path_factory.mktemp(name) / "run" for name in catalog()}


def recorded(runs: dict[str, Path], name: str) -> Path:
    """The scenario's quick form, run once."""
    if not runs[name].exists():
        outcome = run(load(name, quick=True, overrides={"host": "memory"}), out=str(runs[name]), report=False)
        assert outcome.status == "ok", outcome.error
    return runs[name]


@pytest.mark.parametrize("name", catalog())
def test_a_scenario_of_the_catalog_verifies(name: str, runs: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    folder = recorded(runs, name)
    capsys.readouterr()
    assert main(["replay", str(folder), "--verify", "--display", "none", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    state = json.loads((folder / "run.json").read_text())
    assert found["digest"] == state["digest"] and found["models"] == "computed" and found["records"] > 100
    assert state["requests"] > 0


def test_a_counterfactual_with_the_same_policies_makes_exactly_no_difference(runs: dict[str, Path], tmp_path: Path) -> None:
    name = "contrast"
    folder = recorded(runs, name)
    policy = load(str(folder)).policies.encoder
    words = ["replay", str(folder), "--policy", f"encoder={policy}", "--display", "none", "--out", str(tmp_path / "anew")]
    assert main(words) == 0
    answer = json.loads((tmp_path / "anew" / "counterfactual.json").read_text())
    assert answer["digests"][0] == answer["digests"][1] and answer["requests"] > 3
    for row in answer["rows"]:
        assert (row["difference"], row["low"], row["high"]) == (0.0, 0.0, 0.0), row
    assert all(then == now for request in answer["by_request"] for then, now in map(tuple, _values(request)))


def _values(request: dict[str, object]) -> list[list[float | None]]:
    return [value for value in request.values() if isinstance(value, list)]
