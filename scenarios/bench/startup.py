"""``semcast bench startup``: what the time to the first result is made of, by host."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ...bus.errors import RunFailed
from ..folder import RUN_FILE
from .turns import Result, row

OPTIONS = ("repeats", "quick")
SCENARIO = "two-users"


def run(repeats: int = 5, progress: Callable[[str], None] = lambda text: None, quick: bool = False) -> Result:
    """A short run of ``two-users`` with the models ``tiny`` on each host, as from the command line.

    Args:
        repeats: Turns, three at most; in each all hosts come one after the other.
        progress: Told what is measured next.
        quick: Host memory alone, once.

    Returns:
        ``<host>_whole_s``, from the command to its end (against host memory), and ``<host>_<part>_s``: each part of the start as
        ``run.json`` tells it (``start_s``; against the whole).

    Raises:
        RunFailed: A run failed.
    """
    hosts = ("memory",) if quick else ("memory", "nats", "ray")
    wholes: dict[str, list[float]] = {host: [] for host in hosts}
    parts: dict[str, dict[str, list[float]]] = {host: {} for host in hosts}
    for turn in range(1 if quick else min(repeats, 3)):
        for host in hosts:
            progress(f"host {host}, turn {turn + 1}")
            whole_s, split = _start(host)
            wholes[host].append(whole_s)
            for part, part_s in split.items():
                parts[host].setdefault(part, []).append(part_s)
    results: Result = {}
    for host in hosts:
        workload = f"semcast run {SCENARIO} --quick --host {host}, without report"
        results[f"{host}_whole_s"] = row(list(zip(wholes[host], wholes["memory"], strict=True)), "s", "host memory", workload)
        for part, seconds in parts[host].items():
            turns = list(zip(seconds, wholes[host], strict=False))
            results[f"{host}_{part.replace(' ', '_')}_s"] = row(turns, "s", "the whole", workload)
    return results


def _start(host: str) -> tuple[float, dict[str, float]]:
    """Wall seconds of a whole run, and of the parts of its start."""
    with tempfile.TemporaryDirectory(prefix="semcast-bench-") as folder:
        out = Path(folder) / "run"
        command = [
            sys.executable,
            "-m",
            "semcast",
            "run",
            SCENARIO,
            "--quick",
            "--host",
            host,
            "--no-report",
            "--display",
            "none",
        ]
        start = time.perf_counter()
        done = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True, check=False)
        whole_s = time.perf_counter() - start
        if done.returncode:
            raise RunFailed(f"{' '.join(command[2:])} ended with exit status {done.returncode}: {done.stderr.strip()}")
        return whole_s, json.loads((out / RUN_FILE).read_text()).get("start_s", {})
