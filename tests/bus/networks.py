"""Small model-free networks for tests of the engine and its hosts."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct
from semcast.bus import keys
from semcast.bus.engine import Context, Worker, WorkerReport
from semcast.bus.envelope import Envelope
from semcast.bus.exchange.memory import Hub, MemoryExchange
from semcast.bus.messages import Tick
from semcast.bus.world import World

L = 1_000_000
LATENCY = {"user>bs": L, "bs>user": 2 * L, "user>user": 3 * L}


class Count(Struct):
    """State: messages seen and a running sum that depends on their order."""

    seen: int = 0
    mix: int = 0


class PingUser:
    """Pings its base station at keyed times and, after every third answer, greets another user."""

    def __init__(self, name: str, bs: str, users: int, pings: int) -> None:
        self.id, self.bs, self.users, self.pings = name, bs, users, pings
        self.state = Count()

    def start(self, ctx: Context) -> None:
        ctx.timer(1 + keys.integer(5 * L, ctx.seed, "first", self.id), Tick("go"))

    def handle(self, event: Envelope, ctx: Context) -> None:
        state = self.state
        state.mix = (state.mix * 31 + ctx.now + event.payload.number) % 2**61
        state.seen += 1
        if event.payload.name == "greeting":
            return
        if state.seen <= self.pings:
            ctx.send(self.bs, Tick("ping", state.mix % 1000), after_ns=keys.integer(3 * L, ctx.seed, self.id, state.seen))
        if state.seen % 3 == 0:
            ctx.send(f"user.{state.mix % self.users:02d}", Tick("greeting", state.seen))
        if state.seen == 4:
            ctx.timer(400 * L, Tick("late"))


class PingStation:
    """Answers pings with a number that depends on everything before."""

    def __init__(self, name: str) -> None:
        self.id = name
        self.state = Count()

    def start(self, ctx: Context) -> None:
        ctx.record(Tick("open"))

    def handle(self, event: Envelope, ctx: Context) -> None:
        self.state.seen += 1
        self.state.mix = (self.state.mix * 17 + event.payload.number) % 2**61
        ctx.send(event.source, Tick("pong", self.state.mix), in_reply_to=f"{event.source}:{event.sequence}")


def ping_world(seed: int = 1, users: int = 12, stations: int = 3, **changes: Any) -> World:
    ids = sorted([f"user.{i:02d}" for i in range(users)] + [f"bs.{i}" for i in range(stations)])
    return World(run="test", seed=seed, lookahead_ns=L, ids=tuple(ids), latency_ns=LATENCY, chain_windows=8, **changes)


def ping_agents(world: World, index: int = 0, workers: int = 1, pings: int = 12) -> list[Any]:
    """The agents of one worker."""
    users = [name for name in world.ids if name.startswith("user")]
    stations = [name for name in world.ids if name.startswith("bs")]
    agents: list[Any] = []
    for rank, name in enumerate(world.ids):
        if world.worker(rank, workers) == index:
            bs = stations[rank % len(stations)]
            agents.append(PingStation(name) if name in stations else PingUser(name, bs, len(users), pings))
    return agents


def run_in_memory(
    world: World,
    workers: int = 1,
    make: Callable[[World, int, int], Sequence[Any]] = ping_agents,
    chaos: Any = None,
    **options: Any,
) -> list[WorkerReport]:
    """Run a network with ``workers`` tasks of one process."""
    hub = Hub(workers)
    all_workers = [
        Worker(world, make(world, k, workers), MemoryExchange(hub, k, chaos), index=k, workers=workers, **options)
        for k in range(workers)
    ]

    async def together() -> list[WorkerReport]:
        return list(await asyncio.gather(*(worker.run() for worker in all_workers)))

    return asyncio.run(together())


def digest(reports: Sequence[WorkerReport]) -> str:
    from semcast.bus.chain_log import run_digest

    return run_digest({name: value for report in reports for name, value in report.chains.items()})
