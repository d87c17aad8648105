"""Everything that agents say to each other: frozen, tagged structs in one union, and the envelope around them.

A message's *kind* is its class name in snake case; it is the tag on the wire and the last token of the NATS subject.
Bodies (``Body``) are contents that travel over the radio inside ``Uplink``, ``Downlink``, ``Forwarded`` and ``Arrived``.

Pictures are uint8 RGB bytes, symbols little-endian complex64 bytes, vectors little-endian float32 bytes, times ints of
nanoseconds, SNRs Es/N0 in dB. A *request* id is ``"<sender id>/<number>"``; it is empty where no request is meant.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from .blocks import Attestation, Ballot, Proposal, SealedBlock
from .content_messages import ClipKnowledge, TextBody, TextContent
from .content_messages import CodedPicture as CodedPicture
from .content_messages import GroupPrompt as GroupPrompt
from .content_messages import JsccPicture as JsccPicture
from .payload import Count, Decibel, Finite, Message, Nanoseconds, Unit, Vector
from .signed import Refusal, Signable

# --- bodies: what crosses the radio -------------------------------------------------------------------------------


class Terms(Message, frozen=True):
    """Cloud -> users, multicast: what the cloud pays for shared preferences. ``rewards``: KB item kind -> credits."""

    mechanism: str
    rewards: dict[str, Finite]


class SharedItem(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """One KB item that its owner shares: ``kind``, ``name``, ``label`` (class of a subject), ``vector`` (float32, may be empty).

    The vector is the embedding of a preference, or a subject's identifier. ``pictures`` are compressed (WebP) as they
    cross the air; ``boxes``: (cx, cy, width, height) in pixels of the subject in each, as its owner's extractor found it.
    """

    kind: str
    name: str
    label: str
    vector: Vector
    pictures: list[bytes] = []
    boxes: list[tuple[Finite, Finite, Finite, Finite]] = []


class Share(Signable, frozen=True):
    """User -> cloud: the answer to ``Terms``; no items means declined. ``asked``: credits asked for."""

    user: str
    items: list[SharedItem]
    asked: Finite


class Settlement(Message, frozen=True):
    """Cloud -> user: credits paid."""

    user: str
    credits: Finite


class BranchReady(Signable, frozen=True):
    """Cloud -> user: a branch model for this user's subject is ready (``identifier``: learned vector, rounded to float16).

    ``adapter_bits``: size of the LoRA adapter that its owner downloads with it; 0 for none.
    """

    user: str
    subject: str
    identifier: Vector
    adapter_bits: Count = 0


class DecoderSet(Message, frozen=True):
    """Cloud -> users, multicast: the JSCC decoders ``codecs`` of the library (their weights are charged, not carried)."""

    codecs: list[str]


class Prompt(Signable, frozen=True):
    """Sender -> edge -> cloud: the selected prompt, source-coded in ``data`` (see agents/prompt_codec), for ``recipient``.

    ``t_ns``: when the picture was taken (known to 1 ms on the air). All fields are part of ``data``; here they are in clear.
    """

    request: str
    recipient: str
    t_ns: Nanoseconds
    parts: list[str]
    data: Vector


class Knowledge(Signable, frozen=True):
    """Sender -> cloud: KB items shared ahead of a prompt because mismatch was high, or later because there is more to tell."""

    user: str
    items: list[SharedItem]


class KbSummary(Message, frozen=True):
    """Cloud -> users, multicast per cell: what the generating side knows: names of subjects with a branch model, by user."""

    subjects: list[str]
    version: Count


class CsiRequest(Message, frozen=True):
    """Edge -> user: measure the downlink now and report it; for the picture of ``request`` that waits to be encoded."""

    request: str


class CsiReport(Message, frozen=True):
    """User -> edge: quantised downlink SNR ``level`` (bus/channel/csi) measured at ``t_ns``.

    With a ``request`` it answers a ``CsiRequest`` and is one measurement of the fading channel; without one it is the
    user's running mean, reported when it has changed.
    """

    user: str
    epoch: Count
    t_ns: Nanoseconds
    level: Count
    request: str


class SeenThing(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A thing that a receiver's extractor saw in a picture: its class, and its box in whole pixels (centre, width, height)."""

    label: str
    cx: int
    cy: int
    width: int
    height: int


class Feedback(Message, frozen=True):
    """Receiver -> edge: satisfaction in [0, 1] with a delivered request (defined in agents/satisfaction).

    ``seen``: what the receiver saw in the picture, for a sender that learns; ``None`` where none does.
    """

    request: str
    satisfaction: Unit
    quality: Unit
    latency_ns: int
    seen: list[SeenThing] | None = None


class Reception(Message, frozen=True):
    """Edge -> sender that learns: how its request ended; not ``shown``: it failed, on the air or elsewhere."""

    request: str
    quality: Unit
    latency_ns: int
    seen: list[SeenThing]
    shown: bool = True


class Delta(Signable, frozen=True):
    """Cloud -> owner of a subject (stage 3): new versions after an update. ``identifiers``: subject -> refined vector."""

    version: Count
    identifiers: dict[str, Vector]


Body = (
    Terms
    | Share
    | Settlement
    | Ballot
    | Proposal
    | Attestation
    | SealedBlock
    | BranchReady
    | DecoderSet
    | Prompt
    | Knowledge
    | KbSummary
    | CsiRequest
    | CsiReport
    | Feedback
    | Reception
    | Delta
    | JsccPicture
    | CodedPicture
    | GroupPrompt
    | TextBody
    | ClipKnowledge
    | Refusal
)

# --- radio: the base station owns the air of its cell -----------------------------------------------------------------


class Uplink(Message, frozen=True):
    """User -> its base station: carry ``body`` to the edge. The bytes count as lying at the user until air is granted.

    ``payload_bits``: source-coded bits of the body (coded link). ``symbols``: complex64 as sent, unit power (JSCC), else empty.
    ``purpose``: ``prompt``, ``features``, ``csi``, ``kb``, ``feedback``, ``preparation`` or ``control``; for accounting.
    ``label``: what the transfer is, unique in a run; the key of its luck on the air.
    """

    user: str
    epoch: Count
    label: str
    request: str
    purpose: str
    payload_bits: Count
    body: Body
    symbols: bytes = b""


class Downlink(Message, frozen=True):
    """Cloud -> edge -> base station: carry ``body`` to ``users`` (several: one charged multicast at the worst user's rate).

    Purpose ``installation``: distributed before the run; its symbols are charged, but take no air from the run.
    """

    users: list[str]
    label: str
    request: str
    purpose: str
    payload_bits: Count
    body: Body
    symbols: bytes = b""


class Forwarded(Message, frozen=True):
    """Base station -> its edge (-> cloud): what it received from the user. ``symbols``: as received and equalised."""

    user: str
    bs: str
    request: str
    body: Body
    symbols: bytes = b""
    snr_db: Decibel = 0.0
    """The receiver's estimate of the SNR after equalisation (JSCC only)."""


class Arrived(Message, frozen=True):
    """Base station -> user: what reached the user's antenna. ``symbols`` and ``snr_db`` as in ``Forwarded``."""

    bs: str
    request: str
    body: Body
    symbols: bytes = b""
    snr_db: Decibel = 0.0
    multicast: Count = 0
    """Number of the multicast transmission at this BS, 0 for unicast."""


class Failure(Message, frozen=True):
    """To an edge: ``request`` ended at ``where`` because of ``reason``; an error is a message too.

    Exactly one for each request that fails, from the agent that knows first; an edge or user that knows it itself records it.
    ``receiver``: of a request to a group, the one for whom it ended; not on the wire otherwise.
    """

    request: str
    where: str
    reason: str
    receiver: str | UnsetType = UNSET


class Attach(Message, frozen=True):
    """User -> new base station at association ``epoch``; ``previous``: the base station it leaves, if any."""

    user: str
    epoch: Count
    previous: str


class Detach(Message, frozen=True):
    """New base station -> previous one: forward what still comes for ``user`` to ``to``."""

    user: str
    epoch: Count
    to: str


class Association(Message, frozen=True):
    """Base station -> its edge -> cloud -> the other edges: ``user`` is served by ``bs`` and ``edge`` since ``epoch``."""

    user: str
    epoch: Count
    bs: str
    edge: str


# --- wired: between edges and the cloud -------------------------------------------------------------------------------


class GenerateOrder(Message, frozen=True):
    """Edge -> cloud: generate the content of ``prompt``, which came from ``sender``."""

    sender: str
    prompt: Prompt


class Content(Message, frozen=True):
    """Cloud (or sender's edge) -> receiver's edge: a picture for ``recipient``, raw over backhaul.

    ``file``: what its sender sent it as (scheme ``traditional``); then this is what travels, and ``picture`` what is in it.
    """

    request: str
    sender: str
    recipient: str
    t_ns: Nanoseconds
    picture: bytes
    file: bytes | UnsetType = UNSET


class Satisfaction(Message, frozen=True):
    """Edge -> cloud, periodically: cached feedback as (request, satisfaction) pairs."""

    edge: str
    entries: list[tuple[str, Unit]]


class Library(Message, frozen=True):
    """Cloud -> edge: JSCC codecs on offer, name -> size in bits."""

    codecs: dict[str, Count]


class CodecRequest(Message, frozen=True):
    """Edge -> cloud: send the encoder and decoder ``codec``, which this edge does not hold (any more)."""

    codec: str


class CodecWeights(Message, frozen=True):
    """Cloud -> edge: the codec asked for; ``bits`` took their time on the backhaul (charged, not carried)."""

    codec: str
    bits: Count


# --- timers -------------------------------------------------------------------------------------------------------------


class Tick(Message, frozen=True):
    """A timer: ``name`` says which, ``number`` counts."""

    name: str
    number: int = 0
    request: str = ""


# --- from outside -------------------------------------------------------------------------------------------------------


class Ask(Message, frozen=True):
    """Somebody outside -> the user as whom it acts: take a picture now and send it to ``recipient`` (bus/asks.py).

    ``number``: of the request, given to it when it was accepted. ``things``: how many are in view; 0: as the scenario says.
    ``subject``: an own subject of the user that is in view, or none. ``words``: what it says about it, where goals are inferred.
    """

    number: Count
    recipient: str
    task: Literal["greeting", "mapping"] = "greeting"
    things: Annotated[int, Meta(ge=0, le=8)] = 0
    subject: str = ""
    words: str = ""


Conversation = (
    Body
    | Uplink
    | Downlink
    | Forwarded
    | Arrived
    | Failure
    | Attach
    | Detach
    | Association
    | GenerateOrder
    | Content
    | TextContent
    | Satisfaction
    | Library
    | CodecRequest
    | CodecWeights
    | Tick
    | Ask
)
"""Every message, timers included; records come beside (bus/records.py)."""
