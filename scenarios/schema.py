"""What a scenario file may say. Every quantity has its unit in its name; unknown keys are errors.

The sections mirror ``agents.settings`` (a test keeps names and defaults equal); ``scenarios.loading`` reads files into
these models and ``scenarios.build`` turns them into what the agents are told.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

Host = Literal["memory", "nats", "ray"]
Exchange = Literal["subjects", "packed"]
Scheme = Literal["gai-scn", "aigc-scm", "semcom", "gai-traditional", "traditional"]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """Base of all sections: no unknown keys, no silent conversion of types, no infinities."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class UserEntry(Section):
    """One user: ``id`` such as ``user.mia``; ``subjects`` by their names in the scene world; walking speed."""

    id: str = Field(pattern=r"^user\.[a-z0-9_-]+$")
    subjects: tuple[str, ...] = ()
    speed_mps: float | None = Field(default=None, ge=0)
    """Default: ``network.speed_mps``."""


class StationEntry(Section):
    """One base station: ``id`` such as ``bs.0``, place in metres and the edge server behind it."""

    id: str = Field(pattern=r"^bs\.[a-z0-9_-]+$")
    x_m: float
    y_m: float
    edge: str


def _count_or_list(value: Any) -> str:
    return "list" if isinstance(value, list | tuple) else "count"


class NetworkSection(Section):
    """Who takes part and where: counts, or explicit lists of users and base stations.

    With a count, users are ``user.00``, ``user.01``, ...; the n-th of ``subjects`` belongs to the n-th user. Base stations
    are then spread evenly over ``area_m`` = [width, height], in groups over the edges.
    """

    users: Annotated[
        Annotated[int, Field(ge=2, le=1_000_000), Tag("count")] | Annotated[tuple[UserEntry, ...], Tag("list")],
        Discriminator(_count_or_list),
    ]
    stations: Annotated[
        Annotated[int, Field(ge=1, le=10_000), Tag("count")] | Annotated[tuple[StationEntry, ...], Tag("list")],
        Discriminator(_count_or_list),
    ]
    edges: int = Field(ge=1, le=1000)
    area_m: tuple[Positive, Positive] = (600.0, 400.0)
    speed_mps: float = Field(default=1.5, ge=0)
    subjects: tuple[str, ...] = ()
    lookahead_ms: float = Field(default=1.0, gt=0)
    """Width of a window of simulated time; no link may be faster."""
    latency_ms: dict[str, Positive] = Field(
        default={"user>bs": 1.0, "bs>user": 1.0, "bs>edge": 2.0, "edge>bs": 2.0, "edge>cloud": 5.0, "cloud>edge": 5.0}
    )
    """One-way latency by ``"role>role"``; pairs not named have the largest of these."""


class RadioSection(Section):
    """The air of a cell: block Rayleigh or AWGN, powers, pilots, CSI reports and retransmissions."""

    model: Literal["rayleigh", "awgn"] = "rayleigh"
    carrier_hz: float = Field(default=3.5e9, ge=0.5e9, le=100e9)
    bandwidth_hz: Positive = 1.0e6
    """Equals the complex symbol rate of the cell."""
    bs_power_dbm: float = 30.0
    user_power_dbm: float = 23.0
    noise_figure_db: float = Field(default=7.0, ge=0)
    pilots: int = Field(default=16, ge=1)
    csi_period_s: Positive = 0.1
    csi_change_db: float = Field(default=1.0, ge=0)
    csi_delay_s: float = Field(default=0.0, ge=0)
    idle_s: float = Field(default=0.0, ge=0)
    """After so long without traffic a user stops to measure and report, until it sends or receives again; 0: never."""
    idle_move_m: Positive = 20.0
    """An idle user looks for a better station whenever it may have moved so far."""
    perfect_csi: bool = False
    target_bler: float = Field(default=0.1, gt=0, lt=1)
    max_attempts: int = Field(default=4, ge=1, le=16)
    fixed_snr_db: float | None = Field(default=None, ge=-30, le=60)
    """One mean SNR (Es/N0) for every link and both directions instead of path loss; for controlled studies."""
    fixed_mcs: str = ""
    """One modulation and coding scheme for all coded transfers, such as ``"16QAM 0.48"`` (16QAM of rate 1/2, row 13 of TS 38.214
    Table 5.1.3.1-1), whatever the SNR; empty: base stations choose by CSI. Attachments and installation stay as they are."""


class ComputeSection(Section):
    """FLOP/s of one processor of each role, the cloud's number of them, and the energy of a FLOP."""

    user_flops: Positive = 5.0e10
    edge_flops: Positive = 1.5e10
    cloud_flops: Positive = 1.0e10
    cloud_accelerators: int = Field(default=16, ge=1)
    joule_per_flop_user: Positive = 1.0e-11
    joule_per_flop_server: Positive = 2.0e-11


class KnowledgeSection(Section):
    """Knowledge bases and incentives."""

    branch: Literal["identifier", "reference", "adapter"] = "reference"
    privacy_cost: tuple[float, float] = (0.2, 2.0)
    budget: float = Field(default=24.0, ge=0)
    invited_share: Share = 1.0
    """Of the users without subjects of their own: those that hear the cloud's terms and summary. Who has subjects always does."""
    privacy_epsilon: float = Field(default=0.0, ge=0, le=1.0e6)
    """Of each vector that a user shares (not of pictures); 0: no noise."""
    privacy_delta: float = Field(default=1.0e-5, ge=1.0e-12, le=0.1)
    edge_storage_bits: int = Field(default=40_000_000, ge=0)
    history_items: int = Field(default=16, ge=0)
    style_share: Share = 0.0
    """Of the users: those who prefer a style, the colours of pictures that they like (``agents/style.py``)."""


class TrafficSection(Section):
    """When pictures are sent and what they show."""

    duration_s: Positive = 20.0
    start_s: float = Field(default=3.0, ge=0.2)
    rate_hz: float = Field(default=0.7, ge=0)
    """Mean over the run, of one user."""
    shape: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(max_length=288)] = ()
    """How the rate goes over the day, which takes ``duration_s``: relative numbers for equal parts of it; empty: constant."""
    max_requests: int = Field(default=0, ge=0)
    objects: tuple[int, int] = (1, 4)
    subject_share: Share = 0.3
    mapping_share: Share = 0.3
    feedback_sync_s: Positive = 5.0
    images: str = ""
    """Folder of pictures of your own (``--images``), which users send in turn; all nodes of a cluster must see it."""
    recipients: int = Field(default=1, ge=1, le=16)
    """How many users a picture goes to, drawn for each; one request to a group needs scheme ``aigc-scm`` or ``traditional``."""
    unicast: bool = False
    """A request of its own for each recipient, in place of one to the group; any scheme can do this."""
    senders: tuple[str, ...] = ()
    """Ids of the users that take pictures; empty: all."""
    content: Literal["pictures", "text", "alarms", "clips"] = "pictures"
    """Pictures; itineraries as texts; scenes of which receivers only hear a sentence, if they are what these watch for; clips."""


class ClipsSection(Section):
    """Short video, where ``traffic.content`` is ``"clips"``; needs scheme ``aigc-scm`` or ``semcom``."""

    frames: int = Field(default=16, ge=2, le=64)
    fps: int = Field(default=8, ge=1, le=63)
    world: Literal["camera", "street"] = "camera"
    """Things that wander before a camera that stands still, or traffic on a street, with incidents."""
    cameras: int = Field(default=1, ge=1, le=16)
    """Of each sender; they take turns."""
    movers: tuple[Annotated[int, Field(ge=0, le=8)], Annotated[int, Field(ge=0, le=8)]] = (1, 3)
    """Least and most things that wander."""
    background: Literal["kb", "each", "map"] = "kb"
    """What receivers of prompts draw on: what they were sent once, what is sent with each clip, or a map that all have."""
    places: Literal["every", "stride", "predicted"] = "every"
    """Of which frames places are told: of all; of every ``step``-th, others are completed; where prediction would not do."""
    looks: Literal["told", "known"] = "told"
    """Cut-outs of things, told once to each receiver; or drawn by class and colour from what all receivers know."""
    step: int = Field(default=4, ge=1, le=16)
    tolerance_px: float = Field(default=1.5, ge=0, le=64)
    """How far off a predicted place may be, in x or y, before the true one is told."""
    watch: bool = False
    """Whether receivers of symbols look for incidents in what they decoded."""


class PoliciesSection(Section):
    """One policy of every kind, written ``"name"`` or ``"name:parameter=value,parameter=value"``."""

    noise: str
    prompt: str
    encoder: str
    incentive: str
    scheduling: str
    eviction: str = "lru"


class HubSection(Section):
    """The hub profile: which published checkpoint does each part, where it lies, how it runs; see ``agents.models.hub.settings``.

    A part is empty (the default of ``semcast list models --models hub``), a name of its table, ``org/name@revision`` or a folder.
    """

    folder: str = ""
    """A hub cache; empty: the usual one (``HF_HOME``)."""
    captioner: str = ""
    detector: str = ""
    clip: str = ""
    generator: str = ""
    embedder: str = ""
    language: str = ""
    judge: str = ""
    """A published CLIP for the alignments; empty: the judge trained on the scene world."""
    adapters: dict[str, str] = {}
    """Subject -> LoRA weights for the generator, e.g. ``{"mia/dog" = "org/name@revision"}``."""
    device: Literal["cpu", "cuda"] = "cpu"
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    batch: int = Field(default=1, ge=1, le=64)
    threads: int = Field(default=1, ge=1, le=256)
    guidance: float = Field(default=7.5, ge=1, le=50)


class DeviceSection(Section):
    """A class of users' devices, named by its table: ``[devices.phone]``. Users get classes by share, drawn by the seed."""

    share: Share
    """Of all users; those left over have the user's processor of ``compute`` and run all models whole."""
    flops: Positive | None = None
    """FLOP/s; default: ``compute.user_flops``."""
    joule_per_flop: Positive | None = None
    """Default: ``compute.joule_per_flop_user``."""
    variants: dict[str, str] = {}
    """Role -> variant of its model, such as ``{extractor = "int8"}``; ``semcast list models`` shows which there are."""
    generates: bool = True
    """Whether it can run a generator; with scheme ``aigc-scm`` one that cannot shows nothing."""


class AigcSection(Section):
    """Scheme ``aigc-scm``: prompts go to the receivers, and these make the content on their own devices."""

    variant: Literal["ni", "na", "hi", "ha"] = "ha"
    """``n`` or ``h``: without or with history (pictures of personal subjects that were shared before); ``i`` or ``a``: without
    or with places (a caption, or labels and boxes)."""
    informed: tuple[str, ...] = ()
    """Ids of the users who get the history; empty: all."""


class SecuritySection(Section):
    """Content signatures and limits of rate; see ``agents/signatures.py`` for what of them is simulated."""

    signatures: bool = False
    """Prompts, shared knowledge and adapters are signed (68 bytes each, charged); what does not hold is refused."""
    resend: int = Field(default=3, ge=0, le=16)
    """How often a sender is asked to send again what was refused; a request that is refused once more fails."""
    rate_hz: float = Field(default=0.0, ge=0, le=1000)
    """Messages of one sender that the cloud takes a second, in bursts of up to 4; 0: any number."""


class AdversarySection(Section):
    """An adversary on the wire between base stations and their edges; none where ``stations`` is empty."""

    stations: tuple[str, ...] = ()
    """Ids of the base stations on whose wires it sits, such as ``["bs.0"]``."""
    tamper: Share = 0.0
    """Share of the passing prompts, shared knowledge and adapters that it changes."""
    replay_hz: float = Field(default=0.0, ge=0, le=1000)
    """Old messages that it sends again, a second and wire."""
    flood_hz: float = Field(default=0.0, ge=0, le=100)
    """Floods of ``flood_size`` forged prompts each, a second and wire."""
    flood_size: int = Field(default=20, ge=1, le=1000)
    forge_hz: float = Field(default=0.0, ge=0, le=1000)
    """Single prompts of its own making in a user's name, a second and wire."""


class ModelsSection(Section):
    """Which models run, the diffusion steps of the generator, and how pictures are understood and how finely told."""

    profile: Literal["tiny", "hub", "table"] = "tiny"
    generator: Literal["diffusion", "small", "int8", "vae", "gan", "flow"] = "diffusion"
    """What draws content: the diffusion model, its small or 8-bit variant, or a family of models that makes one pass."""
    generator_steps: int = Field(default=8, ge=1, le=50)
    best_of: int = Field(default=1, ge=1, le=16)
    """Candidates drawn of every prompt; an extractor at the cloud picks the one in which it finds the prompt best again."""
    caption: Literal["boxes", "captioner"] = "boxes"
    """From the extractor's boxes, or by a captioner of its own (some 25 ms of a core more a picture)."""
    goals: Literal["given", "inferred"] = "given"
    """A sender's task is drawn and known, or inferred from what its user says; then prompts can hold goal and keywords."""
    codecs: Literal["specialists", "adaptive", "all"] = "specialists"
    """JSCC codecs on offer: one for each SNR and rate; one for all SNRs at four rates (``adaptive-cbr48`` to ``-cbr6``); both."""
    uplink_codec: str = ""
    """Name of the JSCC codec of the way up in scheme ``semcom``, such as ``adaptive-cbr12``; empty: as the policy says."""
    file_codec: Literal["jpeg", "jpeg2000", "webp", "avif", "webp-lossless"] = "webp"
    """Format of the files of schemes ``gai-traditional`` and ``traditional`` (``agents/picture_files.py``)."""
    file_quality: int = Field(default=50, ge=0, le=300)
    """In the format's own scale: 0 to 100, JPEG 1 to 95, JPEG 2000 0 to 300; means nothing for ``webp-lossless``."""
    coded_fallback: bool = False
    """Beside the JSCC codecs, encoder policies may choose to send a WebP file as coded bits (``coded-q50``, ``coded-q85``)."""
    denoise: bool = False
    """Receivers denoise features of specialists before they decode them (role ``denoiser``)."""
    restyle: bool = False
    """What is generated is rendered in the style of who sees it (``knowledge.style_share``): by the receiver where it generates
    itself, else by the cloud, if the receiver has shared its style."""
    calibrate: bool = False
    """Receivers repair pictures (tints, blur, noise) by the role ``calibrator``, after a look of the extractor."""
    text_link: Literal["words", "coded"] = "words"
    """Composed texts go down word by word as symbols, where some may come wrong, or as a compressed file over the coded link."""
    keywords: int = Field(default=6, ge=0, le=12)
    """Most keywords of a prompt."""
    boxes: int = Field(default=15, ge=0, le=15)
    """Most boxes of a prompt."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where models of torch run (the hub profile's own have ``hub.device``); results of a GPU are those of another machine."""
    batch: int = Field(default=0, ge=0, le=1024)
    """Calls that run together on a GPU, filled up to this number; 0: each model's own number, made for CPUs."""
    hub: HubSection = HubSection()


class ClusterSection(Section):
    """Where Ray puts the workers; has no influence on results."""

    placement: Literal["any", "pack", "spread"] = "any"
    """``pack``: workers on as few nodes as have room, ``spread``: on as many as there are; each keeps its share of processors."""
    gpus_per_worker: float = Field(default=0.0, ge=0, le=64)
    """What Ray keeps of GPUs for each worker, such as 0.25; for ``models.device = "cuda"``."""


PROFILE_DEFAULTS: dict[str, dict[str, Any]] = {
    "hub": {"models": {"generator_steps": 25}, "compute": {"user_flops": 1.0e12, "cloud_flops": 4.0e13}}
}
"""Defaults that differ with the model profile. Published models want real devices: a phone's accelerator, and a large GPU that
makes some nine evaluations of Stable Diffusion 2.1 with guidance (4.3 TFLOP) a second. Edges stay as they are, since their JSCC
codecs are the tiny profile's."""


class Scenario(Section):
    """A whole experiment."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: str
    seed: int = Field(default=1, ge=0, lt=2**63)
    scheme: Scheme = "gai-scn"
    host: Host = "ray"
    workers: int = Field(default=2, ge=1, le=64)
    exchange: Exchange = "subjects"
    network: NetworkSection
    radio: RadioSection = RadioSection()
    compute: ComputeSection = ComputeSection()
    knowledge: KnowledgeSection = KnowledgeSection()
    traffic: TrafficSection = TrafficSection()
    policies: PoliciesSection
    models: ModelsSection = ModelsSection()
    devices: dict[str, DeviceSection] = {}
    aigc: AigcSection = AigcSection()
    clips: ClipsSection = ClipsSection()
    security: SecuritySection = SecuritySection()
    adversary: AdversarySection = AdversarySection()
    cluster: ClusterSection = ClusterSection()
