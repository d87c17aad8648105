"""``semcast bench engine``: engine and bus against SimPy, nats-py and themselves; medians and ratios inside one run."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import msgspec

from ...bus.collector import seldom_collecting
from ...bus.engine import Worker
from ...bus.errors import Missing
from ...bus.exchange.memory import Hub, MemoryExchange
from ...bus.server import NatsServer
from . import simpy_ping
from .process import Answer, Job
from .workloads import ping_network, work

Result = dict[str, dict[str, float | str]]
HANDLER_S = 50e-6


def run(repeats: int = 5, progress: Callable[[str], None] = lambda text: None) -> Result:
    """All engine benchmarks.

    Args:
        repeats: Turns of each pair; a value is the median over the turns, a ratio the median of the turns' ratios.
        progress: Told what is measured next.

    Returns:
        Name -> ``value``, ``unit``, ``ratio`` (ours against the other, larger is better except for the barrier), ``against``,
        ``workload``.
    """
    results: Result = {}
    for name, measure, workload in (
        (
            "engine_events_per_s",
            _against_simpy,
            "1,000 users ping 10 base stations 100 times, host memory, hash chains on, no trace",
        ),
        (
            "packed_messages_per_s",
            _packed,
            "1 kB messages between two processes, codec included; packed 256 a round against one by one",
        ),
        ("barrier_s", _barrier, "empty rounds of two worker processes against nats-py ping-pong of 64 B between two processes"),
        (
            "speedup_two_workers",
            _speedup,
            "1,000 agents in a ring, handlers of 50 us, packed exchange; events/s of W=2 against W=1 before and after it",
        ),
        (
            "two_processes_bare",
            _bare,
            "the work of these handlers without an engine: what this machine's two cores allow speedup_two_workers to be",
        ),
    ):
        progress(name)
        with seldom_collecting():  # all who are compared, as in a worker
            pairs = [measure() for _ in range(repeats)]
        first = pairs[0]
        results[name] = {
            "value": statistics.median(ours for ours, _, _, _ in pairs),
            "unit": first[3],
            "ratio": statistics.median(ours / theirs for ours, theirs, _, _ in pairs),
            "against": f"{first[2]}: {statistics.median(theirs for _, theirs, _, _ in pairs):.6g} {first[3]}",
            "workload": workload,
        }
    return results


def _against_simpy() -> tuple[float, float, str, str]:
    users, stations, pings = 1000, 10, 100
    try:
        start = time.perf_counter()
        theirs = simpy_ping.run(users, stations, pings) / (time.perf_counter() - start)
    except ImportError as error:
        raise Missing("the benchmark compares with SimPy, which is not installed", "pip install simpy") from error
    world, agents = ping_network(users, stations, pings)
    worker = Worker(world, agents, MemoryExchange(Hub(1), 0))
    start = time.perf_counter()
    asyncio.run(worker.run())
    ours = 2 * users * pings / (time.perf_counter() - start)
    return ours, theirs, "SimPy", "messages/s"


def _children(server: NatsServer, *jobs: Job) -> list[Answer]:
    """Run jobs side by side, each in a process of its own."""
    processes = []
    for job in jobs:
        process = subprocess.Popen(
            [sys.executable, "-m", "semcast.scenarios.bench.process"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(msgspec.json.encode(job) + b"\n")
        process.stdin.flush()
        if job.what == "subscribe":
            process.stdout.readline()
        processes.append(process)
    answers = []
    for process in processes:
        out, _ = process.communicate(timeout=300)
        answers.append(msgspec.json.decode(out.splitlines()[-1], type=Answer))
    return answers


def _server(workers: int = 2, shards: int = 2) -> NatsServer:
    return NatsServer("bench", workers, shards)


def _packed() -> tuple[float, float, str, str]:
    with _server() as server:
        jobs = [Job("packed", server.worker(i), i, rounds=1000, messages=256) for i in range(2)]
        answer = _children(server, *jobs)[1]
        count = 250_000
        plain = _children(server, Job("subscribe", server.driver, messages=count), Job("publish", server.driver, messages=count))[
            0
        ]
    return answer.count / answer.seconds, plain.count / plain.seconds, "nats-py unpacked", "messages/s"


def _barrier() -> tuple[float, float, str, str]:
    with _server() as server:
        swaps = _children(server, *(Job("barrier", server.worker(i), i, rounds=3000) for i in range(2)))
        trips = _children(server, Job("echo", server.driver), Job("ask", server.driver, rounds=3000))[1]
    return swaps[0].seconds / swaps[0].count, trips.seconds / trips.count, "one NATS round trip (nats-py)", "s"


def _speedup() -> tuple[float, float, str, str]:
    loops = _loops(HANDLER_S)

    def rate(workers: int) -> float:
        with _server(workers, 16) as server:
            jobs = [Job("ring", server.worker(i), i, workers, rounds=40, loops=loops, agents=1000) for i in range(workers)]
            answers = _children(server, *jobs)
        return sum(answer.count for answer in answers) / max(answer.seconds for answer in answers)

    return *_two_against_one(rate), "one worker", "events/s"


def _bare() -> tuple[float, float, str, str]:
    loops = _loops(HANDLER_S)

    def rate(processes: int) -> float:
        with _server() as server:
            answers = _children(server, *[Job("bare", server.driver, rounds=40_000 // processes, loops=loops)] * processes)
        return sum(answer.count / answer.seconds for answer in answers)

    return *_two_against_one(rate), "one process", "events/s"


def _two_against_one(rate: Callable[[int], float]) -> tuple[float, float]:
    """Rates of two processes and of one; one before and after two, since a core's speed changes within seconds."""
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
