"""What a model does for an agent: one struct of arguments and one of results for every role.

A role's model is a pure function of its arguments. The engine collects calls, fills them up to the model's fixed batch
and runs them with one thread, so that a result never depends on its companions (DESIGN section 2, rule 7).
Arguments and results are messages: they travel, are recorded and hashed like all others.

Pictures are ``bytes``: uint8 RGB, row-major (height, width, 3), height = width = 64 in the tiny profile.
Complex symbols are ``bytes`` of little-endian complex64. Vectors are ``bytes`` of little-endian float32.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from ...bus.payload import Message

PICTURE_SIDE = 64
REFERENCE_SIDE = 32
"""A reference is the cut-out of a subject (its box in some picture), stretched to 32x32 pixels."""


class Box(Struct, frozen=True, array_like=True):
    """A labelled box: ``label`` (class), ``colour``, centre ``cx, cy``, ``width`` and ``height`` in pixels, ``score`` in [0, 1].

    ``subject`` names a personal subject ("mia/dog") where one was recognised or asked for, else it is empty.
    """

    label: str
    colour: str
    cx: float
    cy: float
    width: float
    height: float
    score: float = 1.0
    subject: str = ""


class Extract(Message, frozen=True):
    """Arguments of ``extractor`` and ``captioner``: a picture, looks of the asker's own subjects (name -> identifier)."""

    picture: bytes
    subjects: dict[str, bytes] = {}


class Extraction(Message, frozen=True):
    """Result of ``extractor``: caption, background name and boxes, most certain first; ``captioner`` finds no boxes."""

    caption: str
    background: str
    boxes: list[Box]


class Extractions(Message, frozen=True):
    """Result of ``extractor`` for a clip: what is in each frame, see `framewise`."""

    frames: list[Extraction]


class Interpret(Message, frozen=True):
    """Arguments of ``keywords``: what a user said about a picture, its caption, its boxes, names of the user's own subjects."""

    message: str
    caption: str
    boxes: list[Box] = []
    subjects: list[str] = []


class Intent(Message, frozen=True):
    """Result of ``keywords``: the user's goal in a few words ("show my dog on grass"), and keywords, most telling first."""

    goal: str
    keywords: list[str]


class Generate(Message, frozen=True):
    """Arguments of ``generator``: caption, background and boxes (empty: the places are drawn from the seed),

    an int64 ``seed``, diffusion ``steps``, and what branch models give, by subject name: identifier vectors (``subjects``), LoRA
    ``adapters``, and as ``references`` a cut-out of one picture each.
    """

    caption: str
    background: str
    boxes: list[Box]
    seed: int
    steps: int = 8
    subjects: dict[str, bytes] = {}
    adapters: dict[str, bytes] = {}
    references: dict[str, bytes] = {}


class Restore(Message, frozen=True):
    """Arguments of ``restorer``: a picture of which something is missing, and the prompt of what it shows (with seed and steps).

    ``lost``: numbers of its 8x8 tiles that did not come (row-major, 0 to 63), whose pixels are not looked at. ``scale``: 1, or 2
    or 4 where ``picture`` is a thumbnail of 32x32 or 16x16 pixels, each the mean of a block of the whole; nothing is lost then.
    """

    picture: bytes
    prompt: Generate
    lost: list[int] = []
    scale: int = 1


class Picture(Message, frozen=True):
    """Result of ``generator``, ``restorer``, ``jscc_decoder``, ``calibrator`` and ``stylist``: a picture."""

    picture: bytes


class Encode(Message, frozen=True):
    """Arguments of ``jscc_encoder``: a picture, the name of a codec of the library, such as ``"snr10-cbr12"``, and the SNR

    (Es/N0, dB) that the sender knows of; adaptive codecs listen to it.
    """

    picture: bytes
    codec: str
    snr_db: float = 7.0


class Symbols(Message, frozen=True):
    """Result of ``jscc_encoder``: complex64 symbols of unit average power over the picture."""

    symbols: bytes


class Decode(Message, frozen=True):
    """Arguments of ``jscc_decoder``: equalised symbols and the receiver's own SNR estimate (Es/N0 after equalisation, dB).

    ``frames``: how many pictures the symbols are of, one after the other.
    """

    symbols: bytes
    codec: str
    snr_db: float
    frames: int = 1


class Denoise(Message, frozen=True):
    """Arguments of ``denoiser``: equalised symbols of a codec, and the receiver's own SNR estimate (Es/N0, dB)."""

    symbols: bytes
    codec: str
    snr_db: float


class Denoised(Message, frozen=True):
    """Result of ``denoiser``: symbols, and the SNR that ``jscc_decoder`` is to assume of them (unchanged after no step)."""

    symbols: bytes
    snr_db: float


class Calibrate(Message, frozen=True):
    """Arguments of ``calibrator``: a received picture, and what is known of it beside its pixels.

    ``snr_db``: Es/N0 of the symbols that it was decoded from (30 or more: noise is no matter); ``lost``: numbers of its 8x8 tiles
    that did not come (row-major, 0 to 63), whose pixels are not looked at; from the local model and the knowledge base its
    ``background`` and ``boxes``, and a reference (cut-out of 32x32) for subjects that boxes name.
    """

    picture: bytes
    snr_db: float = 40.0
    lost: list[int] = []
    background: str = ""
    boxes: list[Box] = []
    references: dict[str, bytes] = {}


class Restyle(Message, frozen=True):
    """Arguments of ``stylist``: a picture, and the ``style`` to render it in (`agents.style`: six float32)."""

    picture: bytes
    style: bytes


class Embed(Message, frozen=True):
    """Arguments of ``embedder``: texts."""

    texts: list[str]


class Embedding(Message, frozen=True):
    """Result of ``embedder``: one unit-norm float32 vector of 384 a text."""

    vectors: list[bytes]


class Personalise(Message, frozen=True):
    """Arguments of ``personaliser``: pictures of one subject that a user shared, with the box of the subject in each.

    ``adapter``: also make (or find) a LoRA adapter of the generator.
    """

    subject: str
    label: str
    pictures: list[bytes]
    boxes: list[Box]
    adapter: bool = False


class Branch(Message, frozen=True):
    """Result of ``personaliser``: the subject's learned identifier vector, the cut-out of its best picture as ``reference``

    (uint8 RGB of 32x32), and the LoRA ``adapter`` (safetensors in half precision; empty where none was asked for).
    """

    subject: str
    identifier: bytes
    reference: bytes = b""
    adapter: bytes = b""


class Model(Protocol):
    """One role's implementation. It has no state that changes, and reads neither clock nor global random state."""

    role: str
    name: str
    sha256: str
    """Hash of weights and settings; it enters the run's record."""
    batch: int
    """The one padded batch size that the engine runs it with."""

    def flops(self, arguments: Any) -> int:
        """Floating-point operations of one call (multiply and add count as two); fixes the simulated duration."""

    def run(self, arguments: Sequence[Any]) -> list[Any]:
        """Run one full batch (exactly ``batch`` arguments of one shape group); results in the same order."""

    def group(self, arguments: Any) -> str:
        """Calls with equal groups may share a batch (for instance one JSCC codec)."""


Result = Extraction | Extractions | Intent | Picture | Symbols | Denoised | Embedding | Branch
"""Every result of a role; these enter the union of payloads."""

Arguments = Extract | Interpret | Generate | Restore | Encode | Decode | Denoise | Calibrate | Restyle | Embed | Personalise
"""Every argument of a role."""

ModelSet = Mapping[str, Model]
"""Role name -> model: ``extractor``, ``captioner``, ``keywords``, ``generator``, ``restorer``,
``jscc_encoder``, ``denoiser``, ``jscc_decoder``, ``calibrator``, ``stylist``, ``embedder``, ``personaliser``."""
