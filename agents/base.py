"""What all agents have in common: dispatch of events, decisions by policies, a knowledge base kept by records."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from msgspec import Struct, field

from ..bus import keys
from ..bus.clock import MS
from ..bus.engine import Context
from ..bus.envelope import Envelope, Network
from ..bus.errors import RunFailed
from ..bus.payload import kind_of
from ..bus.records import Decision
from ..bus.world import World
from ..policies.checks import broken_rules
from ..policies.protocols import Memory
from .knowledge import KnowledgeBase, change
from .models.roles import Result
from .network import Surroundings, adversaries, surroundings_of
from .settings import NetworkSettings
from .signatures import Heard

PAYLOADS = Network | Result
"""Every payload of a run: what agents say, and what their models answer."""

Draw = Callable[[str], float]

_NAMES: dict[tuple[str, type], str] = {}
"""(Prefix, class of a payload) -> name of its handlers."""


class AgentState(Struct):
    """What changes in every agent; each role adds its own."""

    kb: KnowledgeBase = field(default_factory=KnowledgeBase)
    memory: dict[str, Memory] = field(default_factory=dict)
    """Policy kind -> what the agent's policy of that kind has learned."""
    signed: int = 0
    """Messages that it has signed; the last one's counter."""
    senders: dict[str, Heard] = field(default_factory=dict)
    """Sender -> what is remembered of its messages."""


class NetworkAgent:
    """Base of user, base station, edge and cloud.

    An event of kind ``x_y`` goes to the method ``on_x_y(payload, event, ctx)``; a body that crossed the radio (inside
    ``Forwarded`` or ``Arrived``) to ``got_<kind>(body, message, ctx)``; a timer to
    ``tick_<name>(tick, ctx)``. All that changes is in ``state``.

    Args:
        id: Agent id.
        around: What never changes, the same for all agents.
    """

    state_type: ClassVar[type[AgentState]] = AgentState

    def __init__(self, id: str, around: Surroundings) -> None:
        self.id = id
        self.around = around
        self.settings = around.settings
        self.state: Any = self.state_type()

    def start(self, ctx: Context) -> None:
        """Called once at time 0."""

    def handle(self, event: Envelope, ctx: Context) -> None:
        """Take one event."""
        self.method("on", event.payload)(event.payload, event, ctx)

    def method(self, prefix: str, payload: Any) -> Callable[..., None]:
        """The handler of a payload.

        Raises:
            RunFailed: This role has none.
        """
        key = (prefix, type(payload))
        name = _NAMES.get(key)
        if name is None:
            name = _NAMES[key] = f"{prefix}_{kind_of(type(payload).__name__)}"
        found: Callable[..., None] | None = getattr(self, name, None)
        if found is None:
            raise RunFailed(
                f"{self.id} was sent {type(payload).__name__} and has no {name}", "a bug of the sender or of this role"
            )
        return found

    def on_tick(self, tick: Any, event: Envelope, ctx: Context) -> None:
        """A timer is due."""
        getattr(self, f"tick_{tick.name}")(tick, ctx)

    # --- decisions -------------------------------------------------------------------------------------------------

    @property
    def policies(self) -> dict[str, tuple[str, Any]]:
        """Kind -> (name, policy); they keep no state, so that all agents share them."""
        return self.around.loaded

    def decide(
        self, ctx: Context, kind: str, verb: str, context: Struct, request: str = "", *, about: str = "", private: bool
    ) -> Any:
        """Ask a policy and record context and choice.

        Args:
            ctx: The event's context.
            kind: Policy kind.
            verb: Its method.
            context: Its frozen context.
            request: The request that it is about, or empty.
            about: What keys the policy's draws besides kind and verb; default: the request.
            private: Whether the record stays with this agent (a user's contexts tell what it sees and likes).

        Raises:
            RunFailed: The choice breaks a rule of its kind.
        """
        name, policy = self.policies[kind]
        seed, subject = ctx.seed, about or request

        def rng(what: str) -> float:
            return keys.uniform(seed, "policy", kind, verb, subject, what)

        method = getattr(policy, verb)
        choice = method(context) if kind == "noise" else method(context, rng)
        if broken := broken_rules(verb, context, choice):
            raise RunFailed(
                f"{kind} policy {name}: {'; '.join(broken)}", f"semcast check policy {kind}=... tells all that is wrong"
            )
        ctx.record(
            Decision(request, kind, verb, subject, name, msgspec.to_builtins(context), msgspec.to_builtins(choice)), private
        )
        return choice

    def memory(self, kind: str) -> Memory:
        """What the policy of a kind has learned so far."""
        return self.state.memory.get(kind, {})  # type: ignore[no-any-return]

    def study(self, kind: str, lesson: Struct) -> None:
        """Let a policy learn from what came of one of its decisions; one that does not learn is left alone."""
        if "outcome" in self.around.needs[kind]:
            self.state.memory[kind] = self.policies[kind][1].learn(self.memory(kind), lesson)

    # --- knowledge -------------------------------------------------------------------------------------------------

    def learn(self, ctx: Context, kind: str, name: str, text: str, **about: Any) -> None:
        """Change one item of the KB, by a private record (``about``: see ``knowledge.change``)."""
        about.setdefault("provenance", self.id)
        record = change(self.state.kb, kind, name, text, **about)
        ctx.record(record, private=True)
        self.state.kb.apply(record)

    def forget(self, ctx: Context, kind: str, name: str) -> None:
        """Remove one item of the KB."""
        self.learn(ctx, kind, name, "", removed=True)


def make_world(settings: NetworkSettings, run: str) -> World:
    """The engine's view of a network."""
    compute = settings.compute
    ids = [settings.cloud, *settings.edges, *(user.id for user in settings.users), *(station.id for station in settings.stations)]
    ids += adversaries(settings).values()
    return World(
        run=run,
        seed=settings.seed,
        lookahead_ns=settings.lookahead_ns,
        ids=tuple(sorted(ids)),
        latency_ns={pair: round(latency_ms * MS) for pair, latency_ms in settings.latency_ms.items()},
        throughput={"user": compute.user_flops, "edge": compute.edge_flops, "cloud": compute.cloud_flops}
        | {user: device.flops for user, device in settings.device_of.items()},
        processors={"cloud": compute.cloud_accelerators},
    )


def make_agents(settings: NetworkSettings, ids: Sequence[str], weights: Path | None = None) -> list[NetworkAgent]:
    """The agents of a network that have these ids, in their order.

    Args:
        settings: The whole network.
        ids: Those to make.
        weights: Folder of model weights; only the codec library's card is read. Default: the shipped ones.
    """
    from .adversary import Adversary
    from .base_station import BaseStation
    from .cloud import Cloud
    from .edge import Edge
    from .user import User

    roles = {"user": User, "bs": BaseStation, "edge": Edge, "cloud": Cloud, "adversary": Adversary}
    around = surroundings_of(settings, weights)
    return [roles[id.partition(".")[0]](id, around) for id in ids]
