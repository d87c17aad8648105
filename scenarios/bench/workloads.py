"""Agents without models that load the engine in known ways."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from ...bus import keys
from ...bus.clock import MS, SECOND
from ...bus.engine import Context
from ...bus.envelope import Envelope
from ...bus.messages import Tick
from ...bus.world import World

LATENCY_NS = MS


class Count(Struct):
    """State: how many events were seen."""

    seen: int = 0


class Pinger:
    """A user that pings its base station and pings again when the answer is there."""

    def __init__(self, name: str, station: str, pings: int) -> None:
        self.id, self.station, self.pings = name, station, pings
        self.state = Count()

    def start(self, ctx: Context) -> None:
        """First ping at a keyed time within a millisecond."""
        ctx.timer(1 + keys.integer(MS, "start", self.id), Tick("go"))

    def handle(self, event: Envelope, ctx: Context) -> None:
        """Count and ping again."""
        if self.state.seen < self.pings:
            self.state.seen += 1
            ctx.send(self.station, Tick("ping", self.state.seen))


class Station:
    """A base station that answers."""

    def __init__(self, name: str) -> None:
        self.id = name
        self.state = Count()

    def start(self, ctx: Context) -> None:
        """Waits to be pinged."""

    def handle(self, event: Envelope, ctx: Context) -> None:
        """Answer."""
        self.state.seen += 1
        ctx.send(event.source, Tick("pong", event.payload.number))


class Seldom(Pinger):
    """A user that wakes up once a second, at a time of its own, and writes to a station."""

    def start(self, ctx: Context) -> None:
        """First at a keyed time within a second."""
        ctx.timer(1 + keys.integer(SECOND, "start", self.id), Tick("wake"))

    def handle(self, event: Envelope, ctx: Context) -> None:
        """Write when it wakes up; sleep when it is answered."""
        if event.payload.name == "wake":
            ctx.send(self.station, Tick("ping", self.state.seen))
        elif self.state.seen < self.pings:
            self.state.seen += 1
            ctx.timer(SECOND, Tick("wake"))


class Busy:
    """An agent whose handler works for ``loops`` turns of a Python loop and then writes to the next agent of its ring."""

    def __init__(self, name: str, peer: str, loops: int, events: int) -> None:
        self.id, self.peer, self.loops, self.events = name, peer, loops, events
        self.state = Count()

    def start(self, ctx: Context) -> None:
        """Send the first message."""
        ctx.send(self.peer, Tick("work"))

    def handle(self, event: Envelope, ctx: Context) -> None:
        """Work, then send on."""
        work(self.loops)
        self.state.seen += 1
        if self.state.seen < self.events:
            ctx.send(self.peer, Tick("work", self.state.seen))


def work(loops: int) -> int:
    """``loops`` turns of a loop that nothing optimises away."""
    total = 0
    for i in range(loops):
        total += i & 3
    return total


def ping_network(users: int, stations: int, pings: int) -> tuple[World, list[Any]]:
    """``users`` that ping ``stations`` over links of one millisecond."""
    return _star(Pinger, users, stations, pings)


def seldom_network(users: int, seconds: int) -> tuple[World, list[Any]]:
    """``users`` that write to one of a hundredth as many stations once a second."""
    return _star(Seldom, users, max(1, users // 100), seconds - 1)


def _star(user: type[Pinger], users: int, stations: int, pings: int) -> tuple[World, list[Any]]:
    names = sorted([f"user.{i:05d}" for i in range(users)] + [f"bs.{i}" for i in range(stations)])
    world = World("bench", 1, LATENCY_NS, tuple(names), {"user>bs": LATENCY_NS, "bs>user": LATENCY_NS})
    agents: list[Any] = [
        Station(name) if name.startswith("bs") else user(name, f"bs.{i % stations}", pings) for i, name in enumerate(names)
    ]
    return world, agents


def ring_network(agents: int, loops: int, events: int) -> tuple[World, list[Any]]:
    """A ring in which everybody works at once; neighbours lie on different shards."""
    names = [f"user.{i:05d}" for i in range(agents)]
    world = World("bench", 1, LATENCY_NS, tuple(names), {"user>user": LATENCY_NS})
    return world, [Busy(name, names[(i + 1) % agents], loops, events) for i, name in enumerate(names)]
