"""Whole networks of the profile ``table``: they run to the end without torch, and alike on any number of workers."""

import json
import subprocess
import sys

import pytest
from semcast.agents import hosting
from semcast.agents.request import RunReport, RunRequest
from semcast.bus.exchange.chaos import Chaos
from semcast.scenarios.build import network_settings
from semcast.scenarios.loading import load
from semcast.scenarios.metrics.table import read_rows
from semcast.scenarios.mistakes import ScenarioMistakes

TABLE = {"models.profile": "table"}


def run(folder, workers: int, scheme: str = "gai-scn", **where: object) -> RunReport:
    scenario = load("quickstart", overrides={**TABLE, "scheme": scheme, "traffic.duration_s": 6.0, "knowledge.budget": 60.0})
    folder.mkdir()
    request = RunRequest(
        run="table-test", folder=str(folder), settings=network_settings(scenario), models="table", workers=workers, **where
    )  # type: ignore[arg-type]
    return hosting.run(request, lambda progress: None, chaos=Chaos(seed=1, shuffle=True) if workers > 1 else None)


@pytest.mark.parametrize("scheme", ["gai-scn", "semcom"])
def test_the_digest_does_not_depend_on_the_number_of_workers(tmp_path, scheme: str) -> None:
    one, three = (run(tmp_path / str(workers), workers, scheme, host="memory") for workers in (1, 3))
    assert one.digest == three.digest and one.events > 1000


def test_a_run_needs_no_torch_and_has_rows_and_a_report(tmp_path) -> None:
    folder = tmp_path / "run"
    command = ["run", "quickstart", "--models", "table", "--host", "memory", "--display", "none", "--out", str(folder)]
    code = (
        "import sys; from semcast.scenarios.cli import main\n"
        f"done = main({[*command, '--set', 'traffic.duration_s=5.0']!r})\n"
        "sys.exit(done or ('torch' in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0
    state = json.loads((folder / "run.json").read_text())
    rows = read_rows(folder / "metrics.parquet")
    assert state["status"] == "ok" and state["models"] == "table" and len(rows) == state["requests"] > 5
    assert 0.7 < state["results"]["object_recovery"] <= 1 and 20 < state["results"]["psnr_db"] < 45
    assert (folder / "report.html").stat().st_size > 20_000


@pytest.mark.parametrize(
    "setting",
    [
        {"models.best_of": 2},
        {"models.goals": "inferred"},
        {"models.caption": "captioner"},
        {"models.calibrate": True},
        {"models.generator": "vae"},
        {"knowledge.branch": "adapter"},
        {"devices.phone": {"share": 0.5, "variants": {"extractor": "int8"}}},
        {"policies.noise": "self-consistency"},
    ],
)
def test_what_was_not_measured_is_refused_before_anything_runs(setting: dict[str, object]) -> None:
    with pytest.raises(ScenarioMistakes):
        load("quickstart", overrides={**TABLE, **setting})
