"""Whole comparisons and sweeps on the smallest network: killed and gone on with, failed, on Ray."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from semcast.scenarios import cli
from semcast.scenarios.commands.many_runs import Progress

SHORT = [
    "two-users",
    "--quick",
    "--set",
    "traffic.duration_s=1.0",
    "--set",
    "traffic.start_s=0.3",
    "--set",
    "models.generator_steps=1",
    "--set",
    "traffic.rate_hz=2",
]
COMPARE = ["compare", *SHORT, "--policy", "scheduling=round-robin", "--seeds", "2"]


@pytest.mark.slow
def test_a_comparison_that_was_killed_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    words = [*COMPARE, "--jobs", "1", "--out", str(out)]
    process = subprocess.Popen([sys.executable, "-m", "semcast", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not (done := list(out.glob("cells/*/cell.json"))) and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.02)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert 1 <= len(done) < 4 and not (out / "compare.json").exists()
    before = {path: path.stat().st_mtime_ns for path in out.glob("cells/*/cell.json")}
    assert cli.main(words) == 0
    told = capsys.readouterr()
    assert f"{len(before)}/4 runs  already there" in told.err and "4/4 runs" in told.err
    assert told.out.splitlines()[-1] == str(out)
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())
    answer = json.loads((out / "compare.json").read_text())
    assert answer["seeds"] == [1, 2] and len(answer["digests"]) == 4
    assert {row["choice"] for row in answer["rows"]} >= {"baseline (fifo)", "round-robin"}
    assert (out / "figures" / "compare.png").stat().st_size > 1000
    assert "data:image/png" in (out / "report.html").read_text()


def test_a_cell_of_other_settings_is_made_again_and_a_failed_one_names_its_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "mine.py"
    policy.write_text(
        "from semcast.policies.protocols import SemanticNoise\n"
        "class Mine:\n    def estimate(self, context):\n        return SemanticNoise(0.5, (), 'half')\n"
    )
    swept = ["--policy", f"noise={policy}:Mine,none", "--jobs", "1"]
    sweep = ["sweep", *SHORT, *swept, "--out", str(tmp_path / "out"), "--json"]
    assert cli.main(sweep) == 0
    first = json.loads(capsys.readouterr().out)
    assert len(first["rows"]) == 2 and first["axes"][0]["values"] == [f"{policy}:Mine", "none"]
    rows = pq.read_table(tmp_path / "out" / "sweep.parquet").to_pylist()
    assert [row["digest"] for row in rows] == [row["digest"] for row in first["rows"]]
    assert (tmp_path / "out" / "figures" / "sweep.png").exists() and (tmp_path / "out" / "report.html").exists()
    policy.write_text(policy.read_text().replace("'half')", "1 / 0)"))
    for name in [name for name in sys.modules if name.startswith("semcast_plugin_mine_")]:  # other tests load files of this name
        del sys.modules[name]
    assert cli.main(sweep) == 1
    told = capsys.readouterr()
    assert "1/2 runs  already there" in told.err  # that of none
    log = Path(told.err.split("see ")[-1].strip())
    assert log.is_file() and "ZeroDivisionError" in log.read_text()


@pytest.mark.slow
def test_ray_gives_the_same_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = []
    for jobs in ("1", "2"):
        assert cli.main([*COMPARE, "--jobs", jobs, "--out", str(tmp_path / jobs), "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0]["digests"] == answers[1]["digests"]
    assert answers[0]["rows"] == answers[1]["rows"]


def test_a_long_run_is_not_silent(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    progress.begin(3)
    with progress.alive(period_s=0.05):
        time.sleep(0.3)
        progress.tell(1, "a seed 1", True)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "3 runs to make or to find" and lines[-1].startswith("1/3 runs") and lines[-1].endswith("a seed 1")
    assert 1 <= len(lines[1:-1]) <= 6 and all(line.startswith("0/3 runs") and "s since the last" in line for line in lines[1:-1])
    with progress.alive(period_s=5.0):
        pass
    assert capsys.readouterr().err == ""
