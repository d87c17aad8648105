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
        seconds[name] = time.monotonic() - started_s


def profile_rows(profile: Mapping[str, Any]) -> list[dict[str, object]]:
    """The ``profile`` of ``run.json`` as a table: what, seconds, share of its part.

    ``driver`` is one after the other; ``workers`` are the seconds of all workers added up, each moment of a worker counted to
    the innermost thing that it was doing. ``idle`` is waiting for peers.
    """
    rows: list[dict[str, object]] = []
    for part in ("driver", "workers"):
        seconds = profile.get(part, {})
        total = sum(seconds.values()) or 1.0
        order = seconds if part == "driver" else sorted(seconds, key=lambda name: -seconds[name])
        rows += [
            {"of": part, "what": name, "s": round(seconds[name], 3), "share": f"{seconds[name] / total:.1%}"} for name in order
        ]
    return rows
