"""``semcast bench scale``: what a request costs, and a user in memory, in networks of ever more users."""

from __future__ import annotations

import asyncio
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from ...bus.errors import RunFailed
from .turns import Result, number

OPTIONS = ("repeats", "quick", "most", "models")
SCENARIO, SCENARIO_USERS = "city", 10_000
SMALLEST, BASE = 100, 10_000
DURATION_S, RATE_HZ = 10.0, 0.018
"""Simulated time, and requests a second and user before the shape of the day."""
PER_USER = ("stations", "edges")


class Point(Struct, frozen=True):
    """What one process measures: a network of so many users with models of a profile."""

    users: int
    models: str


class Measured(Struct, frozen=True):
    """CPU seconds of making the network and of running it, requests, and bytes of memory at most beyond what was there before."""

    start_s: float
    run_s: float
    requests: int
    bytes: int


def run(
    repeats: int = 5,
    progress: Callable[[str], None] = lambda text: None,
    quick: bool = False,
    most: int = 10_000,
    models: str = "table",
) -> Result:
    """The scenario ``city`` at 250 users a cell, host memory, one worker without a trace; each point in a process of its own.

    Args:
        repeats: Turns, three at most; one above 10,000 users. In each all sizes come one after the other.
        progress: Told what is measured next.
        quick: Two small networks.
        most: Users of the largest network; the smallest has 100, and each has ten times those of the one before.
        models: Profile, or ``module:function``.

    Returns:
        ``request_s_<users>``; beyond the next smaller network ``user_bytes_<users>`` and ``start_user_s_<users>`` a user.
        Ratios are against the network of 10,000 users, or the largest that is smaller; smaller is better.

    Raises:
        RunFailed: A network failed.
    """
    sizes = [SMALLEST * 10**power for power in range(7) if SMALLEST * 10**power <= (1000 if quick else most)]
    found: dict[int, list[Measured]] = {users: [] for users in sizes}
    for turn in range(1 if quick else min(repeats, 3)):
        for users in sizes:
            if turn == 0 or users <= BASE:
                progress(f"{users:,} users, turn {turn + 1}")
                found[users].append(_in_a_process(Point(users, models)))
    return _rows(found, max(users for users in sizes if users <= BASE), models)


def _rows(found: dict[int, list[Measured]], base: int, models: str) -> Result:
    results: Result = {}
    for name, (unit, what, of) in KINDS.items():
        known = {users: [of(users, *each) for each in _pairs(found, users) if each[1] or of is _request_s] for users in found}
        for users, values in known.items():
            ratios = [value / theirs for value, theirs in zip(values, known[base], strict=False) if theirs]
            if not ratios:
                continue
            requests = statistics.median(each.requests for each in found[users])
            results[f"{name}_{users}"] = {
                "value": statistics.median(values),
                "unit": unit,
                "ratio": statistics.median(ratios),
                "against": f"{base:,} users: {number(statistics.median(known[base]))} {unit}",
                "workload": f"{SCENARIO} with {users:,} users, {DURATION_S:g} s, {requests:g} requests, models {models}",
                "low": min(ratios),
                "high": max(ratios),
                "turns": len(values),
                "x": users,
                "x_unit": "users",
                "series": what,
            }
    return results


def _pairs(found: dict[int, list[Measured]], users: int) -> list[tuple[Measured, Measured | None]]:
    """Each turn of a size with the same turn of a tenth of it, if there is one."""
    smaller = found.get(users // 10, [])
    return [(each, smaller[turn] if turn < len(smaller) else None) for turn, each in enumerate(found[users])]


def _request_s(users: int, each: Measured, smaller: Measured | None) -> float:
    return each.run_s / max(1, each.requests)


def _more_bytes(users: int, each: Measured, smaller: Measured | None) -> float:
    return (each.bytes - smaller.bytes) / (users - users // 10) if smaller else math.nan


def _more_start_s(users: int, each: Measured, smaller: Measured | None) -> float:
    return (each.start_s - smaller.start_s) / (users - users // 10) if smaller else math.nan


KINDS: dict[str, tuple[str, str, Callable[[int, Measured, Measured | None], float]]] = {
    "request_s": ("s of CPU", "a request", _request_s),
    "user_bytes": ("B", "memory of one more user", _more_bytes),
    "start_user_s": ("s of CPU", "making one more user", _more_start_s),
}
"""Name -> unit, what it is, and how it is got from a network and one of a tenth of its users, if there is one."""


def _in_a_process(point: Point) -> Measured:
    done = subprocess.run([sys.executable, "-m", __name__], input=msgspec.json.encode(point), stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise RunFailed(f"the network of {point.users:,} users ended with exit status {done.returncode}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Measured)


def settings_of(users: int) -> dict[str, Any]:
    """What of the scenario changes with the number of users, so that cells and processors have the same load."""
    from ..loading import load

    whole = load(SCENARIO)
    part = users / SCENARIO_USERS
    network = {f"network.{name}": max(1, round(getattr(whole.network, name) * part)) for name in PER_USER}
    return network | {
        "network.users": users,
        "network.area_m": [side * math.sqrt(part) for side in whole.network.area_m],
        "compute.cloud_accelerators": max(2, round(whole.compute.cloud_accelerators * part)),
        "traffic.duration_s": DURATION_S,
        "traffic.rate_hz": RATE_HZ,
    }


def measure(point: Point) -> Measured:
    """Make and run one network in this process."""
    from ...agents.base import PAYLOADS, make_agents, make_world
    from ...agents.memory import peak_memory_bytes
    from ...agents.models.loading import load_models
    from ...bus.collector import seldom_collecting
    from ...bus.engine import Worker
    from ...bus.envelope import Codec
    from ...bus.exchange.memory import Hub, MemoryExchange
    from ...bus.records import Capture
    from ..build import network_settings
    from ..loading import load

    class Counting:
        captured = 0

        def write(self, envelope: Any, raw: bytes, private: bool) -> None:
            self.captured += envelope.payload.__class__ is Capture

    settings = network_settings(load(SCENARIO, overrides=settings_of(point.users)))
    models, counting, before = load_models(point.models), Counting(), peak_memory_bytes()
    with seldom_collecting():
        start_s = time.process_time()
        world = make_world(settings, "bench")
        agents, exchange = make_agents(settings, world.ids), MemoryExchange(Hub(1), 0)
        worker = Worker(world, agents, exchange, models=models, codec=Codec(PAYLOADS), trace=counting)
        worker.start()
        worker.granted = 0  # they have been started
        run_s = time.process_time()
        asyncio.run(worker.run())
    return Measured(run_s - start_s, time.process_time() - run_s, counting.captured, peak_memory_bytes() - before)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(measure(msgspec.json.decode(sys.stdin.buffer.read(), type=Point))) + b"\n")
