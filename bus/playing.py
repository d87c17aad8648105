"""Plays recorded messages onto NATS: each on the subject and with the bytes that it had, ordered and paced by simulated time.

What travelled is what is played: messages from one agent to another. Private records, and what an agent keeps to itself (timers,
model results, records), were on no subject and are on none now.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .clock import SECOND
from .exchange.client import Client
from .exchange.live import Live
from .trace_reading import TraceRecord

_AHEAD_BYTES = 1 << 20
"""So many bytes wait at most until the operating system has them."""


@dataclass(frozen=True)
class Played:
    """How far a play is.

    Attributes:
        messages: Messages published.
        payload_bytes: Their bytes.
        t_ns: Delivery time of the last one.
        wall_s: Wall time since the first one.
        late_s: By how much the latest message was behind its time; 0 where there is no pace.
    """

    messages: int = 0
    payload_bytes: int = 0
    t_ns: int = 0
    wall_s: float = 0.0
    late_s: float = 0.0


def on_subjects(records: Iterable[TraceRecord]) -> list[TraceRecord]:
    """Those records that travelled from one agent to another, in their order."""
    return [record for record in records if not record.private and record.envelope.source != record.envelope.destination]


async def play(
    client: Client,
    live: Live,
    messages: Sequence[TraceRecord],
    speed: float,
    on_progress: Callable[[Played], None] = lambda played: None,
) -> Played:
    """Publish messages in their order, each when it is due; returns when the server has all of them.

    Args:
        client: Connected, with credentials that may publish on the run's subjects.
        live: How the run's messages are put on their subjects.
        messages: See `on_subjects`.
        speed: Simulated seconds in a second of wall time; 0 as fast as the server takes them.
        on_progress: Called now and then.

    Raises:
        OSError: The connection is gone.
    """
    done = Played()
    started_s = time.monotonic()
    first_ns = messages[0].envelope.t_deliver if messages else 0
    waiting = 0
    for number, record in enumerate(messages, 1):
        envelope = record.envelope
        due_s = started_s + (envelope.t_deliver - first_ns) / SECOND / speed if speed else 0.0
        late_s = max(time.monotonic() - due_s, 0.0) if speed else 0.0
        if time.monotonic() < due_s or waiting >= _AHEAD_BYTES:
            await client.written()
            on_progress(done)
            waiting = 0
            await asyncio.sleep(max(due_s - time.monotonic(), 0.0))
        for outgoing in live.outgoing(envelope, record.raw, client.max_payload):
            client.publish(*outgoing)
        waiting += len(record.raw)
        wall_s = time.monotonic() - started_s
        done = Played(number, done.payload_bytes + len(record.raw), envelope.t_deliver, wall_s, max(done.late_s, late_s))
    await client.ping()
    on_progress(done)
    return done
