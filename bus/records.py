"""What agents write to the trace and send to nobody: costs, decisions, pictures taken and shown, changes of a KB."""

from typing import Any

from msgspec import Struct

from .payload import Message


class AirRecord(Message, frozen=True, omit_defaults=True):
    """Base station: one finished radio transfer with everything it cost (DESIGN section 4, accounting)."""

    request: str
    purpose: str
    direction: str
    """``up`` or ``down``."""
    users: list[str]
    payload_bits: int
    coded_bits: int
    complex_symbols: int
    """All complex symbols that took air: data (coded and JSCC), pilots and HARQ feedback, over all attempts."""
    jscc_symbols: int
    """Those of them that are JSCC symbols, of pictures, clips or the words of texts."""
    pilot_symbols: int
    feedback_symbols: int
    attempts: int
    """Transmissions of the coded part, the first one included."""
    queue_ns: int
    air_ns: int
    snr_db: float
    """True SNR at the first symbol: for the record only, no agent reads it."""
    delivered: bool
    scheme: str
    """MCS name, ``jscc:<codec>``, or ``pilots`` for the reference symbols of a cell over the whole run."""
    signature_bits: int = 0
    """Those of the payload bits that are signature and counter; not on record where there are none."""


class Decision(Message, frozen=True):
    """Any agent: one policy decision. ``context`` and ``choice`` are the policy's structs as built-in types.

    ``verb``: the method asked; ``about``: what keys its draws, with kind and verb. So another policy can be asked the same.
    """

    request: str
    policy_kind: str
    verb: str
    about: str
    policy: str
    context: dict[str, Any]
    choice: dict[str, Any]


class Placed(Struct, frozen=True, array_like=True, gc=False):
    """Where a thing is in one frame of a clip: its ``number`` (below 0: it stands still), and its box in pixels."""

    frame: int
    number: int
    label: str
    colour: str
    cx: float
    cy: float
    width: float
    height: float


class Happened(Struct, frozen=True, array_like=True, gc=False):
    """An incident in a clip: its kind, the frame in which it began, and where."""

    kind: str
    frame: int
    cx: float
    cy: float


class ClipTruth(Struct, frozen=True):
    """What is truly in a clip, or what its receiver knows of it: ``fps`` frames a second."""

    fps: int
    places: list[Placed]
    incidents: list[Happened]


class Capture(Message, frozen=True, omit_defaults=True):
    """Private, sender: the picture that starts a request, what is truly in it and what it is for.

    ``truth``: (label, colour, cx, cy, w, h, subject) of each thing. Where texts are sent, ``facts`` are what the shown text
    should say (agents/texts), and ``text`` is the original, if there is one; there may be no picture then.
    """

    request: str
    recipient: str
    picture: bytes
    truth: list[tuple[str, str, float, float, float, float, str]]
    background: str
    task: str
    """What its user truly wants: ``mapping`` (places count) or ``greeting``."""
    text: str = ""
    facts: list[str] = []
    further: list[str] = []
    """Recipients besides, where it goes to a group."""
    file: str = ""
    """Name of the file, where it is a picture of somebody's own."""
    clip: ClipTruth | None = None
    """Where ``picture`` is a clip: all its frames, one after the other; ``truth`` and ``background`` are of the middle one."""


class Shown(Message, frozen=True, omit_defaults=True):
    """Private, receiver: the picture (or ``text``) in the end, as decoded. What entered the last encoder is in ``Content``."""

    request: str
    picture: bytes
    codec: str
    snr_db: float
    """The receiver's own estimate after equalisation."""
    latency_ns: int
    text: str = ""
    clip: ClipTruth | None = None
    """Where ``picture`` is a clip: where its receiver knows things to be, and what happened."""


class KbRecord(Message, frozen=True):
    """Private: one change of the agent's KB; a KB is the fold of its records (see agents/knowledge)."""

    item_kind: str
    name: str
    version: int
    provenance: str
    sharing: str
    """``private``, ``cloud`` (may be shared with the cloud) or ``public``."""
    text: str
    vector: bytes
    data: bytes = b""
    removed: bool = False


class Verdict(Message, frozen=True):
    """Cloud or user, where a scenario has signatures, a rate limit or an adversary: one message of ``sender`` was looked at.

    ``mark``: hash of the message as it came (``agents.signatures.mark_of``); ``reason``: why it was refused, else empty.
    """

    sender: str
    request: str
    message: str
    """Its kind."""
    mark: bytes
    reason: str


class Attack(Message, frozen=True):
    """Private, adversary: what it did, for metrics alone: ``attack`` is ``tamper``, ``replay``, ``flood`` or ``forge``.

    ``victim``: in whose name, or whose adapter; ``mark``: as in `Verdict`, of the message as the adversary sent it.
    """

    attack: str
    victim: str
    request: str
    message: str
    mark: bytes
    again: bool = False
    """Whether it is the victim's own message, unchanged."""


Record = AirRecord | Decision | Capture | Shown | KbRecord | Verdict | Attack
