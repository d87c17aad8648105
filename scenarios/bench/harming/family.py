"""Processes and their children, as Linux tells of them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path


def descendants(pid: int) -> list[int]:
    """Children of a process, and theirs."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for tasks in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (tasks / "children").read_text().split()):
                found += [child, *descendants(child)]
    return found


def command(pid: int) -> str:
    """Command line of a process; empty if there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return ""


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to processes; those that are gone are left out."""
    for pid in pids:
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def left(pids: Iterable[int], within_s: float) -> list[int]:
    """Those of the processes that still live after some time."""
    until, alive = time.monotonic() + within_s, [pid for pid in pids if _lives(pid)]
    while alive and time.monotonic() < until:
        time.sleep(0.05)
        alive = [pid for pid in alive if _lives(pid)]
    return alive


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
