"""The engine: agents take events in key order, window by window; the same records on every host (DESIGN section 2).

A worker holds the agents of some shards. It executes one window, hands what was sent to the exchange and learns the
earliest time at which anybody has something to do: the next window is the one that holds it. Nothing here reads the wall
clock, a set's order or the order of arrival.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol

from . import keys
from .calls import ModelCalls, ModelSet, PendingCall
from .clock import NEVER, SECOND
from .envelope import ACTIVITY, AGENT, CONTROL, DATA, OUTSIDE, PRIVATE, TIMER, VERSION, Codec, Envelope
from .errors import RunFailed
from .outside import Injection, Outside
from .payload import Message
from .world import World

if TYPE_CHECKING:
    from .exchange import Exchange

CHAIN_BYTES = 16


class Agent(Protocol):
    """Plain logic without I/O: an event and a context in; messages, timers, model calls and records out."""

    id: str
    state: Any
    """All that changes, one msgpack-serialisable struct."""

    def start(self, ctx: Context) -> None:
        """Called once at time 0."""

    def handle(self, event: Envelope, ctx: Context) -> None:
        """Take one event."""


class TraceSink(Protocol):
    """Where records go (bus/trace.py)."""

    def write(self, envelope: Envelope, raw: bytes, private: bool) -> None:
        """Keep one record; ``raw`` is its MessagePack form."""


class _Home:
    """The engine's side of one agent: counter, chain and latencies."""

    __slots__ = (
        "agent",
        "busy_ns",
        "chain",
        "chain_values",
        "events",
        "id",
        "latency",
        "rank",
        "role",
        "sequence",
        "throughput",
        "touched",
    )

    def __init__(self, agent: Agent, rank: int, world: World) -> None:
        self.agent = agent
        self.id = agent.id
        self.role = agent.id.partition(".")[0]
        self.rank = rank
        self.sequence = 0
        self.busy_ns = [0] * world.processors.get(self.id, world.processors.get(self.role, 1))
        self.events = 0
        self.throughput = int(world.throughput.get(self.id, world.throughput.get(self.role, 0)))
        self.chain = blake2b(digest_size=CHAIN_BYTES)
        self.chain_values: list[tuple[int, bytes]] = []
        self.touched = False
        self.latency: dict[str, tuple[int, int, int]] = {}


class Context:
    """What an agent may do while it handles an event. One object per worker; valid only during the call."""

    __slots__ = ("_home", "_worker", "id", "now", "seed")

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._home: _Home
        self.seed = worker.world.seed
        self.now = 0
        self.id = ""

    def send(
        self, to: str, payload: Message, *, after_ns: int = 0, in_reply_to: str = "", priority: int = DATA, origin: str = AGENT
    ) -> None:
        """Send a message; it is delivered at now + latency(role to role) + ``after_ns``.

        Raises:
            RunFailed: No agent is called ``to``.
        """
        home, worker = self._home, self._worker
        known = home.latency.get(to)
        if known is None:
            known = home.latency[to] = worker.route(home, to)
        latency, destination_worker, _ = known
        now = self.now
        t_deliver = now + latency + after_ns
        sequence = home.sequence
        home.sequence = sequence + 1
        envelope = Envelope(VERSION, now, t_deliver, priority, home.id, to, sequence, in_reply_to, origin, payload)
        raw = worker.keep(home, envelope, False)
        if destination_worker == worker.index and not worker.carries_local:
            heapq.heappush(worker.queue, (t_deliver, priority, home.rank, sequence, envelope))
        else:
            worker.out[destination_worker].append((envelope, raw))
            if t_deliver < worker.sent_floor:
                worker.sent_floor = t_deliver

    def control(self, to: str, payload: Message, *, after_ns: int = 0) -> None:
        """``send`` with the priority of control messages: before data at equal times."""
        self.send(to, payload, after_ns=after_ns, priority=CONTROL)

    def timer(self, after_ns: int, payload: Message) -> None:
        """Set a timer: an event to this agent at now + ``after_ns`` (at least 1)."""
        home, worker = self._home, self._worker
        t_deliver = self.now + max(after_ns, 1)
        sequence = home.sequence
        home.sequence = sequence + 1
        envelope = Envelope(VERSION, self.now, t_deliver, TIMER, home.id, home.id, sequence, "", AGENT, payload)
        worker.keep(home, envelope, False)
        heapq.heappush(worker.queue, (t_deliver, TIMER, home.rank, sequence, envelope))

    def infer(self, role: str, arguments: Message, key: str = "") -> None:
        """Call a model; its result comes as an event to this agent with ``in_reply_to == key``.

        It is due when a processor of the agent has done its FLOPs; calls start in order, on the first processor free.

        Raises:
            RunFailed: The agent has no processor or there is no such role.
        """
        home, worker = self._home, self._worker
        if not home.throughput:
            raise RunFailed(f"{home.id} calls the model {role!r} but has no processor (compute settings)")
        flops = worker.calls.flops(role, arguments)
        processor = home.busy_ns.index(min(home.busy_ns))
        start = max(self.now, home.busy_ns[processor])
        t_done = start + max(1, -(-flops * SECOND // home.throughput))
        home.busy_ns[processor] = t_done
        sequence = home.sequence
        home.sequence = sequence + 1
        call = PendingCall((t_done, DATA, home.rank, sequence), self.now, home.id, role, arguments, key)
        worker.calls.add(call)
        heapq.heappush(worker.queue, (t_done, DATA, home.rank, sequence, call))

    def record(self, payload: Message, private: bool = False) -> None:
        """Write a record to trace and chain; nobody receives it. ``private`` ones go to the access-restricted segment."""
        home = self._home
        sequence = home.sequence
        home.sequence = sequence + 1
        origin = PRIVATE if private else AGENT
        envelope = Envelope(VERSION, self.now, self.now, DATA, home.id, home.id, sequence, "", origin, payload)
        self._worker.keep(home, envelope, private)

    def draw(self, *key: keys.Key) -> float:
        """A draw from U[0, 1) for what ``key`` names, whoever asks."""
        return keys.uniform(self.seed, *key)


@dataclass(frozen=True)
class WorkerReport:
    """What a worker has to say when the run has ended.

    Attributes:
        chains: Agent id -> final chain value (hex).
        intervals: Agent id -> (interval, chain value in hex) at the end of each interval in which it emitted records.
        records: Records emitted. ``events``: events handled. ``windows``: windows executed. ``calls``: model calls.
        t_ns: Simulated time of the last event.
    """

    index: int
    chains: dict[str, str]
    intervals: dict[str, list[tuple[int, str]]]
    records: int
    events: int
    windows: int
    calls: int
    t_ns: int


class Worker:
    """Executes the agents of one worker.

    Args:
        world: The network; equal on all workers.
        agents: This worker's agents, any order.
        index: This worker, 0 <= index < workers.
        workers: Number of workers.
        exchange: How messages reach the other workers.
        models: Role -> model.
        codec: MessagePack form of records.
        trace: Where records go; None keeps none.
        outside: What comes from outside while the run goes on.
        on_window: Called after each window with (simulated time, events so far); for progress only.
        on_interval: Called where an interval of the chains has ended; the place for a snapshot.
        on_end: Called with the report before the worker leaves: nobody needs it any more when ``run`` returns.
    """

    def __init__(
        self,
        world: World,
        agents: Sequence[Agent],
        exchange: Exchange,
        *,
        index: int = 0,
        workers: int = 1,
        models: ModelSet | None = None,
        codec: Codec | None = None,
        trace: TraceSink | None = None,
        outside: Outside | None = None,
        on_window: Callable[[int, int], None] | None = None,
        on_interval: Callable[[Worker], None] | None = None,
        on_end: Callable[[WorkerReport], None] | None = None,
    ) -> None:
        self.world, self.index, self.workers = world, index, workers
        self.exchange, self.trace, self.outside = exchange, trace, outside or Outside()
        self.on_window, self.on_interval, self.on_end = on_window, on_interval, on_end
        self.codec = codec or Codec()
        self.calls = ModelCalls(models or {})
        self.carries_local = exchange.carries_local
        self._rank = {name: rank for rank, name in enumerate(world.ids)}
        self.homes = {each.id: _Home(each, self._rank[each.id], world) for each in sorted(agents, key=lambda each: each.id)}
        self.queue: list[tuple[int, int, int, int, Any]] = []
        self.out: list[list[tuple[Envelope, bytes]]] = [[] for _ in range(workers)]
        self.sent_floor = NEVER
        self.interval = 0
        self.round = 0
        self.granted = -1
        """The window that all may execute; before the first one -1."""
        self.windows = self.events = self.records = self.t_ns = 0
        self._touched: list[_Home] = []
        self._encode = self.codec.encode
        self._context = Context(self)

    def route(self, home: _Home, to: str) -> tuple[int, int, int]:
        """(latency, worker, rank) of a destination."""
        rank = self._rank.get(to)
        if rank is None:
            raise RunFailed(f"{home.id} sends to {to!r}, and no agent has that id")
        latencies = self.world.latency_ns
        pair = f"{home.role}>{to.partition('.')[0]}"
        latency = latencies.get(pair) or max(latencies.values(), default=self.world.lookahead_ns)
        return latency, self.world.worker(rank, self.workers), rank

    def keep(self, home: _Home, envelope: Envelope, private: bool) -> bytes:
        """Encode a record, hash it into its agent's chain, hand it to the trace."""
        raw = self._encode(envelope)
        home.chain.update(raw)
        if not home.touched:
            home.touched = True
            self._touched.append(home)
        self.records += 1
        if self.trace is not None:
            self.trace.write(envelope, raw, private)
        return raw

    async def run(self) -> WorkerReport:
        """Run to the end: until nobody has an event left."""
        try:
            await self.outside.open()
            await self.exchange.open(self.round)
            if self.granted < 0:
                self.start()
            else:
                self.execute(self.granted)  # it goes on from a snapshot
            while (earliest := await self._swap()) != NEVER:
                self.granted = earliest // self.world.lookahead_ns
                self.execute(self.granted)
                if self.on_window is not None:
                    self.on_window(self.t_ns, self.events)
            if self.on_end is not None:
                self.on_end(self.report())
            await self.exchange.leave()
        finally:
            await self.outside.close()
            await self.exchange.close()
        return self.report()

    async def _swap(self) -> int:
        """End a round; returns the earliest time at which anybody has something to do."""
        out, self.out = self.out, [[] for _ in range(self.workers)]
        injections, floor = await self.outside.at((self.granted + 1) * self.world.lookahead_ns)
        self.inject(injections)
        floor = min(floor, self.sent_floor, self.queue[0][0] if self.queue else NEVER)
        self.sent_floor = NEVER
        arrivals, earliest = await self.exchange.swap(self.round, out, floor)
        self.round += 1
        self.accept(arrivals)
        return earliest

    def start(self) -> None:
        """Start all agents at time 0."""
        context = self._context
        for home in self.homes.values():
            context._home, context.id, context.now = home, home.id, 0
            home.agent.start(context)

    def accept(self, arrivals: Sequence[Envelope]) -> None:
        """Queue what other workers sent; the order of arrival does not matter."""
        rank = self._rank
        for e in arrivals:
            heapq.heappush(self.queue, (e.t_deliver, e.priority, rank[e.source], e.sequence, e))

    def inject(self, injections: Sequence[Injection]) -> None:
        """Queue what comes from outside: the first thing that happens at its time, which no granted window holds."""
        for each in injections:
            heapq.heappush(self.queue, (each.t_ns, OUTSIDE, self._rank[each.agent], each.number, each))

    def execute(self, window: int) -> None:
        """Handle all events of one window in key order."""
        interval = window // self.world.chain_windows
        if interval != self.interval:
            self.close_interval()
            self.interval = interval
            if self.on_interval is not None:
                self.on_interval(self)
        end = (window + 1) * self.world.lookahead_ns
        queue, context, homes = self.queue, self._context, self.homes
        while queue and queue[0][0] < end:
            event = heapq.heappop(queue)[4]
            if event.__class__ is PendingCall:
                event = self._result_of(event)
            elif event.__class__ is Injection:
                event = self._from_outside(event)
            home = homes[event.destination]
            context._home, context.id, context.now = home, home.id, event.t_deliver
            self.t_ns = event.t_deliver
            self.events += 1
            home.events += 1
            home.agent.handle(event, context)
        self.windows += 1

    def _result_of(self, call: PendingCall) -> Envelope:
        """The event that a due model call has become."""
        home = self.homes[call.agent]
        t_done, priority, _, sequence = call.order
        payload = self.calls.result(call)
        envelope = Envelope(VERSION, call.t_issue, t_done, priority, home.id, home.id, sequence, call.key, ACTIVITY, payload)
        # A user's pictures and their extractions are its own: results stay in the restricted segment, as no subject carries them.
        self.keep(home, envelope, True)
        return envelope

    def _from_outside(self, injection: Injection) -> Envelope:
        """The event that something from outside has become: a record of the agent that gets it."""
        home = self.homes[injection.agent]
        envelope = injection.envelope(home.sequence)
        home.sequence += 1
        self.keep(home, envelope, False)
        return envelope

    def events_by_role(self) -> dict[str, int]:
        """Events handled so far by agents of each role, for progress."""
        counts: dict[str, int] = {}
        for home in self.homes.values():
            counts[home.role] = counts.get(home.role, 0) + home.events
        return counts

    def close_interval(self) -> None:
        """End the interval of the hash chains: d' = blake2b(d, records of the interval)."""
        for home in self._touched:
            value = home.chain.digest()
            home.chain_values.append((self.interval, value))
            home.chain = blake2b(value, digest_size=CHAIN_BYTES)
            home.touched = False
        self._touched.clear()

    def report(self) -> WorkerReport:
        """Chains and counts after the end."""
        self.close_interval()
        return WorkerReport(
            index=self.index,
            chains={name: home.chain_values[-1][1].hex() if home.chain_values else "" for name, home in self.homes.items()},
            intervals={name: [(i, v.hex()) for i, v in home.chain_values] for name, home in self.homes.items()},
            records=self.records,
            events=self.events,
            windows=self.windows,
            calls=self.calls.count,
            t_ns=self.t_ns,
        )


def run_digest(chains: Mapping[str, str]) -> str:
    """Digest of a run: the final chain values of all agents, folded in the order of their ids (32 hex digits)."""
    h = blake2b(digest_size=CHAIN_BYTES)
    for name in sorted(chains):
        h.update(name.encode() + b"\0" + bytes.fromhex(chains[name]))
    return h.hexdigest()
