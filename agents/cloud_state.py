"""What changes in the cloud, and how it reaches users."""

from msgspec import Struct, field
from msgspec.structs import replace

from ..bus.blocks import Block, Entry, SealedBlock
from ..bus.engine import Context
from ..bus.messages import Body, Downlink, Share, SharedItem
from ..policies.incentive.ledger import Tally
from .accounting import signature_bits
from .base import AgentState
from .ledger import LedgerAgent
from .network import backhaul_ns
from .selection import Asked

Taken = list[tuple[str, str, SharedItem]]
"""Items that were accepted: (user, what it counts as: a KB item kind, the item)."""


class ServedBy(Struct):
    """A user's edge, since which epoch."""

    edge: str
    epoch: int


class Order(Struct):
    """Content that is being generated."""

    sender: str
    recipient: str
    t_ns: int
    asked: Asked | None = None
    """What the prompt asks for, where the best of several is to be found."""
    candidates: dict[int, bytes] = field(default_factory=dict)
    styled: bool = False
    """Whether it is, or is being, rendered in its receiver's style."""
    agreements: dict[int, float] = field(default_factory=dict)
    """Of the candidates that were looked at, how well each agrees with the prompt."""


class Sample(Struct):
    """A shared picture (compressed) of a subject, and the subject's box in it."""

    picture: bytes
    box: tuple[float, float, float, float]


class Subject(Struct):
    """A user's subject, besides its KB item: pictures, how many of them the branch is made of, its other parts, satisfaction."""

    user: str
    label: str
    samples: list[Sample] = field(default_factory=list)
    trained_on: int = 0
    reference: bytes = b""
    """Cut-out of its best picture, with which it is drawn."""
    adapter: bytes = b""
    """LoRA adapter of the generator; empty where the scenario asks for none."""
    served: int = 0
    satisfaction: float = 0.0
    """Sum over the requests served that showed it."""


class LedgerState(Struct):
    """The chain of credits so far, and what waits for the next block."""

    chain: list[SealedBlock] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    ballots: dict[str, tuple[str, ...]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    taken: Taken = field(default_factory=list)
    """Accepted items, used once the block with their entries is sealed."""
    proposed: Block | None = None
    seal: dict[str, bytes] = field(default_factory=dict)
    later: list[tuple[str, SharedItem]] = field(default_factory=list)
    """Further pictures that have come since the last settlement."""
    spent: int = 0
    """Micro-credits promised for contributions."""


class CloudState(AgentState):
    """All that changes in the cloud."""

    served_by: dict[str, ServedBy] = field(default_factory=dict)
    terms_reason: str = ""
    mechanism: str = ""
    rewards: dict[str, float] = field(default_factory=dict)
    shares: dict[str, Share] = field(default_factory=dict)
    settled: bool = False
    ledger: LedgerState = field(default_factory=LedgerState)
    subjects: dict[str, Subject] = field(default_factory=dict)
    branching: list[str] = field(default_factory=list)
    """Subjects whose first branch model is being made."""
    refining: str = ""
    """The subject whose branch model is being made anew (stage 3), or empty."""
    version: int = 0
    """Of summaries and deltas."""
    orders: dict[str, Order] = field(default_factory=dict)
    shown_subjects: dict[str, list[str]] = field(default_factory=dict)
    """Request -> subjects drawn, until its satisfaction is known."""
    ended: dict[str, bool] = field(default_factory=dict)
    """Requests whose prompt was taken, or refused for good; only where it matters (``guarded``)."""
    refusals: dict[str, int] = field(default_factory=dict)
    """What was refused -> how often its sender was asked to send it again."""


class CloudBase(LedgerAgent):
    """The cloud's state and its way to users."""

    state: CloudState
    state_type = CloudState

    def multicast(
        self,
        ctx: Context,
        label: str,
        purpose: str,
        bits: int,
        body: Body,
        users: list[str] | None = None,
        *,
        request: str = "",
    ) -> None:
        """Send to users (default: all) by their edges, one transmission a cell. ``bits``: without a signature."""
        body = self.signed(body, ctx)
        extra = signature_bits(body)
        named = list(self.around.users) if users is None else users
        self.send_down(Downlink(named, label, request, purpose, bits + extra, body), ctx, after_ns=backhaul_ns(extra))

    def send_down(self, downlink: Downlink, ctx: Context, after_ns: int = 0) -> None:
        """One message to each edge that serves some of the users; those that are attached nowhere hear nothing."""
        edges: dict[str, list[str]] = {}
        for user in downlink.users:
            if user in self.state.served_by:
                edges.setdefault(self.state.served_by[user].edge, []).append(user)
        for edge in sorted(edges):
            ctx.send(edge, replace(downlink, users=edges[edge]), after_ns=after_ns)
