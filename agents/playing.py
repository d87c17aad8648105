"""Run a network in this process, perhaps with one of its decisions taken by the caller, and keep its records: an episode."""

import asyncio
from typing import Any

from ..bus.calls import ModelSet
from ..bus.collector import seldom_collecting
from ..bus.engine import Worker
from ..bus.envelope import Codec, Envelope
from ..bus.exchange.memory import Hub, MemoryExchange
from .base import PAYLOADS, make_agents, make_world
from .settings import NetworkSettings


class _Kept:
    """A trace in memory."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    def write(self, envelope: Envelope, raw: bytes, private: bool) -> None:
        self.envelopes.append(envelope)


def play(settings: NetworkSettings, kind: str, policy: Any, models: ModelSet) -> list[Envelope]:
    """Run a network to its end.

    Args:
        settings: The network; its own policy of the kind is not asked.
        kind: Policy kind, e.g. ``"prompt"``; empty: the network's own policies decide all.
        policy: Has the verb of the kind; called in simulated-time order. What it raises ends the run.
        models: What agents ask.

    Returns:
        All records, in the order in which they were made.
    """
    world, kept = make_world(settings, "episode"), _Kept()
    agents = make_agents(settings, world.ids)
    agents[0].around.loaded[kind] = ("caller", policy)  # all agents have these surroundings
    exchange = MemoryExchange(Hub(1), 0)
    worker = Worker(world, agents, exchange, models=models, codec=Codec(PAYLOADS), trace=kept)
    with seldom_collecting():
        asyncio.run(worker.run())
    return kept.envelopes
