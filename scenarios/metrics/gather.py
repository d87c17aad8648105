"""Records of a run -> what belongs to its requests, piece by piece, and what belongs to the network as a whole.

Records are taken as they were written, in no order among agents; pieces have the place of their record in the key order of the
run (DESIGN section 2), by which `story` puts them in order.
"""

import re
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

from msgspec import Struct

from ...bus.content_messages import TextContent
from ...bus.envelope import ACTIVITY, Envelope
from ...bus.messages import Content, Failure, Feedback
from ...bus.payload import Message
from ...bus.records import AirRecord, Attack, Capture, Decision, Shown, Verdict
from .lean import LeanDecision, lean_decision
from .network import Network
from .privacy import told_vectors

_REQUEST = re.compile(r"user\.[a-z0-9_-]+/\d+")
Place = tuple[int, int, str, int]
"""Among all events of a run: time of delivery, priority, source, its number there."""
CHOICES = ("noise", "prompt", "encoder")
"""Kinds of policies of which rows tell what was chosen."""
_AHEAD = ("knowledge", "clip_knowledge", "profile", "feedback")
"""Bodies that do not take a request on its way."""


class Link(Message, frozen=True):
    """A message between two agents that took a request on its way."""

    source: str
    destination: str


class Call(Message, frozen=True):
    """One model call: asked at ``issued_ns``, worked on from ``started_ns`` (busy before) to ``done_ns``."""

    agent: str
    role: str
    issued_ns: int
    started_ns: int
    done_ns: int


WHAT = Capture | AirRecord | LeanDecision | Content | TextContent | Shown | Failure | Feedback | Link | Call
"""What a piece can be."""


class Piece(Struct, frozen=True, array_like=True, gc=False):
    """Something that belongs to a request, at its place in the run's order."""

    t_ns: int
    priority: int
    source: str
    sequence: int
    request: str
    what: Any
    """One of ``WHAT``."""

    @property
    def place(self) -> Place:
        """Among all events of a run."""
        return (self.t_ns, self.priority, self.source, self.sequence)


class Gatherer:
    """Takes records, those of an agent all by the same gatherer.

    Args:
        put: Called with every piece.
        processors: Number of them by role, 1 where not named.

    Attributes:
        network: What belongs to no request. Air that names a request whose picture nobody took is not in it, see `story`.
        looks: Attacks and what receivers found, each with its place in the run's order; not in the network, as these two
            are in the records of different agents.
    """

    def __init__(self, put: Callable[[Piece], None], processors: Mapping[str, int]) -> None:
        self.network = Network()
        self._put, self._processors = put, processors
        self.looks: list[tuple[Place, Attack | Verdict]] = []
        self._calls: dict[str, list[tuple[int, int, int, int, str]]] = {}
        self._paid: list[tuple[Place, str, float]] = []
        self._shared: list[tuple[Place, str, bool]] = []
        self._items: set[bytes] = set()
        """Hashes of the KB items that agents hold: there are millions, and they are only counted."""
        self._takers: dict[type, Callable[[Envelope, Any], None] | None] = {}

    def take(self, envelope: Envelope) -> None:
        """Take one record, whole or lean."""
        if envelope.t_deliver > self.network.end_ns:
            self.network.end_ns = envelope.t_deliver
        if envelope.origin == ACTIVITY:
            call = (envelope.t_send, envelope.sequence, envelope.t_deliver, envelope.priority, envelope.in_reply_to)
            self._calls.setdefault(envelope.source, []).append(call)
            return
        payload = envelope.payload
        kind = payload.__class__
        if kind not in self._takers:
            self._takers[kind] = getattr(self, f"_{_tag(payload)}", self._carried if hasattr(payload, "body") else None)
        taker = self._takers[kind]
        if taker is not None:
            taker(envelope, payload)

    def finish(self) -> None:
        """Call when all records have been taken."""
        self._start_calls()
        for _, user, credits in sorted(self._paid):
            self.network.paid[user] = self.network.paid.get(user, 0.0) + credits
        for _, user, something in sorted(self._shared):
            self.network.shares[user] = something

    def _piece(self, envelope: Envelope, request: str, what: Any) -> None:
        self._put(Piece(envelope.t_deliver, envelope.priority, envelope.source, envelope.sequence, request, what))

    # --- records -----------------------------------------------------------------------------------------------------

    def _of_request(self, envelope: Envelope, payload: Any) -> None:
        self._piece(envelope, payload.request, payload)

    _capture = _shown = _failure = _of_request

    def _air_record(self, envelope: Envelope, air: AirRecord) -> None:
        if air.request:
            self._piece(envelope, air.request, air)
        else:
            self.network.charge(air)

    def _decision(self, envelope: Envelope, decision: Decision | LeanDecision) -> None:
        if decision.policy_kind in CHOICES and decision.request:
            lean = lean_decision(decision) if isinstance(decision, Decision) else decision
            self._piece(envelope, decision.request, lean)

    def _kb_record(self, envelope: Envelope, record: Any) -> None:
        item = f"{envelope.source}\0{record.item_kind}\0{record.name}"
        entry = blake2b(item.encode(), digest_size=8).digest()  # short, as there may be tens of millions
        before = entry in self._items
        if record.removed:
            self._items.discard(entry)
        else:
            self._items.add(entry)
        self.network.grow(envelope.source.partition(".")[0], envelope.t_deliver, (not record.removed) - before)

    def _look(self, envelope: Envelope, look: Attack | Verdict) -> None:
        self.looks.append((_place(envelope), look))

    _attack = _verdict = _look

    # --- messages ----------------------------------------------------------------------------------------------------

    def _link(self, envelope: Envelope, request: str) -> None:
        if request and envelope.source != envelope.destination:
            self._piece(envelope, request, Link(envelope.source, envelope.destination))

    def _content(self, envelope: Envelope, content: Content | TextContent) -> None:
        self._link(envelope, content.request)
        self._piece(envelope, content.request, content)

    _text_content = _content

    def _generate_order(self, envelope: Envelope, order: Any) -> None:
        self._link(envelope, order.prompt.request)

    def _attach(self, envelope: Envelope, attach: Any) -> None:
        self.network.handovers += bool(attach.previous)

    def _uplink(self, envelope: Envelope, uplink: Any) -> None:
        body = uplink.body
        kind = _tag(body)
        if kind == "feedback":
            self._piece(envelope, body.request, body)
        elif kind in ("share", "knowledge", "prompt") and body.__struct_fields__:
            self.network.told.setdefault(uplink.user, {}).update(dict.fromkeys(told_vectors(body)))
        if kind not in _AHEAD:
            self._link(envelope, uplink.request)

    def _forwarded(self, envelope: Envelope, forwarded: Any) -> None:
        body = forwarded.body
        if _tag(body) == "share":
            self._shared.append((_place(envelope), body.user, bool(body.items)))
        self._carried(envelope, forwarded)

    def _carried(self, envelope: Envelope, carrier: Any) -> None:
        """Whatever else has a body."""
        body = carrier.body
        kind = _tag(body)
        if _tag(carrier) in ("forwarded", "downlink", "arrived") and kind not in _AHEAD:
            self._link(envelope, carrier.request)
        if not envelope.source.startswith("cloud."):
            return
        if kind == "settlement":
            self._paid.append((_place(envelope), body.user, body.credits))
        elif kind == "branch_ready":
            self.network.branches[body.subject] = None
        elif kind == "delta":
            self.network.updates[body.version] = None

    # --- model calls -------------------------------------------------------------------------------------------------

    def _start_calls(self) -> None:
        """Tell when each call was begun: as the engine does, in order of issue on the agent's first processor to be free."""
        for agent, calls in self._calls.items():
            free = [0] * self._processors.get(agent.partition(".")[0], 1)
            for issued_ns, sequence, done_ns, priority, key in sorted(calls):
                first = free.index(min(free))
                if found := _REQUEST.search(key):
                    call = Call(agent, key.partition(":")[0], issued_ns, max(issued_ns, free[first]), done_ns)
                    self._put(Piece(done_ns, priority, agent, sequence, found.group(), call))
                free[first] = done_ns
        self._calls.clear()


def _tag(payload: Any) -> str:
    return payload.__struct_config__.tag  # type: ignore[no-any-return]


def _place(envelope: Envelope) -> Place:
    return (envelope.t_deliver, envelope.priority, envelope.source, envelope.sequence)
