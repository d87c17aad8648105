"""Two workers of the ping network, connected over a real server, and messages between them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import nats
from semcast.bus.envelope import VERSION, Codec, Envelope
from semcast.bus.exchange.nats import nats_exchange
from semcast.bus.exchange.rounds import NatsExchange
from semcast.bus.messages import Tick
from semcast.bus.server import NatsServer

from .networks import ping_world

FORMS = ("subjects", "packed")
WORLD = ping_world()
CODEC = Codec()
OF_WORKER = [[a for r, a in enumerate(WORLD.ids) if WORLD.worker(r, 2) == k] for k in range(2)]


def message(source: str, to: str, sequence: int, payload: Any = None) -> tuple[Envelope, bytes]:
    envelope = Envelope(VERSION, 0, 1_000_000, 2, source, to, sequence, "", "agent", payload or Tick("x", sequence))
    return envelope, CODEC.encode(envelope)


def same(received: list[Envelope], *sent: tuple[Envelope, bytes]) -> bool:
    """Whether these were received, byte for byte."""
    return sorted(CODEC.encode(envelope) for envelope in received) == sorted(raw for _, raw in sent)


@asynccontextmanager
async def pair(server: NatsServer, form: str, **options: Any) -> AsyncIterator[list[NatsExchange]]:
    """Two workers, connected."""
    ends = [nats_exchange(form, WORLD, k, 2, server.driver, **options) for k in range(2)]
    await asyncio.gather(*(end.open() for end in ends))
    try:
        yield ends
        if all(end._over for end in ends):
            await asyncio.gather(*(end.leave() for end in ends))
    finally:
        await asyncio.gather(*(end.close() for end in ends))


async def swap(ends: list[NatsExchange], round: int, out: Any = None, floor: int = 5) -> list[tuple[list[Envelope], int]]:
    """One round of both, with ``out[worker][peer]``."""
    out = out or [[[], []], [[], []]]
    return list(await asyncio.gather(*(end.swap(round, out[k], floor) for k, end in enumerate(ends))))


@asynccontextmanager
async def client(server: NatsServer) -> AsyncIterator[Any]:
    """A plain NATS client that may do anything in the run."""
    connection = await nats.connect(server.url, user=server.driver.user, password=server.driver.password)
    yield connection
    await connection.close()
