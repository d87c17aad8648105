"""What the agents of one network are told at the start: plain frozen structs, made from a scenario, equal on every worker."""

from functools import cached_property
from typing import Literal

from msgspec import Struct, field

from ..policies.registry import PolicySpec
from .granularity import Granularity

FIRST_MARGIN_DB = 3.0
"""Margin that base stations take off a new user's mean SNR when they choose a coded link's scheme."""


GENERATING = ("gai-scn", "gai-traditional", "aigc-scm")
"""Schemes in which prompts go up and content is generated; in the others the picture itself goes up."""
AT_RECEIVERS = ("aigc-scm",)
"""Those of them in which receivers generate."""
FILES = ("gai-traditional", "traditional")
"""Schemes in which pictures come down as files over the coded link, in place of JSCC symbols."""


class RadioSettings(Struct, frozen=True):
    """The air of a cell. ``bandwidth_hz`` equals the complex symbol rate; powers in dBm; ``model``: ``rayleigh`` or ``awgn``.

    ``idle_s``: a user that neither sent nor received anything for so long stops to measure and report until it does again (0: it
    never stops); ``idle_move_m``: it then looks for a better station whenever it may have moved so far.
    """

    model: str = "rayleigh"
    carrier_hz: float = 3.5e9
    bandwidth_hz: float = 1.0e6
    bs_power_dbm: float = 30.0
    user_power_dbm: float = 23.0
    noise_figure_db: float = 7.0
    pilots: int = 16
    csi_period_s: float = 0.1
    csi_change_db: float = 1.0
    csi_delay_s: float = 0.0
    idle_s: float = 0.0
    idle_move_m: float = 20.0
    perfect_csi: bool = False
    target_bler: float = 0.1
    max_attempts: int = 4
    fixed_snr_db: float | None = None
    """Overrides path loss with one mean SNR for every link and both directions (controlled studies)."""
    fixed_mcs: str = ""
    """Name of the one scheme that all queued coded transfers are sent with (``bus.channel.mcs``); empty: chosen by CSI."""


class ComputeSettings(Struct, frozen=True):
    """FLOP/s of one processor of each role, the cloud's number of them, and the energy of work in joule a FLOP.

    The defaults give the tiny models the service times that the field's own models have: about 0.4 s for a few-step diffusion
    and 8 ms for a JSCC codec on a large GPU, some 5 ms for an extractor on a device.
    """

    user_flops: float = 5.0e10
    edge_flops: float = 1.5e10
    cloud_flops: float = 1.0e10
    cloud_accelerators: int = 16
    joule_per_flop_user: float = 1.0e-11
    joule_per_flop_server: float = 2.0e-11


class KnowledgeSettings(Struct, frozen=True):
    """KBs and incentives. ``privacy_cost``: range (low, high) of a user's keyed credits an item; ``budget``: the cloud's.

    ``branch``: what the cloud draws a user's subject with: its ``identifier`` alone, a ``reference`` picture too, or also a LoRA
    ``adapter``, which its owner downloads. ``privacy_epsilon`` and ``privacy_delta``: differential privacy of each vector that a
    user shares (``agents/knowledge/privacy.py``); 0: none. ``invited_share``: of the users without subjects of their own, those
    to whom the cloud tells its terms and what it knows; who has subjects is always told.
    """

    branch: Literal["identifier", "reference", "adapter"] = "reference"
    privacy_cost: tuple[float, float] = (0.2, 2.0)
    budget: float = 24.0
    invited_share: float = 1.0
    privacy_epsilon: float = 0.0
    privacy_delta: float = 1.0e-5
    edge_storage_bits: int = 40_000_000
    history_items: int = 16
    style_share: float = 0.0
    """Of the users: those who prefer a style (`agents.style`), which their KBs hold."""


class TrafficSettings(Struct, frozen=True):
    """Requests: Poisson with ``rate_hz`` a user from ``start_s`` to ``duration_s``; then what is under way is finished.

    ``shape``: how the rate goes over a day that takes ``duration_s``: relative numbers for equal parts of it, of any mean (the
    rate's mean over the day is ``rate_hz``); empty: constant.
    """

    duration_s: float = 20.0
    start_s: float = 3.0
    rate_hz: float = 0.7
    shape: tuple[float, ...] = ()
    max_requests: int = 0
    """Per user; 0 = no limit."""
    objects: tuple[int, int] = (1, 4)
    subject_share: float = 0.3
    """Probability that a picture shows the sender's own subject."""
    mapping_share: float = 0.3
    """Probability that a request's task is ``mapping`` (places count), else ``greeting``."""
    feedback_sync_s: float = 5.0
    images: str = ""
    """Folder of pictures (`own_pictures`) that users send in turn, in place of drawn scenes."""
    recipients: int = 1
    """How many users a picture goes to."""
    unicast: bool = False
    """Whether there is a request of its own for each of them, in place of one to the group."""
    senders: tuple[str, ...] = ()
    """Users that take pictures; empty: all."""
    content: Literal["pictures", "text", "alarms", "clips"] = "pictures"
    """What users send: pictures; texts of their own (``agents/texts``); what a scene is to its receiver, a sentence; or clips."""


class ClipSettings(Struct, frozen=True):
    """Short video (``traffic.content = "clips"``): ``cameras`` of each sender that take turns, clips of ``frames`` at ``fps``.

    ``world``: things that wander before a ``camera`` (``movers``: least and most), or traffic on a ``street``. With scheme
    ``aigc-scm``, ``background``: receivers draw on what they were sent once (``kb``), get with ``each`` clip, or on a ``map``;
    ``places``: told of ``every`` frame, of each ``step``-th (``stride``), or where the receiver would not predict them to
    ``tolerance_px`` (``predicted``). ``looks``: told once to each receiver (``told``), or drawn by class and colour from
    what all receivers know (``known``). ``watch``: receivers of symbols look for incidents in what they decoded.
    """

    frames: int = 16
    fps: int = 8
    world: Literal["camera", "street"] = "camera"
    cameras: int = 1
    movers: tuple[int, int] = (1, 3)
    background: Literal["kb", "each", "map"] = "kb"
    places: Literal["every", "stride", "predicted"] = "every"
    looks: Literal["told", "known"] = "told"
    step: int = 4
    tolerance_px: float = 1.5
    watch: bool = False


class AigcSettings(Struct, frozen=True):
    """Scheme ``aigc-scm``: receivers make the content on their own devices.

    ``variant``: history, ``n`` (none) or ``h``, then places, ``i`` (a caption, which leaves them open) or ``a`` (labels and
    boxes). ``informed``: users who get the history, pictures of all personal subjects of others, before the service; empty: all.
    """

    variant: Literal["ni", "na", "hi", "ha"] = "ha"
    informed: tuple[str, ...] = ()

    @property
    def history(self) -> bool:
        """Whether there is any."""
        return self.variant[0] == "h"

    @property
    def places(self) -> bool:
        """Whether prompts say where things are."""
        return self.variant[1] == "a"


class SecuritySettings(Struct, frozen=True):
    """Trust. ``signatures``: prompts, shared knowledge and adapters are signed, and refused where the signature does not hold.

    ``resend``: how often a sender is asked to send again what was refused. ``rate_hz``: messages of one sender that are taken a
    second; 0: any number.
    """

    signatures: bool = False
    resend: int = 3
    rate_hz: float = 0.0


class AdversarySettings(Struct, frozen=True):
    """An adversary on the wire between each of ``stations`` and its edge (``agents/adversary.py``); none without.

    ``tamper``: share of the passing prompts, shared knowledge and adapters that it changes. The others are mean numbers a second
    on each wire, Poisson: old messages sent again, floods of ``flood_size`` forged prompts, single forged prompts.
    """

    stations: tuple[str, ...] = ()
    tamper: float = 0.0
    replay_hz: float = 0.0
    flood_hz: float = 0.0
    flood_size: int = 20
    forge_hz: float = 0.0


def tapped(latency_ms: dict[str, float]) -> dict[str, float]:
    """Latencies with the adversary in the middle of the wire between base station and edge: the whole takes as long as before."""
    longest = max(latency_ms.values())
    up, down = (latency_ms.get(pair, longest) / 2 for pair in ("bs>edge", "edge>bs"))
    return latency_ms | {"bs>adversary": up, "adversary>edge": up, "edge>adversary": down, "adversary>bs": down}


class DeviceSettings(Struct, frozen=True):
    """A class of users' devices: FLOP/s and joule a FLOP of its processor, and which ``variants`` of models it runs.

    Role -> variant, e.g. ``{"extractor": "int8"}``; the model's name in the set is then ``"extractor@int8"``.
    """

    name: str
    flops: float
    joule_per_flop: float
    variants: dict[str, str] = {}
    generates: bool = True
    """Whether it can run a generator (scheme ``aigc-scm``)."""


class UserSettings(Struct, frozen=True):
    """One user: where it starts is keyed; ``subjects``: names of its personal subjects in the scene world, e.g. ``"mia/dog"``.

    ``device``: the class of its device; empty: that of the compute settings, with all models whole.
    """

    id: str
    subjects: tuple[str, ...] = ()
    speed_mps: float = 1.5
    device: str = ""


class StationSettings(Struct, frozen=True):
    """One base station: place in metres and its edge."""

    id: str
    x_m: float
    y_m: float
    edge: str


PolicySettings = PolicySpec
"""A resolved policy (see ``policies.registry``)."""


class NetworkSettings(Struct, frozen=True, dict=True):
    """A whole network. ``scheme``: of `GENERATING`, or ``semcom`` or ``traditional``; ``area_m``: (width, height) to move in."""

    seed: int
    scheme: str
    users: tuple[UserSettings, ...]
    stations: tuple[StationSettings, ...]
    edges: tuple[str, ...]
    cloud: str = "cloud.0"
    area_m: tuple[float, float] = (600.0, 400.0)
    lookahead_ns: int = 1_000_000
    latency_ms: dict[str, float] = field(
        default_factory=lambda: {
            "user>bs": 1.0,
            "bs>user": 1.0,
            "bs>edge": 2.0,
            "edge>bs": 2.0,
            "edge>cloud": 5.0,
            "cloud>edge": 5.0,
        }
    )
    """One-way latency by (role > role); pairs not named have the largest of these."""
    radio: RadioSettings = RadioSettings()
    compute: ComputeSettings = ComputeSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    traffic: TrafficSettings = TrafficSettings()
    policies: tuple[PolicySettings, ...] = ()
    generator: str = "diffusion"
    """Which family draws: ``diffusion``, ``vae``, ``gan`` or ``flow``."""
    generator_steps: int = 8
    best_of: int = 1
    """Candidates that the cloud draws of a prompt, each with a seed of its own, to keep the one that agrees best with it."""
    caption: str = "boxes"
    """Who says what a picture shows: ``boxes`` (the extractor, from its boxes) or ``captioner`` (that role)."""
    goals: str = "given"
    """How a sender's task is known: ``given``, or ``inferred`` from what the user says by the role ``keywords``."""
    codecs: str = "specialists"
    """JSCC codecs that encoder policies are offered: ``specialists``, ``adaptive`` or ``all``."""
    uplink_codec: str = ""
    """JSCC codec of the way up in scheme ``semcom``; empty: the encoder policy chooses for both ways."""
    file_codec: str = "webp"
    """Format of the files of schemes `FILES` (``agents.picture_files``)."""
    file_quality: int = 50
    coded_fallback: bool = False
    """Encoder policies at edges may send a picture as coded bits instead, too (``agents.coded_pictures``)."""
    denoise: bool = False
    """Receivers send features through the role ``denoiser`` before they decode them."""
    calibrate: bool = False
    """Receivers repair decoded pictures by the role ``calibrator``, with what their extractor and KB know of them."""
    restyle: bool = False
    """What is generated is rendered in the style of who sees it (role ``stylist``): there, or by the cloud if that knows it."""
    pictures: Literal["raw", "sketch"] = "raw"
    """Form of pictures and symbols: pixels and complex numbers, or `agents.sketches`, where the models work on these."""
    text_link: Literal["words", "coded"] = "words"
    """How a composed text goes down: words as symbols, which may come wrong, or a compressed file as coded bits."""
    granularity: Granularity = Granularity()
    """How much a prompt can say at most."""
    devices: tuple[DeviceSettings, ...] = ()
    """Classes of users' devices."""
    aigc: AigcSettings = AigcSettings()
    clips: ClipSettings = ClipSettings()
    security: SecuritySettings = SecuritySettings()
    adversary: AdversarySettings = AdversarySettings()

    @cached_property
    def device_of(self) -> dict[str, DeviceSettings]:
        """User id -> its class of device; users of none are left out."""
        known = {device.name: device for device in self.devices}
        return {user.id: known[user.device] for user in self.users if user.device}

    @property
    def generates(self) -> bool:
        """Whether content is generated from prompts."""
        return self.scheme in GENERATING
