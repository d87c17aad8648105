"""A worker's state between two windows as bytes: agents, queue, pending calls, counters and chains.

The format is MessagePack with a version. It holds everything that the rest of the run depends on, so that a worker made
anew from it goes on to the same digest. Snapshots are taken where an interval of the hash chains ends.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from .calls import PendingCall
from .chain_log import ChainColumns
from .engine import Worker
from .envelope import DATA, VERSION, Codec, Envelope
from .errors import BadInput
from .homes import setting_of
from .outside import Injection

SNAPSHOT_VERSION = 3


class AgentSnapshot(Struct, frozen=True, array_like=True):
    """One agent: its own state (msgpack), the number of its next record, when each processor is free (none called yet: empty)."""

    state: bytes
    sequence: int
    free_ns: list[int]


class WorkerSnapshot(Struct, frozen=True):
    """A worker that is about to execute the window ``granted`` and to end ``round`` after it.

    ``queue`` and ``calls`` hold encoded envelopes; a call's payload is its arguments. ``taken``: see ``Exchange``.
    ``handled``: events by role. ``chains``: see ``ChainLog``.
    """

    version: int
    seed: int
    index: int
    workers: int
    round: int
    granted: int
    interval: int
    windows: int
    events: int
    handled: dict[str, int]
    t_ns: int
    taken: dict[str, int]
    agents: dict[str, AgentSnapshot]
    chains: ChainColumns
    queue: list[bytes]
    calls: list[tuple[bytes, str]]


def take(worker: Worker) -> bytes:
    """Snapshot of a worker that is between two windows.

    Model calls that wait are kept as calls; one that has run already is kept as a call too, and runs again to the same result.
    What comes from outside is no part of it: it has a log of its own (bus/asks.py).
    """
    worker.close_interval()
    agents = {
        name: AgentSnapshot(msgspec.msgpack.encode(home.agent.state), home.sequence, home.free_ns or [])
        for name, home in worker.homes.items()
    }
    encode = worker.codec.encode
    events = [entry[4] for entry in worker.queue.entries()]
    queue = [encode(event) for event in events if event.__class__ is not PendingCall and event.__class__ is not Injection]
    calls = [(encode(_call_envelope(event)), event.role) for event in events if event.__class__ is PendingCall]
    return msgspec.msgpack.encode(
        WorkerSnapshot(
            version=SNAPSHOT_VERSION,
            seed=worker.world.seed,
            index=worker.index,
            workers=worker.workers,
            round=worker.round,
            granted=worker.granted,
            interval=worker.interval,
            windows=worker.windows,
            events=worker.events,
            handled=worker.events_by_role(),
            t_ns=worker.t_ns,
            taken=dict(worker.exchange.taken),
            agents=agents,
            chains=worker.intervals.columns(),
            queue=queue,
            calls=calls,
        )
    )


def restore(worker: Worker, raw: bytes, arguments: Codec) -> None:
    """Put a fresh worker (same world, index and number of workers, not started) into the state of a snapshot.

    Args:
        worker: The worker to fill.
        raw: What ``take`` made.
        arguments: Codec whose payloads are the arguments of model calls.

    Raises:
        BadInput: The bytes are no snapshot of this worker. It is then good for nothing.
    """
    try:
        _fill(worker, msgspec.msgpack.decode(raw, type=WorkerSnapshot), arguments)
    except (ValueError, RecursionError, LookupError, OverflowError, TypeError) as error:
        raise BadInput(f"not a snapshot: {type(error).__name__}: {error}") from error


def _fill(worker: Worker, shot: WorkerSnapshot, arguments: Codec) -> None:
    """Put a worker into the state of a snapshot.

    Raises:
        BadInput: It is another worker's.
        ValueError, RecursionError, LookupError, OverflowError, TypeError: It is no snapshot.
    """
    expected: tuple[Any, ...] = (SNAPSHOT_VERSION, worker.world.seed, worker.index, worker.workers, list(worker.homes))
    if (shot.version, shot.seed, shot.index, shot.workers, list(shot.agents)) != expected:
        raise BadInput("the snapshot is of another version, seed, worker or set of agents", "resume with the run's own scenario")
    for name, kept in shot.agents.items():
        home = worker.homes[name]
        if kept.free_ns and len(kept.free_ns) != (count := setting_of(worker.world.processors, home, 1)):
            raise ValueError(f"{name} has {count} processors, not {len(kept.free_ns)}")
        home.agent.state = msgspec.msgpack.decode(kept.state, type=type(home.agent.state))
        home.sequence = kept.sequence
        home.free_ns = sorted(kept.free_ns) or None
    worker.intervals.restore(shot.chains)
    homes = list(worker.homes.values())
    for number, value in worker.intervals.last():
        homes[number].value = value
    for role, events in shot.handled.items():
        worker.roles[role].events = events
    worker.round, worker.granted, worker.interval, worker.windows = shot.round, shot.granted, shot.interval, shot.windows
    worker.exchange.taken |= shot.taken
    worker.events, worker.t_ns = shot.events, shot.t_ns
    queue = [worker.codec.decode(item) for item in shot.queue]
    strangers = [event.destination for event in queue if event.destination not in worker.homes]
    if strangers:
        raise ValueError(f"an event for {strangers[0]}, which is not of this worker")
    worker.accept(queue)
    for item, role in shot.calls:
        _restore_call(worker, arguments.decode(item), role)


def _call_envelope(call: PendingCall) -> Envelope:
    t_done, _, _, sequence = call.order
    return Envelope(VERSION, call.t_issue, t_done, DATA, call.agent, call.agent, sequence, call.key, "activity", call.arguments)


def _restore_call(worker: Worker, e: Envelope, role: str) -> None:
    order = (e.t_deliver, e.priority, worker.homes[e.source].id, e.sequence)
    call = PendingCall(order, e.t_send, e.source, role, e.payload, e.in_reply_to)
    worker.calls.add(call)
    worker.put((*order, call, worker.homes[e.source]))
