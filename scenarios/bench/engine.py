"""``semcast bench engine``: the engine against SimPy, and what its events and agents cost where there are many."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ...bus.access import Access
from ...bus.collector import seldom_collecting
from ...bus.engine import Worker
from ...bus.errors import Missing
from ...bus.exchange.memory import Hub, MemoryExchange
from . import simpy_ping
from .children import run_side_by_side
from .process import Job
from .turns import Result, row
from .workloads import ping_network

OPTIONS = ("repeats", "quick")
FEW, MANY = 10_000, 100_000
"""Agents."""


def run(repeats: int = 5, progress: Callable[[str], None] = lambda text: None, quick: bool = False) -> Result:
    """Host memory, without a trace. Ours encodes every message to MessagePack and hashes it, too; SimPy passes nothing on.

    Args:
        repeats: Turns.
        progress: Told what is measured next.
        quick: Small networks.

    Returns:
        ``engine_events_per_s`` (against SimPy, larger is better), ``event_s`` (of many agents against few, smaller is better) and
        ``agent_bytes``.
    """
    users, few, many = (100, 200, 2000) if quick else (1000, FEW, MANY)
    progress("engine_events_per_s")
    with seldom_collecting():  # all who are compared, as in a worker
        pairs = [_against_simpy(users) for _ in range(repeats)]
    results = {
        "engine_events_per_s": row(
            pairs,
            "messages/s",
            "SimPy",
            f"{users:,} users ping 10 base stations 100 times, host memory; ours also encodes and hashes each message",
        )
    }
    progress("event_s")
    turns = [(_event_s(many, few), _event_s(few, few)) for _ in range(repeats)]
    results["event_s"] = row(
        [(ours[0], theirs[0]) for ours, theirs in turns],
        "s of CPU",
        f"{few:,} agents",
        f"{many:,} agents, each of which wakes up once a second, writes to another one and is answered",
    )
    results["agent_bytes"] = row(
        [(ours[1], theirs[1]) for ours, theirs in turns],
        "B",
        f"{few:,} agents",
        f"of memory for each of {many:,} agents with a counter as state and one timer, with their queue and hash chains",
    )
    return results


def _against_simpy(users: int) -> tuple[float, float]:
    stations, pings = 10, 100
    try:
        start = time.perf_counter()
        theirs = simpy_ping.run(users, stations, pings) / (time.perf_counter() - start)
    except ImportError as error:
        raise Missing("the benchmark compares with SimPy, which is not installed", "pip install simpy") from error
    world, agents = ping_network(users, stations, pings)
    worker = Worker(world, agents, MemoryExchange(Hub(1), 0))
    start = time.perf_counter()
    asyncio.run(worker.run())
    return 2 * users * pings / (time.perf_counter() - start), theirs


def _event_s(agents: int, few: int) -> tuple[float, float]:
    """CPU seconds of an event, and bytes of an agent, in a process of its own."""
    job = Job("seldom", Access(""), agents=agents, rounds=max(3, 10 * few // agents))
    answer = run_side_by_side(job)[0]
    return answer.seconds / answer.count, answer.bytes / agents
