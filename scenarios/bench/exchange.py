"""``semcast bench exchange``: the bus between two processes against nats-py and against what the server can take at all."""

from __future__ import annotations

from collections.abc import Callable

from .children import run_side_by_side, server
from .process import Job
from .turns import Result, row

OPTIONS = ("repeats", "quick")


def run(repeats: int = 5, progress: Callable[[str], None] = lambda text: None, quick: bool = False) -> Result:
    """Messages of 1 kB, codec included, and empty rounds.

    Args:
        repeats: Turns; in each all are measured one after the other.
        progress: Told what is measured next.
        quick: Few messages.

    Returns:
        ``packed_messages_per_s`` (against nats-py one by one), ``packed_of_ceiling`` (against raw sockets, no codec),
        ``barrier_s`` (against a round trip of nats-py; smaller is better).
    """
    part = 20 if quick else 1
    packed, ceiling, barrier = [], [], []
    for turn in range(repeats):
        progress(f"turn {turn + 1} of {repeats}")
        ours = _packed(1000 // part)
        packed.append((ours, _nats_py(250_000 // part)))
        ceiling.append((ours, _raw(1_000_000 // part)))
        barrier.append(_barrier(3000 // part))
    workload = "1 kB messages from one process to another"
    return {
        "packed_messages_per_s": row(
            packed, "messages/s", "nats-py unpacked", f"{workload}, codec included; packed 256 a round against one by one"
        ),
        "packed_of_ceiling": row(
            ceiling, "messages/s", "raw sockets at the same server", f"{workload}; theirs are made once and never looked at"
        ),
        "barrier_s": row(
            barrier,
            "s",
            "one NATS round trip (nats-py)",
            "empty rounds of two worker processes against nats-py ping-pong of 64 B between two processes",
        ),
    }


def _packed(rounds: int) -> float:
    with server() as ours:
        answer = run_side_by_side(*(Job("packed", ours.worker(i), i, rounds=rounds, messages=256) for i in range(2)))[1]
    return answer.count / answer.seconds


def _nats_py(count: int) -> float:
    return _one_way("subscribe", "publish", count)


def _raw(count: int) -> float:
    return _one_way("raw_subscribe", "raw_publish", count)


def _one_way(receiver: str, sender: str, count: int) -> float:
    with server() as ours:
        jobs = (Job(receiver, ours.driver, messages=count), Job(sender, ours.driver, messages=count))
        answer = run_side_by_side(*jobs)[0]
    return answer.count / answer.seconds


def _barrier(rounds: int) -> tuple[float, float]:
    with server() as ours:
        swaps = run_side_by_side(*(Job("barrier", ours.worker(i), i, rounds=rounds) for i in range(2)))
        trips = run_side_by_side(Job("echo", ours.driver), Job("ask", ours.driver, rounds=rounds))[1]
    return swaps[0].seconds / swaps[0].count, trips.seconds / trips.count
