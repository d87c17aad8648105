"""What is noted of a run while it goes on: its phases, when the first result was there, how far it is."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..agents.memory import peak_memory_bytes
from ..agents.request import Progress, RunReport
from . import folder as folders
from .live import Display
from .profile import process_age_s

KEPT_EVERY_S = 5.0
"""How often ``run.json`` tells how far a run is."""
DRIVER = "imports"
"""What the driver does before it starts anything: interpreter, imports, scenario."""


class Watch:
    """Shows progress, and notes it in the state of a run.

    Args:
        folder: Of the run.
        state: The content of its ``run.json``, where progress is kept.
        shown: The display.
    """

    def __init__(self, folder: Path, state: dict[str, Any], shown: Display) -> None:
        self._folder, self._state, self._shown = folder, state, shown
        self._made_s = time.monotonic()
        self._before_s = process_age_s()
        self._running_s = self._first_s = 0.0
        self._keep_s = self._made_s + KEPT_EVERY_S

    def __call__(self, progress: Progress) -> None:
        """Hear how far the run is."""
        now_s = time.monotonic()
        if not self._running_s and progress.windows:
            self._running_s = now_s
        if not self._first_s and progress.done:
            self._first_s = now_s
        self._shown(progress)
        if now_s >= self._keep_s:
            self._keep_s = now_s + KEPT_EVERY_S
            self._state |= {"requests": progress.started, "sim_s": progress.sim_ns / 1e9}
            folders.write_run(self._folder, self._state)

    def end(self, report: RunReport) -> None:
        """The host has answered."""
        now_s = time.monotonic()
        running_s = self._running_s or now_s
        start_s = {DRIVER: self._before_s} | dict(report.start_s)
        if self._first_s:
            start_s["first_result"] = self._before_s + self._first_s - self._made_s
        self._state["start_s"] = _rounded(start_s)
        phases_s = {"start": self._before_s + running_s - self._made_s, "simulate": now_s - running_s}
        self._state["phases_s"] = _rounded(phases_s)
        self._state["memory_bytes"] = {"workers": report.memory_bytes, "driver": peak_memory_bytes()}


def _rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in seconds.items()}


def told(state: Mapping[str, Any]) -> list[str]:
    """Lines on where the time went and how much memory was held, from a ``run.json``; nothing where that is not known."""
    lines = []
    start_s = dict(state.get("start_s", {}))
    first_s = start_s.pop("first_result", None)
    if start_s:
        parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in start_s.items() if seconds >= 0.05)
        first = f"the first request ended after {first_s:.1f} s" if first_s is not None else "no request ended"
        lines.append(f"{first}; of these, in s: {parts}")
    if phases_s := state.get("phases_s"):
        lines.append("wall time in s: " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in phases_s.items()))
    if memory := state.get("memory_bytes"):
        workers, driver = " + ".join(f"{size / 1e6:,.0f}" for size in memory["workers"]), f"{memory['driver'] / 1e6:,.0f}"
        where = f"one process {driver}" if state.get("host") == "memory" else f"workers {workers}, driver {driver}"
        lines.append(f"memory at most, in MB: {where}")
    return lines
