"""Networks for tests, run in memory with simple models."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from semcast.agents.base import PAYLOADS, NetworkAgent, make_agents, make_world
from semcast.agents.settings import (
    ComputeSettings,
    KnowledgeSettings,
    NetworkSettings,
    StationSettings,
    TrafficSettings,
    UserSettings,
)
from semcast.bus.chain_log import run_digest
from semcast.bus.engine import Worker
from semcast.bus.envelope import Codec, Envelope
from semcast.bus.exchange.memory import Hub, MemoryExchange
from semcast.bus.outside import Injection

from .simple_models import models

CODEC = Codec(PAYLOADS)


def two_users(**changes: Any) -> NetworkSettings:
    """Two users, two cells, one edge."""
    settings: dict[str, Any] = {
        "seed": 5,
        "scheme": "gai-scn",
        "users": (UserSettings("user.0", ("mia/dog",)), UserSettings("user.1", ("leo/cat",))),
        "stations": (StationSettings("bs.0", 100.0, 100.0, "edge.0"), StationSettings("bs.1", 300.0, 100.0, "edge.0")),
        "edges": ("edge.0",),
        "area_m": (400.0, 200.0),
        "compute": ComputeSettings(user_flops=2.0e11, edge_flops=4.0e12, cloud_flops=4.0e13),
        "knowledge": KnowledgeSettings(privacy_cost=(0.1, 0.5)),
        "traffic": TrafficSettings(duration_s=6.0, start_s=2.0, rate_hz=1.0, feedback_sync_s=2.0),
    }
    return NetworkSettings(**(settings | changes))


def town(**changes: Any) -> NetworkSettings:
    """Eight fast users, three cells, two edges: handovers happen."""
    subjects = ("mia/dog", "leo/cat", "ana/car", "ben/cup")
    users = tuple(UserSettings(f"user.{i}", subjects[i : i + 1], speed_mps=25.0) for i in range(8))
    stations = (
        StationSettings("bs.0", 100.0, 100.0, "edge.0"),
        StationSettings("bs.1", 300.0, 100.0, "edge.0"),
        StationSettings("bs.2", 500.0, 100.0, "edge.1"),
    )
    traffic = TrafficSettings(duration_s=10.0, start_s=2.0, rate_hz=1.0, feedback_sync_s=2.0)
    return two_users(
        **(
            {"users": users, "stations": stations, "edges": ("edge.0", "edge.1"), "area_m": (600.0, 200.0), "traffic": traffic}
            | changes
        )
    )


@dataclass
class Run:
    """What a run left: digest, agents at the end, and all records as (envelope, private) in order of emission."""

    digest: str
    agents: dict[str, NetworkAgent]
    records: list[tuple[Envelope, bool]] = field(default_factory=list)

    def of(self, kind: type) -> list[Any]:
        """Payloads of a kind, each message once."""
        return [envelope.payload for envelope, _ in self.records if isinstance(envelope.payload, kind)]

    def sent(self, kind: type) -> list[Envelope]:
        """Envelopes of a kind."""
        return [envelope for envelope, _ in self.records if isinstance(envelope.payload, kind)]


class _Keep:
    def __init__(self, records: list[tuple[Envelope, bool]]) -> None:
        self.records = records

    def write(self, envelope: Envelope, raw: bytes, private: bool) -> None:
        assert CODEC.encode(CODEC.decode(raw)) == raw
        self.records.append((envelope, private))


def run(
    settings: NetworkSettings,
    workers: int = 1,
    role_models: Mapping[str, Any] | None = None,
    change: Callable[[Any], None] | None = None,
    injections: Sequence[Injection] = (),
) -> Run:
    """Run a network to its end. ``change`` may prepare every agent; ``injections``: what comes from outside."""
    world = make_world(settings, "test")
    hub, result = Hub(workers), Run("", {})

    async def work(index: int) -> Any:
        mine = [name for rank, name in enumerate(world.ids) if world.worker(rank, workers) == index]
        agents = make_agents(settings, mine)
        for agent in agents:
            result.agents[agent.id] = agent
            if change:
                change(agent)
        exchange = MemoryExchange(hub, index)
        worker = Worker(
            world,
            agents,
            exchange,
            index=index,
            workers=workers,
            models=role_models or models(),
            codec=CODEC,
            trace=_Keep(result.records),
        )
        worker.inject([each for each in injections if each.agent in worker.homes])
        return await worker.run()

    async def together() -> list[Any]:
        return list(await asyncio.gather(*(work(index) for index in range(workers))))

    chains: dict[str, str] = {}
    for report in asyncio.run(together()):
        chains |= report.chains
    result.digest = run_digest(chains)
    return result
