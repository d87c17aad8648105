"""``semcast replay RUN --verify``: a real run does it again; damage and other behaviour are named."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from semcast.agents.models.cpu import cpu_kind
from semcast.bus.errors import BadInput, RunFailed
from semcast.bus.trace_reading import TraceReader
from semcast.scenarios.cli import main
from semcast.scenarios.metrics.table import read_rows, write_rows
from semcast.scenarios.replay import verify

POLICY = '''
from semcast.policies.protocols import PromptChoice


class Mine:
    """Whatever comes first."""

    def select(self, context, rng):
        part = [c.name for c in context.candidates if c.name in ("caption", "boxes")][WHICH]
        return PromptChoice((part,), False, "first")
'''


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("policy") / "mine.py"
    path.write_text(POLICY.replace("WHICH", "0"))
    return path


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, policy: Path) -> Path:
    folder = tmp_path_factory.mktemp("replay") / "run"
    options = ["--quick", "--host", "memory", "--display", "none", "--no-report", "--policy", f"prompt={policy}:Mine"]
    assert main(["run", "two-users", *options, "--out", str(folder)]) == 0
    return folder


def test_a_run_verifies(recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["replay", str(recorded), "--verify", "--display", "none", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["digest"] == json.loads((recorded / "run.json").read_text())["digest"]
    assert shown["records"] == len(list(TraceReader(recorded).records())) > 100
    assert main(["replay", str(recorded), "--verify", "--display", "none", "--out", str(tmp_path / "again")]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("verified: ") and out[-1] == str(tmp_path / "again") and (tmp_path / "again/run.json").is_file()


def test_a_damaged_trace_is_refused_before_it_is_run_again(damaged: Path, tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="w0-0.mcap: chunk 0"):
        verify(damaged, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_results_rows_and_scenario_that_are_not_the_runs_are_refused(recorded: Path, tmp_path: Path) -> None:
    def changed(name: str) -> Path:
        copy = tmp_path / name
        shutil.copytree(recorded, copy)
        return copy

    results = changed("results")
    state = json.loads((results / "run.json").read_text())
    state["results"]["psnr_db"] += 10
    (results / "run.json").write_text(json.dumps(state))
    with pytest.raises(RunFailed, match=r"run\.json: psnr_db .* the trace gives"):
        verify(results, tmp_path / "again1")
    rows = changed("rows")
    first, *others = read_rows(rows / "metrics.parquet")
    write_rows(rows / "metrics.parquet", [msgspec.structs.replace(first, psnr_db=first.psnr_db + 10), *others])
    with pytest.raises(RunFailed, match=r"metrics\.parquet is not what the trace gives"):
        verify(rows, tmp_path / "again2")
    scenario = changed("scenario")
    text = (scenario / "scenario.toml").read_text()
    (scenario / "scenario.toml").write_text(text.replace("bs_power_dbm = 30.0", "bs_power_dbm = 3.0"))
    with pytest.raises(RunFailed, match=r"scenario\.toml is not what was run"):
        verify(scenario, tmp_path / "again3")


def test_another_digest_than_the_trace_has_is_refused(recorded: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(recorded, other)
    state = json.loads((other / "run.json").read_text())
    (other / "run.json").write_text(json.dumps(state | {"digest": "00" * 16}))
    with pytest.raises(RunFailed, match="run.json says 0000"):
        verify(other, tmp_path / "again")


def test_a_run_that_does_otherwise_now_is_told_with_the_first_difference(recorded: Path, policy: Path, tmp_path: Path) -> None:
    """The policy's file was changed since: its name is the same, what it does is not."""
    copy, scenario = tmp_path / "run", recorded / "scenario.toml"
    shutil.copytree(recorded, copy)
    changed = tmp_path / "mine.py"
    changed.write_text(POLICY.replace("WHICH", "-1"))
    (copy / "scenario.toml").write_text(scenario.read_text().replace(str(policy), str(changed)))
    with pytest.raises(RunFailed, match=r"window \d+: user\.\w+ record \d+ \(decision\), field payload") as told:
        verify(copy, tmp_path / "again")
    assert "scenario.toml is not what was run" in str(told.value.hint)


@pytest.mark.parametrize("status", ["failed", "interrupted", "running"])
def test_only_a_run_that_ended_well_is_verified(recorded: Path, tmp_path: Path, status: str) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"status": status}))
    with pytest.raises(BadInput, match=status):
        verify(tmp_path, tmp_path / "again")


def test_a_mode_is_needed_and_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(tmp_path)]) == 2 and "--verify" in capsys.readouterr().err
    assert main(["replay", str(tmp_path), "--verify"]) == 2 and "no run folder" in capsys.readouterr().err


def verified(run: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """The answer of a verification that is told as JSON."""
    capsys.readouterr()
    assert main(["replay", str(run), "--verify", "--display", "none", "--json", *options]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_models_results_are_taken_from_the_trace_when_asked_for(
    recorded: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No model is run: each would fail."""

    def fail(*_: object) -> None:
        raise AssertionError("a model was run")

    monkeypatch.setattr("semcast.bus.calls.ModelCalls._run_batch", fail)
    found = verified(recorded, capsys, "--recorded-models")
    assert found["models"] == "recorded" and found["cpu"] == [found["cpu_now"]] == [cpu_kind()]
    assert main(["replay", str(recorded), "--verify", "--display", "none"]) == 1  # without them, models are run


def test_on_another_kind_of_cpu_results_are_taken_by_themselves(recorded: Path) -> None:
    """torch without vector instructions: what models compute differs there, so that only recorded results can verify."""
    command = [sys.executable, "-m", "semcast", "replay", str(recorded), "--verify", "--display", "none"]
    other = os.environ | {"ATEN_CPU_CAPABILITY": "default"}
    done = subprocess.run(command, env=other, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, second, last = done.stdout.splitlines()
    assert first.startswith("verified: ") and last == str(recorded)
    assert "taken from the trace, and are not verified" in second and "ATEN_CPU_CAPABILITY=default" in second
    assert cpu_kind() in second


def test_a_changed_bit_that_is_in_no_record_is_found_too(recorded: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(recorded, copy)
    path = TraceReader(copy).paths[-1]
    raw = bytearray(path.read_bytes())
    raw[-12] ^= 1  # in the footer
    path.write_bytes(raw)
    with pytest.raises(RunFailed, match=rf"segment {path.name}: .*(bytes are not those|footer)"):
        verify(copy, tmp_path / "again")


def test_a_repaired_trace_that_lost_nothing_verifies(recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(recorded, copy)
    path = TraceReader(copy).paths[0]
    path.write_bytes(path.read_bytes()[:-20])
    assert main(["replay", str(copy), "--verify", "--display", "none"]) == 1
    assert main(["trace", str(copy), "--repair"]) == 0
    assert verified(copy, capsys)["digest"] == json.loads((recorded / "run.json").read_text())["digest"]
