"""Where the wall time of a run went: what had to be started, what workers did, what was made of it."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Seconds = dict[str, float]


def process_age_s() -> float:
    """Seconds since this process was started: at its beginning, what interpreter and imports took. 0 where nobody tells."""
    try:
        started_ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started_ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, AttributeError, IndexError):
        return 0.0


@contextmanager
def lap(seconds: Seconds, name: str) -> Iterator[None]:
    """Note the wall time of what is done within."""
    started_s = time.monotonic()
    try:
        yield
    finally:
        seconds[name] = round(time.monotonic() - started_s, 3)


def profile_rows(run: Mapping[str, Any]) -> list[dict[str, object]]:
    """Where the wall time of a run went, of its ``run.json``: what, seconds, share of its part.

    Phases are one after the other. So are, more or less, the parts of the start; agents and models are those of the worker that
    took longest, and a part of the time until the first result. ``workers`` are the seconds of all workers added up, each
    moment of a worker counted to the innermost thing that it was doing; ``idle`` is waiting for peers.
    """
    rows: list[dict[str, object]] = []
    parts = {"phases": run.get("phases_s", {}), "start": run.get("start_s", {}), "workers": run["profile"]["workers"]}
    for part, seconds in parts.items():
        total = sum(seconds.values()) or 1.0
        order = sorted(seconds, key=lambda name: -seconds[name]) if part == "workers" else seconds
        for name in order:
            share = "" if part == "start" else f"{seconds[name] / total:.1%}"
            rows.append({"of": part, "what": name, "s": round(seconds[name], 3), "share": share})
    return rows
