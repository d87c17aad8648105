"""Runs of the catalog, whole: folder, status, results, report. Host ``memory``; other tests see to the other hosts."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from semcast.bus.trace_reading import TraceReader
from semcast.scenarios.cli import main
from semcast.scenarios.folder import make, read_run
from semcast.scenarios.loading import catalog, load
from semcast.scenarios.metrics.names import may_be_result
from semcast.scenarios.metrics.table import read_rows


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every catalog scenario's quick run."""
    folder = tmp_path_factory.mktemp("runs")
    runs = {name: folder / name for name in catalog()}
    for name, out in runs.items():
        assert main(["run", name, "--quick", "--host", "memory", "--display", "none", "--out", str(out)]) == 0
    return runs


@pytest.mark.parametrize("name", catalog())
def test_a_quick_run_fills_its_folder(name: str, finished: dict[str, Path]) -> None:
    folder = finished[name]
    run = read_run(folder)
    assert run["status"] == "ok"
    assert len(run["digest"]) >= 32
    rows = read_rows(folder / "metrics.parquet")
    assert run["requests"] == len(rows) > 0
    assert all(map(may_be_result, run["results"])) and len(run["results"]) > 20
    for file in ("scenario.toml", "run.log", "report.html", "figures/row.png", *(f"trace/{name}" for name in run["trace"])):
        assert (folder / file).stat().st_size > 0
    assert load(str(folder)) == load(name, quick=True, overrides={"host": "memory"})


@pytest.mark.parametrize("name", catalog())
def test_rows_of_a_run_add_up(name: str, finished: dict[str, Path]) -> None:
    stages = ("extract_s", "queue_s", "air_s", "backhaul_s", "wait_s", "generate_s", "encode_s", "decode_s", "calibrate_s")
    for row in read_rows(finished[name] / "metrics.parquet"):
        assert sum(getattr(row, stage) for stage in stages) == pytest.approx(row.latency_s, abs=1e-9)
        assert row.symbols_up + row.symbols_down == row.symbols_total
        assert row.prompt_bits + row.knowledge_bits + row.signature_bits + row.header_bits == row.payload_bits
        if row.status == "ok":
            assert min(getattr(row, stage) for stage in stages) >= 0
            assert row.symbols_jscc > 0
            assert row.prompt_bits > 0


def test_a_report_can_be_written_again(finished: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    folder = finished["two-users"]
    before = read_run(folder)["results"]
    assert main(["report", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["results"] == before


def test_the_last_line_is_the_folder_and_the_digest_repeats(
    finished: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "again"
    code = main(["run", "two-users", "--quick", "--host", "memory", "--display", "none", "--no-report", "--out", str(out)])
    assert code == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(out)
    assert read_run(out)["digest"] == read_run(finished["two-users"])["digest"]
    assert not (out / "report.html").exists()
    other = tmp_path / "other"
    assert (
        main(["run", "two-users", "--quick", "--host", "memory", "--seed", "2", "--json", "--no-report", "--out", str(other)])
        == 0
    )
    answer = json.loads(capsys.readouterr().out)
    assert answer["digest"] != read_run(out)["digest"]
    assert (answer["folder"], answer["seed"], answer["status"]) == (str(other), 2, "ok")


@pytest.mark.parametrize("host", [("memory", "1"), ("nats", "2")], ids=" ".join)
def test_an_interrupted_run_keeps_its_folder(tmp_path: Path, host: tuple[str, str]) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "semcast", "run", "quickstart", "--set", "traffic.duration_s=300", "--display", "plain"]
    command += ["--host", host[0], "--workers", host[1], "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})
    assert process.stderr is not None
    while not (seen := re.search(r"simulated +([0-9.]+) of", process.stderr.readline())) or float(seen[1]) < 0.5:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert printed.splitlines()[-1] == str(out)
    assert read_run(out)["status"] == "interrupted"
    records = sum(1 for _ in TraceReader(out).records(private=False))
    assert records > 100, "what had happened is in the trace"


def test_no_password_reaches_the_run_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    words = ["run", "two-users", "--host", "nats", "--nats", "nats://bob:topsecret@127.0.0.1:1", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["semcast", *words])
    assert main(words) == 3
    assert "topsecret" not in "".join(capsys.readouterr())
    assert not [path for path in out.rglob("*") if path.is_file() and b"topsecret" in path.read_bytes()]


def test_folders_are_numbered_and_never_shared(tmp_path: Path) -> None:
    runs = str(tmp_path / "runs")
    assert [make("x", runs=runs).name for _ in range(3)] == ["x-001", "x-002", "x-003"]
