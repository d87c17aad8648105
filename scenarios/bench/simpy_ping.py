"""The ping model of ``workloads.Pinger`` in SimPy, in the leanest form that SimPy allows.

A user is a process; a message is a timeout of one millisecond. The station handles a ping and answers it in the user's
process, so SimPy pays no store and no second process; per ping it has two events, as ours.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...bus import keys
from ...bus.clock import MS
from .workloads import LATENCY_NS


def run(users: int, stations: int, pings: int) -> int:
    """Run the model; returns the number of messages handled."""
    import simpy

    env = simpy.Environment()
    handled = [0] * stations

    def user(number: int) -> Generator[Any, Any, None]:
        yield env.timeout(1 + keys.integer(MS, "start", f"user.{number:05d}"))
        for _ in range(pings):
            yield env.timeout(LATENCY_NS)
            handled[number % stations] += 1
            yield env.timeout(LATENCY_NS)

    for number in range(users):
        env.process(user(number))
    env.run()
    return 2 * sum(handled)
