"""What every message costs on the air: the source-coded size of its body in bits.

Nothing that helps the other side is free: request numbers, recipients, time stamps, codec numbers, CSI, identifiers and
summaries are all in here. The user at the far end of a link is known from the link (as in a real cell) and costs nothing.
Vectors travel as float16.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import UnsetType

from ..bus.blocks import Attestation, Ballot, Block, Proposal, SealedBlock
from ..bus.content_messages import ClipKnowledge, CodedText, GroupPrompt, Profile, Watch, Watched, WordText
from ..bus.messages import (
    BranchReady,
    CodedPicture,
    CsiReport,
    CsiRequest,
    DecoderSet,
    Delta,
    Feedback,
    JsccPicture,
    KbSummary,
    Knowledge,
    Reception,
    SeenThing,
    Settlement,
    Share,
    SharedItem,
    Terms,
)
from ..bus.signed import Refusal, Signable
from .clips.prompt import CAMERA_BITS, FRAME_BITS, LOOK_BITS
from .knowledge.summary import SUBJECT_NUMBER_BITS, USER_BITS, summary_bits
from .prompt_codec import COLOUR_BITS, NUMBER_BITS, TIME_BITS

KIND_BITS = 4
"""Which kind of body follows, of those that go up or of those that go down."""
REQUEST_BITS = USER_BITS + NUMBER_BITS
"""A request, by a number that those who know of it agreed on."""
CODEC_BITS = 5
CREDIT_BITS = 16
"""An amount of credits in hundredths."""
SCORE_BITS = 8
"""A number in [0, 1]."""
ITEM_KIND_BITS = 3
LABEL_BITS = 6
BOX_BITS = 4 * 6
LENGTH_BITS = 16
MECHANISM_BITS = 4
VERSION_BITS = 8
COUNT_BITS = 4
"""How many things follow."""
BLOCK_NUMBER_BITS = 16
HASH_BITS = 256
"""A hash of a block, or a validator's keyed hash of it."""
VALIDATOR_BITS = 6
"""How many validators or votes follow, or a validator's place among those of a block."""
CONTRIBUTION_BITS = 7
"""Which kinds of items an entry of the ledger is for, or that it is for validation."""
EARNED_BITS = 40
"""Whole micro-credits."""
COUNTER_BITS = 32
"""A signer's counter."""
CSI_AGE_BITS = 6
"""Age of a measurement when it is sent, in ms."""
ATTACH_BITS = USER_BITS + 16
"""An attachment: who, and the association epoch."""


def vector_bits(vector: bytes) -> int:
    """Bits of a float32 vector that travels as float16."""
    return len(vector) // 4 * 16


def item_bits(item: SharedItem) -> int:
    """Bits of one shared KB item with its pictures."""
    pictures = sum(LENGTH_BITS + 8 * len(picture) for picture in item.pictures)
    return ITEM_KIND_BITS + SUBJECT_NUMBER_BITS + LABEL_BITS + vector_bits(item.vector) + pictures + BOX_BITS * len(item.boxes)


def seen_bits(seen: list[SeenThing] | None) -> int:
    """Bits of the things that a receiver saw; none if it does not tell."""
    return 0 if seen is None else COUNT_BITS + len(seen) * (LABEL_BITS + BOX_BITS)


def block_bits(block: Block) -> int:
    """Bits of a block of the ledger."""
    ballots = sum(USER_BITS + votes_bits(votes) for _, votes in block.ballots)
    entries = len(block.entries) * (USER_BITS + CONTRIBUTION_BITS + EARNED_BITS)
    return BLOCK_NUMBER_BITS + HASH_BITS + 2 * LENGTH_BITS + ballots + votes_bits(block.validators) + entries


def votes_bits(votes: Sequence[str]) -> int:
    """Bits of a list of users who are voted for, or elected."""
    return VALIDATOR_BITS + len(votes) * USER_BITS


def clip_knowledge_bits(body: ClipKnowledge) -> int:
    """Bits of what the receivers of a camera's clips need: sender, camera, recipients, background and looks."""
    looks = sum(LOOK_BITS + LABEL_BITS + COLOUR_BITS + LENGTH_BITS + 8 * len(look.file) for look in body.looks)
    head = USER_BITS * (1 + len(body.recipients)) + COUNT_BITS + CAMERA_BITS + LOOK_BITS
    return head + LENGTH_BITS + 8 * len(body.background) + looks


def group_bits(body: CodedPicture) -> int:
    """Bits of the further recipients of a picture; none where there are none."""
    return 0 if isinstance(body.further, UnsetType) else COUNT_BITS + USER_BITS * len(body.further)


_SIZES: dict[type, Callable[[Any], int]] = {
    Terms: lambda body: MECHANISM_BITS + len(body.rewards) * (ITEM_KIND_BITS + CREDIT_BITS),
    Share: lambda body: CREDIT_BITS + LENGTH_BITS + sum(map(item_bits, body.items)),
    Settlement: lambda body: CREDIT_BITS,
    Ballot: lambda body: votes_bits(body.votes),
    Proposal: lambda body: block_bits(body.block),
    Attestation: lambda body: BLOCK_NUMBER_BITS + 1 + 8 * len(body.tag),
    SealedBlock: lambda body: block_bits(body.block) + len(body.seal) * (VALIDATOR_BITS + HASH_BITS),
    BranchReady: lambda body: SUBJECT_NUMBER_BITS + vector_bits(body.identifier) + body.adapter_bits,
    Knowledge: lambda body: LENGTH_BITS + sum(map(item_bits, body.items)),
    KbSummary: summary_bits,
    CsiRequest: lambda body: REQUEST_BITS,
    Feedback: lambda body: REQUEST_BITS + 2 * SCORE_BITS + TIME_BITS + seen_bits(body.seen),
    Reception: lambda body: NUMBER_BITS + SCORE_BITS + TIME_BITS + 1 + seen_bits(body.seen),
    Delta: lambda body: (
        VERSION_BITS + sum(USER_BITS + SUBJECT_NUMBER_BITS + vector_bits(vector) for vector in body.identifiers.values())
    ),
    JsccPicture: lambda body: (
        REQUEST_BITS
        + TIME_BITS
        + CODEC_BITS
        + (body.denoise is not None)
        + (0 if isinstance(body.frames, UnsetType) else FRAME_BITS)
    ),
    CodedPicture: lambda body: REQUEST_BITS + TIME_BITS + CODEC_BITS + LENGTH_BITS + 8 * len(body.file) + group_bits(body),
    ClipKnowledge: lambda body: clip_knowledge_bits(body),
    GroupPrompt: lambda body: body.bits + USER_BITS * len(body.recipients) + COUNT_BITS,
    CodedText: lambda body: REQUEST_BITS + TIME_BITS + LENGTH_BITS + 8 * len(body.file),
    WordText: lambda body: REQUEST_BITS + TIME_BITS + LENGTH_BITS,
    Profile: lambda body: 8 * len(body.data),
    Watch: lambda body: 8 * len(body.data),
    Watched: lambda body: USER_BITS + 8 * len(body.data),
    Refusal: lambda body: REQUEST_BITS + KIND_BITS,
}


def body_bits(body: Any) -> int:
    """Size in bits of a body that has no coding of its own (for a prompt see ``prompt_codec``, for CSI and decoders below)."""
    return KIND_BITS + _SIZES[type(body)](body)


def signature_bits(body: Any) -> int:
    """What a body's signature costs on top of the body: tag and counter; 0 without."""
    if not isinstance(body, Signable) or isinstance(body.signature, UnsetType):
        return 0
    return 8 * len(body.signature.tag) + COUNTER_BITS


def csi_bits(report: CsiReport, level_bits: int) -> int:
    """Size of a CSI report; the answer to a request says which."""
    return KIND_BITS + level_bits + CSI_AGE_BITS + (REQUEST_BITS if report.request else 0)


def decoder_bits(body: DecoderSet, sizes: Mapping[str, int]) -> int:
    """Size of a set of decoders: their weights."""
    return KIND_BITS + sum(CODEC_BITS + sizes[codec] for codec in body.codecs)
