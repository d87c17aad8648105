"""Bodies that bring content to its receivers: pictures as symbols or files, and prompts from which receivers make content."""

from msgspec import UNSET, Struct, UnsetType

from .payload import Count, Message, Nanoseconds, Vector
from .signed import Signable


class JsccPicture(Message, frozen=True):
    """Header of a picture sent as JSCC symbols: the symbols travel in ``symbols`` of the radio message that carries it.

    ``t_ns``: when the picture was taken (known to 1 ms on the air). The header is sent as coded bits ahead of the symbols.
    ``denoise``: whether the receiver denoises them first; ``None``: not told, since receivers cannot. ``frames``: of a clip, how
    many pictures the symbols are of; not on the wire otherwise.
    """

    request: str
    recipient: str
    t_ns: Nanoseconds
    codec: str
    denoise: bool | None = None
    frames: Count | UnsetType = UNSET


class CodedPicture(Message, frozen=True):
    """A picture sent as coded bits: a compressed file. ``t_ns`` as in `JsccPicture`; ``codec`` names the format.

    ``further``: recipients besides, to whom it goes by multicast in each cell.
    """

    request: str
    recipient: str
    t_ns: Nanoseconds
    codec: str
    file: bytes
    further: list[str] | UnsetType = UNSET


class GroupPrompt(Signable, frozen=True):
    """Sender -> edge -> ``recipients``, multicast in each cell: a prompt from which every receiver makes content of its own.

    ``data``: the prompt, source-coded (agents/prompt_codec), of which ``bits`` count; the recipient in it is the first. ``t_ns``
    and ``parts`` are in it; here they are in clear.
    """

    request: str
    sender: str
    recipients: list[str]
    t_ns: Nanoseconds
    parts: list[str]
    data: Vector
    bits: Count


class CodedText(Message, frozen=True):
    """A text as coded bits: a compressed file (agents/texts/files.py). ``t_ns`` as in `JsccPicture`."""

    request: str
    recipient: str
    t_ns: Nanoseconds
    file: bytes


class WordText(Message, frozen=True):
    """Header of a text whose ``words`` travel as symbols (agents/texts/words.py) of the radio message that carries it."""

    request: str
    recipient: str
    t_ns: Nanoseconds
    words: Count


class TextContent(Message, frozen=True):
    """Cloud (or sender's edge) -> receiver's edge: a text for ``recipient``."""

    request: str
    sender: str
    recipient: str
    t_ns: Nanoseconds
    text: str


class Profile(Signable, frozen=True):
    """User -> cloud: what it always wants in its texts, source-coded in ``data`` (agents/texts/prompt.py)."""

    user: str
    data: Vector


class Watch(Signable, frozen=True):
    """User -> cloud: what it wants to be alarmed of, source-coded in ``data`` (agents/texts/alarms.py)."""

    user: str
    data: Vector


class Watched(Signable, frozen=True):
    """Cloud -> users, multicast: the `Watch` of ``user``, passed on."""

    user: str
    data: Vector


class Look(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """What things of a class and colour look like to a camera: its ``number`` in prompts, and a cut-out (``file``, WebP)."""

    number: Count
    label: str
    colour: str
    file: bytes


class ClipKnowledge(Signable, frozen=True):
    """Sender -> edge -> ``recipients``, multicast in each cell, ahead of a prompt: what they need to draw a camera's clips.

    ``background``: what stands still before it, as a WebP file; empty where they have it.
    """

    request: str
    sender: str
    camera: Count
    recipients: list[str]
    background: bytes
    looks: list[Look]


TextBody = CodedText | WordText | Profile | Watch | Watched
"""Those of texts and alarms that cross the radio."""
