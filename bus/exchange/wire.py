"""What workers say to each other about their rounds; all of it MessagePack that the reference library reads."""

import re
from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from ..clock import NEVER

WIRE_VERSION = 2
BAD_BYTES = (ValueError, RecursionError, TypeError, OverflowError)
"""What decoding bytes from anybody can raise (msgspec's and Unicode errors are ValueErrors)."""

MAX_PARTS = 1 << 16
"""More parts than this are no record but garbage."""

PART_HEADER = "Semcast-Part"
"""Header of a message cut in parts: ``<sequence>/<part>/<parts>``."""

Whole = Annotated[int, Meta(ge=0, le=NEVER)]
"""A number of something, or a time."""

encode = msgspec.msgpack.Encoder().encode


def sender(subject: str, workers: int) -> int:
    """The worker that a record or control message is from.

    Raises:
        ValueError: There is no such worker.
    """
    peer = int(subject.rpartition(".")[2])
    if not 0 <= peer < workers:
        raise ValueError(f"no worker {peer}")
    return peer


_HEADER = re.compile(r"([0-9]{1,19})/([0-9]{1,5})/([0-9]{1,5})")


class Part(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """One numbered part of a worker's record of a round for one peer.

    ``chunk``: a piece of the record's body. The body is an array of envelopes in the packed form, and the names of
    the messages sent (source -> sequences) in the subjects form. ``floor_ns``: the sender's floor, in every part.
    """

    version: int
    incarnation: Whole
    round: Whole
    part: Whole
    parts: Whole
    floor_ns: Whole
    chunk: memoryview


class Control(Struct, frozen=True, tag=True, kw_only=True):
    """Base of control messages, all of which carry the ``incarnation`` of their sender."""

    version: int = WIRE_VERSION


class Hello(Control, frozen=True, tag="hello"):
    """I am there and listen; ``round`` is the next one I end. ``answer``: this is a reply, do not reply again.

    ``oldest``: what I sent in earlier rounds I cannot send again.
    """

    incarnation: Whole
    answer: bool
    round: Whole = 0
    oldest: Whole = 0


class Again(Control, frozen=True, tag="again"):
    """Gaps asked for by name: these parts of your record of ``round`` (empty: all), these messages (source -> sequences)."""

    incarnation: Whole
    round: Whole
    parts: list[Whole]
    names: dict[str, list[Whole]]
    record: bool = True
    """Whether parts are asked for at all."""
    word: bool = False
    """Whether your `Floor` or `Grant` is asked for."""


class Done(Control, frozen=True, tag="done"):
    """I have everything up to the last round."""

    incarnation: Whole
    round: Whole


class Floor(Control, frozen=True, tag="floor"):
    """To the coordinator: I have ended ``round``, ``floor_ns`` is the earliest time I know of, ``peers`` are sent a record."""

    incarnation: Whole
    round: Whole
    floor_ns: Whole
    peers: list[Whole]


class Grant(Control, frozen=True, tag="grant"):
    """From the coordinator: all have ended ``round``, ``floor_ns`` is the least floor; wait for the records of ``peers``."""

    incarnation: Whole
    round: Whole
    floor_ns: Whole
    peers: list[Whole]


Said = Hello | Again | Done | Floor | Grant
"""Any control message."""


_part_decoder = msgspec.msgpack.Decoder(Part)
_control_decoder: msgspec.msgpack.Decoder[Said] = msgspec.msgpack.Decoder(Said)


def decode_part(raw: bytes) -> Part:
    """Bytes -> part; ``chunk`` is a view into ``raw``.

    Raises:
        ValueError: They are none, or of another version.
    """
    part = _part_decoder.decode(raw)
    if part.version != WIRE_VERSION:
        raise ValueError(f"wire version {part.version}, this semcast reads {WIRE_VERSION}")
    if not part.part < part.parts <= MAX_PARTS:
        raise ValueError(f"part {part.part} of {part.parts} in round {part.round}")
    return part


def decode_control(raw: bytes) -> Said:
    """Bytes -> control message.

    Raises:
        ValueError: They are none, or of another version.
    """
    control = _control_decoder.decode(raw)
    if control.version != WIRE_VERSION:
        raise ValueError(f"wire version {control.version}, this semcast reads {WIRE_VERSION}")
    return control


def decode_part_header(value: str) -> tuple[int, int, int]:
    """Value of `PART_HEADER` -> sequence of the message, number of the part, number of parts.

    Raises:
        ValueError: It makes no sense.
    """
    found = _HEADER.fullmatch(value)
    if found is None:
        raise ValueError(f"{value[:60]!r} does not number a part")
    sequence, number, parts = map(int, found.groups())
    if not number < parts <= MAX_PARTS:
        raise ValueError(f"part {number} of {parts}")
    return sequence, number, parts


def cut(body: bytes, size: int) -> Iterator[memoryview]:
    """Pieces of at most ``size`` bytes, at least one."""
    view = memoryview(body)
    for start in range(0, max(len(body), 1), size):
        yield view[start : start + size]


def in_parts(body: bytes, size: int, incarnation: int, round: int, floor_ns: int) -> list[bytes]:
    """A record as `Part` after `Part`, each with at most ``size`` bytes of its body."""
    chunks = list(cut(body, size))
    return [
        encode(Part(WIRE_VERSION, incarnation, round, number, len(chunks), floor_ns, chunk))
        for number, chunk in enumerate(chunks)
    ]


class Assembly:
    """Parts that come in any order and any number of times, until all are there.

    Attributes:
        parts: Their number.
        floor_ns: The sender's floor.
        size: Bytes of those that are there.
    """

    __slots__ = ("_chunks", "floor_ns", "parts", "size")

    def __init__(self, parts: int, floor_ns: int = 0) -> None:
        self.parts, self.floor_ns, self.size = parts, floor_ns, 0
        self._chunks: dict[int, memoryview | bytes] = {}

    def add(self, part: int, chunk: memoryview | bytes) -> bool:
        """Keep a part; False if it was there already."""
        if part in self._chunks:
            return False
        self._chunks[part] = chunk
        self.size += len(chunk)
        return True

    @property
    def complete(self) -> bool:
        """Whether all parts are there."""
        return len(self._chunks) == self.parts

    def missing(self) -> list[int]:
        """Numbers of the parts not there."""
        return [number for number in range(self.parts) if number not in self._chunks]

    def body(self) -> memoryview | bytes:
        """All parts joined."""
        if self.parts == 1:
            return self._chunks[0]
        return b"".join(self._chunks[number] for number in range(self.parts))
