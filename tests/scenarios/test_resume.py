"""``semcast run --resume``: a run whose driver died goes on to the digest of one that never did; what cannot go on is told."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from semcast.bus.verification import check_trace
from semcast.scenarios import folder as folders
from semcast.scenarios.cli import main
from semcast.scenarios.folder import read_run, write_run

SHORT = ["two-users", "--display", "none", "--no-report", "--set", "traffic.duration_s=6"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed run of six simulated seconds, with one checkpoint on its way."""
    out = tmp_path_factory.mktemp("resume") / "finished"
    assert main(["run", *SHORT, "--host", "memory", "--out", str(out)]) == 0
    return out


def begun(out: Path, *options: str) -> subprocess.Popen[bytes]:
    """A driver as a process of its own."""
    command = [sys.executable, "-m", "semcast", "run", *SHORT, *options, "--out", str(out)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def ended_by(driver: subprocess.Popen[bytes], number: signal.Signals, out: Path, checkpoints: int) -> str:
    """Let it go on until so many checkpoints are there, then send a signal; what it said."""
    until = time.monotonic() + 60
    while len(list(out.glob("snapshots/r*-w*.msgpack"))) < checkpoints or not (out / "run.json").exists():
        assert driver.poll() is None and time.monotonic() < until
        time.sleep(0.01)
    os.kill(driver.pid, number)
    return driver.communicate(timeout=30)[1].decode()


def assert_goes_on(out: Path, finished: Path) -> None:
    assert main(["run", "--resume", str(out), "--display", "none", "--no-report"]) == 0
    run, whole = read_run(out), read_run(finished)
    assert run["status"] == "ok" and run["resumed"] == 1
    assert run["digest"] == whole["digest"] and run["results"] == whole["results"]
    assert not (out / "snapshots").exists()
    checked = check_trace(out)
    assert checked == check_trace(finished) and not checked.problems
    assert sorted(run["trace"]) == sorted(path.name for path in (out / "trace").iterdir())  # nothing superseded is left


def test_a_killed_driver(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    ended_by(begun(out, "--host", "memory"), signal.SIGKILL, out, 1)
    assert read_run(out)["status"] == "running"
    assert_goes_on(out, finished)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "checkpoints"), [(signal.SIGKILL, 0), (signal.SIGKILL, 2), (signal.SIGINT, 2)])
def test_a_driver_that_ends_over_nats(number: signal.Signals, checkpoints: int, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    said = ended_by(begun(out, "--host", "nats", "--workers", "2"), number, out, checkpoints)
    if number is signal.SIGINT:
        assert read_run(out)["status"] == "interrupted" and f"semcast run --resume {out}" in said
    assert_goes_on(out, finished)


@pytest.fixture
def cut_off(finished: Path, tmp_path: Path) -> Path:
    """A run that says of itself that it was interrupted."""
    copy = tmp_path / "cut"
    shutil.copytree(finished, copy)
    write_run(copy, read_run(copy) | {"status": "interrupted"})
    return copy


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["run", "--resume", *map(str, arguments)]) == 2
    return capsys.readouterr().err


def test_what_cannot_go_on_is_told(finished: Path, cut_off: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "has ended well" in refusal(capsys, finished)
    assert "is no run folder" in refusal(capsys, tmp_path)
    assert "goes on with a run as it was begun: --seed" in refusal(capsys, cut_off, "--seed", 2)
    assert "SCENARIO, --set" in refusal(capsys, cut_off, "quickstart", "--set", "traffic.rate_hz=1")
    with folders.held(cut_off):
        assert "a run still goes on there" in refusal(capsys, cut_off)
    assert read_run(cut_off)["status"] == "interrupted"


@pytest.mark.parametrize("what", ["versions", "weights"])
def test_other_versions_and_weights_are_refused(what: str, cut_off: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = read_run(cut_off)
    name = sorted(run[what])[0]
    run[what][name] = "another"
    (cut_off / "run.json").write_text(json.dumps(run))
    said = refusal(capsys, cut_off)
    assert f"was begun with another {name}" in said and "semcast run" in said
    assert json.loads((cut_off / "run.json").read_text()) == run
