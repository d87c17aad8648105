"""Runs the small networks over a real NATS server, all workers in one event loop."""

import asyncio
from collections.abc import Sequence
from typing import Any

from semcast.bus.engine import Worker, WorkerReport
from semcast.bus.exchange.nats import NatsExchange, nats_exchange
from semcast.bus.server import NatsServer
from semcast.bus.world import World

from .networks import ping_agents


def exchanges(server: NatsServer, world: World, form: str, workers: int, **options: Any) -> list[NatsExchange]:
    """One exchange a worker. The driver's credentials, since those of a worker are for four of them only."""
    if workers == server.workers:
        return [nats_exchange(form, world, k, workers, server.worker(k), **options) for k in range(workers)]
    return [nats_exchange(form, world, k, workers, server.driver, **options) for k in range(workers)]


def run_over_nats(
    world: World, ends: Sequence[NatsExchange], traces: Sequence[Any] = (), loop_factory: Any = None
) -> list[WorkerReport]:
    """Run the ping network to its end."""
    workers = len(ends)
    all_workers = [
        Worker(world, ping_agents(world, k, workers), end, index=k, workers=workers, trace=traces[k] if traces else None)
        for k, end in enumerate(ends)
    ]

    async def together() -> list[WorkerReport]:
        return list(await asyncio.gather(*(worker.run() for worker in all_workers)))

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(together())
