"""What is noted of a run while it goes on."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from semcast.agents.request import Progress, RunReport
from semcast.scenarios import watching
from semcast.scenarios.folder import RUN_FILE
from semcast.scenarios.live import display
from semcast.scenarios.watching import Watch, told


def watched(folder: Path, parts: list[Progress]) -> dict[str, Any]:
    state: dict[str, Any] = {"status": "running"}
    with display("none", "x", 1.0) as shown:
        watch = Watch(folder, state, shown)
        for part in parts:
            watch(part)
        report = RunReport("d", {}, 2, 5, 1.0, 2.0, start_s={"NATS": 0.1, "agents": 0.2}, memory_bytes=[3_000_000, 4_000_000])
        watch.end(report)
    return state


def test_phases_first_result_and_memory_are_noted(tmp_path: Path) -> None:
    state = watched(tmp_path, [Progress(1, 1, {}), Progress(2, 2, {"user": 5}, started=2, done=1)])
    assert list(state["start_s"]) == ["imports", "NATS", "agents", "first_result"]
    assert state["start_s"]["first_result"] >= state["start_s"]["imports"] > 0
    assert list(state["phases_s"]) == ["start", "simulate"]
    assert state["memory_bytes"]["workers"] == [3_000_000, 4_000_000] and state["memory_bytes"]["driver"] > 1 << 20
    lines = "\n".join(told(state))
    assert "the first request ended after" in lines and "workers 3 + 4, driver" in lines and "simulate" in lines


def test_a_run_without_a_result_says_so(tmp_path: Path) -> None:
    state = watched(tmp_path, [Progress(1, 1, {})])
    assert "first_result" not in state["start_s"] and told(state)[0].startswith("no request ended")
    assert told({}) == []


def test_run_json_tells_how_far_a_run_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "KEPT_EVERY_S", 0.0)
    watched(tmp_path, [Progress(2 * 10**9, 2, {"user": 5}, started=7, done=3)])
    kept = json.loads((tmp_path / RUN_FILE).read_text())
    assert (kept["status"], kept["requests"], kept["sim_s"]) == ("running", 7, 2.0)


def test_peak_memory_stays_when_what_was_held_is_let_go() -> None:
    code = """
from semcast.agents.memory import peak_memory_bytes
before = peak_memory_bytes()
held = bytearray(b"x") * (200 << 20)
grown = peak_memory_bytes()
del held
assert grown - before > 100 << 20 and peak_memory_bytes() >= grown - (1 << 20)
"""
    subprocess.run([sys.executable, "-c", code], check=True)  # of its own: this one's peak may lie behind it
