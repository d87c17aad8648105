"""One agent without its network: it is given what it was given in a recorded run, and what it makes is compared with its records.

An agent is its state and its queue (DESIGN section 2, rule 7), so its inbox is all it needs: messages, its own timers and the
results of its model calls, in key order. Records are compared by the agent's own number of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from .calls import ModelCalls, ModelSet, PendingCall
from .divergence import Divergence, compare, emitted_ns
from .engine import Agent, Worker
from .envelope import ACTIVITY, EXOGENOUS, Codec, Envelope
from .exchange.memory import Hub, MemoryExchange
from .outside import Injection
from .trace_reading import TraceRecord
from .world import World

Debugger = Callable[..., Any]
"""Called as ``debugger(function, *arguments)`` instead of the function, such as ``pdb.Pdb().runcall``."""


@dataclass(frozen=True)
class AgentReplay:
    """What came of giving an agent its recorded inbox again.

    Attributes:
        agent: Its id.
        handled: Messages, timers and model results that it handled.
        records: Records that it made in the run.
        agreed: Those of them that it made again, byte for byte.
        difference: The first difference, ``a`` recorded and ``b`` now; None if there is none.
        place: Index in the inbox of what it was handling at the first difference (or at the error); -1: its start.
        during: That message; None at its start, and where nothing differs.
        places: Number of each record that it made now -> index in the inbox of what it was handling.
        error: What it raised then, if it did: nothing after it was handled.
    """

    agent: str
    handled: int
    records: int
    agreed: int
    difference: Divergence | None
    place: int
    during: Envelope | None
    places: Mapping[int, int]
    error: Exception | None


def inbox_of(agent: str, records: Sequence[TraceRecord]) -> list[Envelope]:
    """What an agent handled, in key order: its own records are none of it.

    They are delivered when they are sent. So is what came from outside, which it is given.
    """
    return [
        record.envelope
        for record in records
        if record.envelope.destination == agent
        and (record.envelope.t_deliver > record.envelope.t_send or record.envelope.origin == EXOGENOUS)
    ]


def replay_alone(
    world: World,
    agent: Agent,
    records: Sequence[TraceRecord],
    models: ModelSet,
    codec: Codec,
    *,
    live_models: bool = False,
    stop_before: int | None = None,
    debugger: Debugger | None = None,
) -> AgentReplay:
    """Give a fresh agent its recorded inbox and compare what it makes with what it made.

    Args:
        world: That of the run.
        agent: The agent, not started.
        records: All records from and to it, in key order.
        models: Those of the run; only asked for FLOPs unless ``live_models``.
        codec: MessagePack form of the records.
        live_models: Compute models' results anew instead of taking the recorded ones.
        stop_before: Index in the inbox of the message that ``debugger`` takes; -1 is the agent's start.
        debugger: See `Debugger`.
    """
    worker = _LoneWorker(world, agent, records, models, codec, live_models)
    inbox = inbox_of(agent.id, records)
    places: dict[int, int] = {}
    error = None
    place = -1
    for place in range(-1, len(inbox)):
        call = debugger if debugger is not None and place == stop_before else _plain
        try:
            worker.begin(call) if place < 0 else worker.deliver(inbox[place], call)
        except Exception as raised:  # of any class: it is the agent's code that is looked at
            error = raised
        places |= {record.envelope.sequence: place for record in worker.made[len(places) :]}
        if error is not None:
            break
    handled = place if error is not None else len(inbox)
    recorded = {(agent.id, record.envelope.sequence): record for record in records if record.envelope.source == agent.id}
    now = {(agent.id, record.envelope.sequence): record for record in worker.made}
    agreed = sum(name in now and now[name].raw == record.raw for name, record in recorded.items())
    difference = compare(recorded, now, world.lookahead_ns)
    if difference is not None and (difference.sequence in places or error is None):
        emitted = emitted_ns(recorded[agent.id, difference.sequence].envelope) if difference.sequence not in places else 0
        place = places.get(difference.sequence, _place_at(inbox, emitted))
    found = (difference is not None or error is not None) and place >= 0
    during = inbox[place] if found else None
    return AgentReplay(agent.id, handled, len(recorded), agreed, difference, place, during, places, error)


def _plain(function: Callable[..., None], *arguments: Any) -> None:
    function(*arguments)


def _place_at(inbox: Sequence[Envelope], t_ns: int) -> int:
    """The last message that was handled by then; -1 for none."""
    return max((place for place, event in enumerate(inbox) if event.t_deliver <= t_ns), default=-1)


class _LoneWorker(Worker):
    """A worker with one agent and no queue: what the agent handles next is told from outside."""

    def __init__(
        self, world: World, agent: Agent, records: Sequence[TraceRecord], models: ModelSet, codec: Codec, live: bool
    ) -> None:
        super().__init__(world, [agent], MemoryExchange(Hub(1), 0), codec=codec, trace=self)
        self.made: list[TraceRecord] = []
        results = {
            record.envelope.sequence: record.envelope.payload
            for record in records
            if record.envelope.source == agent.id and record.envelope.origin == ACTIVITY
        }
        self._recorded = _RecordedCalls(models, None if live else results)
        self.calls = self._recorded
        self._home = self.homes[agent.id]

    def begin(self, call: Debugger) -> None:
        """Start the agent."""
        self._at(0)
        call(self._home.agent.start, self._context)

    def deliver(self, event: Envelope, call: Debugger) -> None:
        """Let the agent handle one recorded message."""
        pending = self._recorded.pending.pop(event.sequence, None) if event.origin == ACTIVITY else None
        if pending is not None:
            event = msgspec.structs.replace(event, payload=self._result_of(pending).payload)
        if event.origin == EXOGENOUS:
            event = self._from_outside(Injection.of(event))
        self._at(event.t_deliver)
        call(self._home.agent.handle, event, self._context)
        self.queue.clear()

    def write(self, envelope: Envelope, raw: bytes, private: bool) -> None:
        """Keep what the agent made; the worker is its own trace."""
        self.made.append(TraceRecord(envelope, envelope.kind, raw, private, len(self.made)))

    def _at(self, t_ns: int) -> None:
        context = self._context
        context._home, context.now = self._home, t_ns


class _RecordedCalls(ModelCalls):
    """Model calls whose results are looked up by the number that the call has among its agent's records.

    Args:
        models: Asked for the FLOPs of a call, and for its result where ``results`` is None.
        results: Sequence -> recorded result.
    """

    def __init__(self, models: ModelSet, results: Mapping[int, Any] | None) -> None:
        super().__init__(models)
        self._results = results
        self.pending: dict[int, PendingCall] = {}

    def add(self, call: PendingCall) -> None:
        """Take a call."""
        self.pending[call.order[3]] = call
        if self._results is None:
            super().add(call)

    def result(self, call: PendingCall) -> Any:
        """The recorded result, or that of the model."""
        return super().result(call) if self._results is None else self._results[call.order[3]]
