"""``semcast bench workers``: two workers against one, by what a handler costs, and against two bare processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ...bus.world import SHARDS
from .children import run_side_by_side, server
from .process import Job
from .turns import Result, row
from .workloads import work

OPTIONS = ("repeats", "quick")
HANDLERS_US = (20, 50, 200)


def run(repeats: int = 5, progress: Callable[[str], None] = lambda text: None, quick: bool = False) -> Result:
    """A ring of 1,000 agents, packed exchange; one worker before and after two, as a core's speed changes in seconds.

    Args:
        repeats: Turns.
        progress: Told what is measured next.
        quick: Few events, one cost of a handler.

    Returns:
        ``speedup_two_workers_<n>us`` and ``two_processes_bare_<n>us``: events/s (ratio: two against one, larger is better).
    """
    results: Result = {}
    for handler_us in (50,) if quick else HANDLERS_US:
        loops, events = _loops(handler_us * 1e-6), (10_000 if quick or handler_us > 100 else 40_000)
        ours, bare = [], []
        for turn in range(repeats):
            progress(f"handlers of {handler_us} us, turn {turn + 1} of {repeats}")
            ours.append(_two_against_one(lambda workers: _ring(workers, loops, events)))  # noqa: B023
            bare.append(_two_against_one(lambda processes: _bare(processes, loops, events)))  # noqa: B023
        point: dict[str, Any] = {"x": handler_us, "x_unit": "cost of a handler (us)"}
        results[f"speedup_two_workers_{handler_us}us"] = row(
            ours, "events/s", "one worker", f"1,000 agents in a ring, handlers of {handler_us} us", **point, series="two workers"
        )
        results[f"two_processes_bare_{handler_us}us"] = row(
            bare,
            "events/s",
            "one process",
            "the same work without an engine: what this machine's cores allow at most",
            **point,
            series="two bare processes",
        )
    return results


def _ring(workers: int, loops: int, events: int) -> float:
    with server(workers, SHARDS) as ours:
        jobs = [Job("ring", ours.worker(i), i, workers, rounds=events // 1000, loops=loops, agents=1000) for i in range(workers)]
        answers = run_side_by_side(*jobs)
    return sum(answer.count for answer in answers) / max(answer.seconds for answer in answers)


def _bare(processes: int, loops: int, events: int) -> float:
    with server() as ours:
        answers = run_side_by_side(*[Job("bare", ours.driver, rounds=events // processes, loops=loops)] * processes)
    return sum(answer.count / answer.seconds for answer in answers)


def _two_against_one(rate: Callable[[int], float]) -> tuple[float, float]:
    before, two, after = rate(1), rate(2), rate(1)
    return two, (before + after) / 2


def _loops(seconds: float) -> int:
    """Turns of ``work`` that take this long here, from the best of several tries."""
    tries = []
    for _ in range(7):
        start = time.perf_counter()
        work(100_000)
        tries.append(time.perf_counter() - start)
    return max(1, round(100_000 * seconds / min(tries)))
