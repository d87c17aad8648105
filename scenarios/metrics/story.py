"""Reading a trace: what belongs to each request, and what belongs to the network as a whole."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...bus.envelope import ACTIVITY, Envelope
from ...bus.messages import (
    Arrived,
    Attach,
    BranchReady,
    Content,
    Delta,
    Downlink,
    Failure,
    Feedback,
    Forwarded,
    GenerateOrder,
    Knowledge,
    Settlement,
    Share,
    Uplink,
)
from ...bus.records import AirRecord, Attack, Capture, Decision, KbRecord, Shown, Verdict
from .privacy import told_vectors

_REQUEST = re.compile(r"user\.[a-z0-9_-]+/\d+")


@dataclass(frozen=True)
class Call:
    """One model call: asked at ``issued_ns``, worked on from ``started_ns`` (busy before) to ``done_ns``."""

    agent: str
    role: str
    issued_ns: int
    started_ns: int
    done_ns: int


@dataclass
class Story:
    """All that the trace holds of one request, in time order."""

    request: str
    started_ns: int
    sender: str
    capture: Capture
    airs: list[AirRecord] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    """(from, to) of the messages that carried it until it was shown, knowledge and feedback aside."""
    decisions: list[Decision] = field(default_factory=list)
    content: Content | None = None
    shown: Shown | None = None
    failures: list[Failure] = field(default_factory=list)
    feedback: Feedback | None = None

    def decision(self, kind: str) -> Decision | None:
        """The last decision of a kind: the downlink's, where both links had one."""
        return next((decision for decision in reversed(self.decisions) if decision.policy_kind == kind), None)


@dataclass
class Network:
    """What belongs to no single request. Lists are in time order."""

    airs: list[AirRecord] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    knowledge: list[tuple[int, str, KbRecord]] = field(default_factory=list)
    """(time, agent, record)."""
    shares: dict[str, Share] = field(default_factory=dict)
    """User -> its answer to the cloud's terms."""
    paid: dict[str, float] = field(default_factory=dict)
    """User -> credits."""
    told: dict[str, dict[bytes, None]] = field(default_factory=dict)
    """User -> the different vectors that it sent (see `privacy`)."""
    branches: list[tuple[int, str, str]] = field(default_factory=list)
    """(time, user, subject) of every branch model that a user learned of."""
    handovers: list[tuple[int, str, str, str]] = field(default_factory=list)
    """(time, user, from, to)."""
    updates: list[int] = field(default_factory=list)
    """Versions of the cloud's stage 3 updates."""
    attacks: list[Attack] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    forgeries_shown: int = 0
    """Pictures shown that nobody had taken and sent."""
    end_ns: int = 0


def collect(envelopes: Iterable[Envelope], processors: Mapping[str, int]) -> tuple[list[Story], Network]:
    """Sort the records of a run, given in key order, by request; ``processors``: number of them by role, 1 where not named.

    Returns:
        The stories in the order of their captures (time, then sender), and the rest.
    """
    reader = _Reader()
    for envelope in envelopes:
        reader.take(envelope)
    reader.start_calls(processors)
    return list(reader.stories.values()), reader.network


class _Reader:
    def __init__(self) -> None:
        self.stories: dict[str, Story] = {}
        self.network = Network()
        self._calls: list[tuple[int, int, int, str, str, Story | None]] = []
        self._waiting: dict[str, list[Any]] = {}

    def take(self, envelope: Envelope) -> None:
        payload = envelope.payload
        self._link(envelope)
        self.network.end_ns = max(self.network.end_ns, envelope.t_deliver)
        if envelope.origin == ACTIVITY:
            self._call(envelope)
        elif isinstance(payload, Capture):
            story = Story(payload.request, envelope.t_send, envelope.source, payload)
            self.stories[payload.request] = story
        elif isinstance(payload, AirRecord):
            story_or_none = self.stories.get(payload.request)
            (story_or_none.airs if story_or_none else self.network.airs).append(payload)
        elif isinstance(payload, Decision):
            story_or_none = self.stories.get(payload.request)
            (story_or_none.decisions if story_or_none else self.network.decisions).append(payload)
        elif isinstance(payload, Content | Shown | Failure):
            self._end(payload)
        else:
            self._other(envelope)

    def _link(self, envelope: Envelope) -> None:
        """Note a message between two agents that takes a request on its way."""
        payload = envelope.payload
        if envelope.source == envelope.destination:
            return
        if not isinstance(payload, Uplink | Forwarded | GenerateOrder | Content | Downlink | Arrived):
            return
        story = self.stories.get(payload.prompt.request if isinstance(payload, GenerateOrder) else payload.request)
        if story and not story.shown and not isinstance(getattr(payload, "body", None), Knowledge | Feedback):
            story.links.append((envelope.source, envelope.destination))

    def _call(self, envelope: Envelope) -> None:
        found = _REQUEST.search(envelope.in_reply_to)
        story = self.stories.get(found.group()) if found else None
        role = envelope.in_reply_to.partition(":")[0]
        self._calls.append((envelope.t_send, envelope.sequence, envelope.t_deliver, envelope.source, role, story))

    def start_calls(self, processors: Mapping[str, int]) -> None:
        """Tell when each call was begun: as the engine does, in order of issue on the agent's first processor to be free."""
        busy_ns: dict[str, list[int]] = {}
        for issued_ns, _, done_ns, agent, role, story in sorted(self._calls, key=lambda call: call[:2]):
            free = busy_ns.setdefault(agent, [0] * processors.get(agent.partition(".")[0], 1))
            first = free.index(min(free))
            if story:
                story.calls.append(Call(agent, role, issued_ns, max(issued_ns, free[first]), done_ns))
            free[first] = done_ns

    def _end(self, payload: Content | Shown | Failure) -> None:
        story = self.stories.get(payload.request)
        if story is None:
            self.network.forgeries_shown += isinstance(payload, Shown)
            return
        if isinstance(payload, Content):
            story.content = payload
        elif isinstance(payload, Shown):
            story.shown = payload
        else:
            story.failures.append(payload)

    def _other(self, envelope: Envelope) -> None:
        payload, network = envelope.payload, self.network
        if isinstance(payload, Uplink) and isinstance(payload.body, Feedback):
            if story := self.stories.get(payload.body.request):
                story.feedback = payload.body
        elif isinstance(payload, Uplink):
            network.told.setdefault(payload.user, {}).update(dict.fromkeys(told_vectors(payload.body)))
        elif isinstance(payload, Forwarded) and isinstance(payload.body, Share):
            network.shares[payload.body.user] = payload.body
        elif isinstance(payload, KbRecord):
            network.knowledge.append((envelope.t_deliver, envelope.source, payload))
        elif isinstance(payload, Attack):
            network.attacks.append(payload)
        elif isinstance(payload, Verdict):
            network.verdicts.append(payload)
        elif isinstance(payload, Attach) and payload.previous:
            network.handovers.append((envelope.t_deliver, payload.user, payload.previous, envelope.destination))
        elif envelope.source.startswith("cloud.") and hasattr(payload, "body"):
            self._from_cloud(envelope.t_send, payload.body)

    def _from_cloud(self, t_ns: int, body: Any) -> None:
        network = self.network
        if isinstance(body, Settlement):
            network.paid[body.user] = network.paid.get(body.user, 0.0) + body.credits
        elif isinstance(body, BranchReady):
            network.branches.append((t_ns, body.user, body.subject))
        elif isinstance(body, Delta) and body.version not in network.updates:
            network.updates.append(body.version)
