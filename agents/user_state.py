"""What changes in a user, and how it sends."""

from msgspec import Struct, field

from ..bus.blocks import Block
from ..bus.clock import ns
from ..bus.engine import Context
from ..bus.messages import Body, Feedback, SharedItem, Terms, Uplink
from ..bus.records import ClipTruth
from ..bus.signed import Signable
from ..policies.incentive.ledger import Tally
from ..policies.protocols import NoiseContext, PromptChoice, PromptContext, SemanticNoise
from .accounting import signature_bits
from .base import AgentState
from .clips.telling import Camera
from .csi import RunningMean
from .knowledge.items import SUBJECT
from .ledger import LedgerAgent
from .models.roles import Box, Extraction, Intent
from .signatures import kind

MOST_KEPT = 16
"""Signed messages that a user could send again."""


class Sending(Struct):
    """A picture on its way out."""

    recipient: str
    t_ns: int
    task: str
    picture: bytes
    further: list[str] = field(default_factory=list)
    """Recipients besides (scheme ``aigc-scm``)."""
    codec: str = ""
    message: str = ""
    """What the user said about it, where goals are inferred."""
    seen: Extraction | None = None
    """What has been seen in it while another model is asked."""
    intent: Intent | None = None
    """What the user wants, while the prompt is being rehearsed."""
    truth: list[Box] = []
    """What is truly in it; only for an oracle."""


class Told(Struct):
    """A prompt that a learning sender has not heard of yet: what it had seen, its noise estimate and its choice."""

    seen: list[Box]
    noise_context: NoiseContext
    noise: SemanticNoise
    prompt_context: PromptContext
    prompt: PromptChoice


class Receiving(Struct):
    """A picture that arrived and is being decoded, and perhaps repaired."""

    t_ns: int
    codec: str
    snr_db: float
    picture: bytes = b""
    """As decoded, while it is being repaired."""
    clip: ClipTruth | None = None
    """What is known of a clip."""


class Album(Struct):
    """Pictures of an own subject that are being looked through: compressed pictures, and boxes as they are found."""

    pictures: list[bytes] = field(default_factory=list)
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)


class UserState(AgentState):
    """All that changes in a user."""

    bs: str = ""
    epoch: int = 0
    mean: RunningMean = field(default_factory=RunningMean)
    last_level: int = 0
    last_csi_ns: int = -1
    reported_db: float | None = None
    since_report: int = 0
    ticks: int = 0
    active_ns: int = 0
    """When it last had traffic; kept where users go idle, as are the next two."""
    resting: bool = False
    """Whether it is idle: it neither measures nor reports."""
    watching: bool = False
    """Whether a date is set at which it looks for a better station."""
    last_codec: str = ""
    """Last codec of its own uplink (scheme ``semcom``)."""
    sending: dict[str, Sending] = field(default_factory=dict)
    receiving: dict[str, Receiving] = field(default_factory=dict)
    feedback: dict[str, Feedback] = field(default_factory=dict)
    """On pictures that are being looked at again, for their senders to learn."""
    awaited: dict[str, Told] = field(default_factory=dict)
    """Own requests of which a learning user wants to hear."""
    decoders: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    """Subjects that the generating side knows, from its last summary."""
    told: list[str] = field(default_factory=list)
    """Subjects that this user has sent there since."""
    early_terms: Terms | None = None
    """Terms that came before the KB had its first items."""
    rewards: dict[str, float] = field(default_factory=dict)
    """What is paid for an item of each kind."""
    tally: Tally = field(default_factory=Tally)
    """The ledger of credits, as far as this user has heard of it."""
    heard: int = -1
    """Number of the last block that it has heard of."""
    proposed: Block | None = None
    """A block that it may have to attest."""
    votes: list[str] = field(default_factory=list)
    """Its last ballot."""
    albums: dict[str, Album] = field(default_factory=dict)
    references: dict[str, bytes] = field(default_factory=dict)
    """Cut-outs of own subjects, to share when they are needed and to repair pictures with (role ``calibrator``)."""
    adapters: dict[str, bytes] = field(default_factory=dict)
    """LoRA adapters of others' subjects (scheme ``aigc-scm``)."""
    preparing: list[SharedItem] = field(default_factory=list)
    """What it is going to share, while pictures are being looked through."""
    cameras: dict[int, Camera] = field(default_factory=dict)
    """Own cameras, where clips are sent."""
    seen_clips: dict[str, list[list[Box]]] = field(default_factory=dict)
    """Request -> what is in each frame, while tracks are made of it."""
    asked: float = 0.0
    credits: float = 0.0
    kept: dict[str, Uplink] = field(default_factory=dict)
    """Kind and request -> what was sent signed, the last `MOST_KEPT`, in case it is refused."""
    extra_ns: int = 0
    """When it last shared a further picture."""


class UserBase(LedgerAgent):
    """A user's state and its way to the base station."""

    state: UserState
    state_type = UserState

    def send_up(
        self,
        ctx: Context,
        label: str,
        purpose: str,
        bits: int,
        body: Body,
        *,
        request: str = "",
        symbols: bytes = b"",
        after_ns: int = 0,
    ) -> None:
        """Hand something to the base station that serves this user now. ``bits``: without a signature."""
        body = self.signed(body, ctx)
        uplink = Uplink(self.id, self.state.epoch, label, request, purpose, bits + signature_bits(body), body, symbols)
        if isinstance(body, Signable) and signature_bits(body):
            self.state.kept[f"{kind(body)}:{request}"] = uplink
            if len(self.state.kept) > MOST_KEPT:
                del self.state.kept[next(iter(self.state.kept))]
        ctx.send(self.state.bs, uplink, after_ns=after_ns)

    def looks(self) -> dict[str, bytes]:
        """Identifier vectors of this user's own subjects, as far as it has them."""
        own = self.around.user_settings[self.id].subjects
        return {item.name: item.data for item in self.state.kb.of_kind(SUBJECT) if item.data and item.name in own}

    def runs(self, role: str) -> str:
        """The model that this user's device runs for a role: the role itself, or a variant such as ``extractor@int8``."""
        device = self.settings.device_of.get(self.id)
        variant = device.variants.get(role, "") if device else ""
        return f"{role}@{variant}" if variant else role

    def work_ns(self, flops: int) -> int:
        """Time that work which no model does takes on this user's device."""
        device = self.settings.device_of.get(self.id)
        return ns(flops / (device.flops if device else self.settings.compute.user_flops))

    @property
    def traffic_ends_ns(self) -> int:
        """When no more pictures are taken and no more measurements made."""
        return ns(self.settings.traffic.duration_s)
