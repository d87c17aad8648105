"""The engine: agents take events in key order, window by window; the same records on every host (DESIGN section 2).

A worker holds the agents of some shards. It executes one window, hands what was sent to the exchange and learns the
earliest time at which anybody has something to do: the next window is the one that holds it. Nothing here reads the wall
clock, a set's order or the order of arrival.
"""

from __future__ import annotations

import heapq
import sys
from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol

from . import keys
from .calls import ModelCalls, ModelSet, PendingCall
from .chain_log import CHAIN_BYTES, ChainLog
from .clock import NEVER, SECOND
from .envelope import ACTIVITY, AGENT, CONTROL, DATA, OUTSIDE, PRIVATE, TIMER, VERSION, Codec, Envelope
from .errors import RunFailed
from .event_queue import Entry, EventQueue
from .homes import Home, Role, setting_of
from .outside import Injection, Outside
from .payload import Message
from .world import World

if TYPE_CHECKING:
    from .exchange import Exchange


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


class Context:
    """What an agent may do while it handles an event. One object per worker; valid only during the call."""

    __slots__ = ("_home", "_worker", "now", "seed")

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._home: Home
        self.seed = worker.world.seed
        self.now = 0

    @property
    def id(self) -> str:
        """The agent's id."""
        return self._home.id

    def send(
        self, to: str, payload: Message, *, after_ns: int = 0, in_reply_to: str = "", priority: int = DATA, origin: str = AGENT
    ) -> None:
        """Send a message; it is delivered at now + latency(role to role) + ``after_ns``.

        Raises:
            RunFailed: No agent is called ``to``.
        """
        home, worker, now = self._home, self._worker, self.now
        neighbour = worker.homes.get(to)
        role, peer = (neighbour.role.name, worker.index) if neighbour else worker.far.get(to) or worker.seek(home, to)
        latency = home.role.latency_ns.get(role) or worker.latency_ns(home.role, role)
        t_deliver = now + latency + after_ns
        sequence = home.sequence
        home.sequence = sequence + 1
        source = home.id
        envelope = Envelope(VERSION, now, t_deliver, priority, source, to, sequence, in_reply_to, origin, payload)
        raw = worker._encode(envelope)  # as `keep` does: this is the way of most records
        chain = home.chain
        (worker.open_chain(home) if chain is None else chain).update(raw)
        if worker.trace is not None:
            worker.trace.write(envelope, raw, False)
        if neighbour and not worker.carries_local:
            worker.queue[t_deliver // worker.lookahead_ns].append((t_deliver, priority, source, sequence, envelope, neighbour))
        else:
            worker.out[peer].append((envelope, raw))
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
        worker.put((t_deliver, TIMER, home.id, sequence, envelope, home))

    def infer(self, role: str, arguments: Message, key: str = "") -> None:
        """Call a model; its result comes as an event to this agent with ``in_reply_to == key``.

        It is due when a processor of the agent has done its FLOPs; calls start in order, on the first processor free.

        Raises:
            RunFailed: The agent has no processor or there is no such role.
        """
        home, worker = self._home, self._worker
        throughput = int(setting_of(worker.world.throughput, home, 0))
        if not throughput:
            raise RunFailed(f"{home.id} calls the model {role!r} but has no processor (compute settings)")
        if home.free_ns is None:
            home.free_ns = [0] * setting_of(worker.world.processors, home, 1)
        flops = worker.calls.flops(role, arguments)
        t_done = max(self.now, home.free_ns[0]) + max(1, -(-flops * SECOND // throughput))
        heapq.heapreplace(home.free_ns, t_done)
        sequence = home.sequence
        home.sequence = sequence + 1
        call = PendingCall((t_done, DATA, home.id, sequence), self.now, home.id, role, arguments, key)
        worker.calls.add(call)
        worker.put((t_done, DATA, home.id, sequence, call, home))

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
        records: Records emitted. ``events``: events handled. ``windows``: windows executed. ``calls``: model calls.
        t_ns: Simulated time of the last event.
    """

    index: int
    chains: dict[str, str]
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
        self.lookahead_ns = world.lookahead_ns
        self.roles: dict[str, Role] = {}
        self.homes: dict[str, Home] = {}
        for number, agent in enumerate(sorted(agents, key=lambda each: each.id)):
            name = agent.id.partition(".")[0]
            self.homes[agent.id] = Home(agent, number, self.roles.get(name) or self.roles.setdefault(name, Role(name)))
        self.carries_local = exchange.carries_local
        self.far: dict[str, tuple[str, int]] = {}
        """Role and worker of agents elsewhere that were written to."""
        self.queue = EventQueue(world.lookahead_ns)
        self.out: list[list[tuple[Envelope, bytes]]] = [[] for _ in range(workers)]
        self.sent_floor = NEVER
        self.interval = 0
        self.round = 0
        self.granted = -1
        """The window that all may execute; before the first one -1."""
        self.windows = self.events = self.t_ns = 0
        self.intervals = ChainLog(list(self.homes))
        self._due: list[Entry] = []
        self._end_ns = 0
        self._touched: list[Home] = []
        self._encode = self.codec.encode
        self._context = Context(self)

    def seek(self, home: Home, to: str) -> tuple[str, int]:
        """Role and worker of a destination that is not of this worker."""
        ids = self.world.ids
        rank = bisect_left(ids, to)
        if rank == len(ids) or ids[rank] != to:
            raise RunFailed(f"{home.id} sends to {to!r}, and no agent has that id")
        found = self.far[to] = (sys.intern(to.partition(".")[0]), self.world.worker(rank, self.workers))
        return found

    def latency_ns(self, source: Role, to: str) -> int:
        """Latency from role to role."""
        latencies = self.world.latency_ns
        longest = max(latencies.values(), default=self.lookahead_ns)
        latency = source.latency_ns[to] = latencies.get(f"{source.name}>{to}") or longest
        return latency

    def put(self, entry: Entry) -> None:
        """Queue what an agent of this worker does itself; it may be due in the window that is being executed."""
        if entry[0] < self._end_ns:
            insort(self._due, entry)
        else:
            self.queue[entry[0] // self.lookahead_ns].append(entry)

    def open_chain(self, home: Home) -> Any:
        """The chain of an agent that has its first record of the interval."""
        self._touched.append(home)
        home.chain = blake2b(home.value, digest_size=CHAIN_BYTES)
        return home.chain

    def keep(self, home: Home, envelope: Envelope, private: bool) -> bytes:
        """Encode a record, hash it into its agent's chain, hand it to the trace."""
        raw = self._encode(envelope)
        (home.chain or self.open_chain(home)).update(raw)
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
            report = self.report()
            if self.on_end is not None:
                self.on_end(report)
            await self.exchange.leave()
        finally:
            await self.outside.close()
            await self.exchange.close()
        return report

    async def _swap(self) -> int:
        """End a round; returns the earliest time at which anybody has something to do."""
        out, self.out = self.out, [[] for _ in range(self.workers)]
        injections, floor = await self.outside.at((self.granted + 1) * self.world.lookahead_ns)
        self.inject(injections)
        floor = min(floor, self.sent_floor, self.queue.floor_ns())
        self.sent_floor = NEVER
        arrivals, earliest = await self.exchange.swap(self.round, out, floor)
        self.round += 1
        self.accept(arrivals)
        return earliest

    def start(self) -> None:
        """Start all agents at time 0."""
        context = self._context
        for home in self.homes.values():
            context._home, context.now = home, 0
            home.agent.start(context)

    def accept(self, arrivals: Sequence[Envelope]) -> None:
        """Queue what other workers sent; the order of arrival does not matter."""
        queue, lookahead_ns, homes = self.queue, self.lookahead_ns, self.homes
        for e in arrivals:
            entry = (e.t_deliver, e.priority, e.source, e.sequence, e, homes[e.destination])
            queue[e.t_deliver // lookahead_ns].append(entry)

    def inject(self, injections: Sequence[Injection]) -> None:
        """Queue what comes from outside: the first thing that happens at its time, which no granted window holds."""
        for each in injections:
            entry = (each.t_ns, OUTSIDE, each.agent, each.number, each, self.homes[each.agent])
            self.queue[each.t_ns // self.lookahead_ns].append(entry)

    def execute(self, window: int) -> None:
        """Handle all events of one window in key order."""
        interval = window // self.world.chain_windows
        if interval != self.interval:
            self.close_interval()
            self.interval = interval
            if self.on_interval is not None:
                self.on_interval(self)
        due, context = self.queue.take(window), self._context
        self._due, self._end_ns = due, (window + 1) * self.lookahead_ns
        for t_ns, _, _, _, event, home in due:  # an agent may insert what it does itself behind this place
            if event.__class__ is not Envelope:
                event = self._become(event)
            context._home, context.now = home, t_ns
            home.role.events += 1
            home.agent.handle(event, context)
        self._end_ns = 0
        self.windows += 1
        if due:
            self.events += len(due)
            self.t_ns = due[-1][0]

    def _become(self, event: Any) -> Envelope:
        """The envelope of what is due: a model call, something from outside, or a message that another worker sent."""
        if event.__class__ is PendingCall:
            return self._result_of(event)
        return self._from_outside(event) if event.__class__ is Injection else event

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

    def records(self) -> int:
        """Records emitted so far: each has its number; so has a model call whose result is none yet."""
        pending = sum(entry[4].__class__ is PendingCall for entries in self.queue.values() for entry in entries)
        return sum(home.sequence for home in self.homes.values()) - pending

    def events_by_role(self) -> dict[str, int]:
        """Events handled so far by agents of each role, for progress."""
        return {role.name: role.events for role in self.roles.values()}

    def close_interval(self) -> None:
        """End the interval of the hash chains: d' = blake2b(d, records of the interval)."""
        touched = self._touched
        if not touched:
            return
        for home in touched:
            home.value, home.chain = home.chain.digest(), None
        self.intervals.close(self.interval, [home.number for home in touched], [home.value for home in touched])
        touched.clear()

    def report(self) -> WorkerReport:
        """Chains and counts after the end."""
        self.close_interval()
        chains = {name: home.value.hex() for name, home in self.homes.items()}
        return WorkerReport(self.index, chains, self.records(), self.events, self.windows, self.calls.count, self.t_ns)
