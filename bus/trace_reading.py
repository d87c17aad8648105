"""Reads the trace of a run: all its segments as one, in key order, each up to where it may have been cut (see trace.py)."""

from __future__ import annotations

import logging
import os
import re
import struct
import zlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import mcap.exceptions
import mcap.stream_reader
import msgspec
import zstandard
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Footer, McapRecord, Metadata, Schema
from mcap.records import Message as McapMessage
from mcap.writer import MCAP0_MAGIC

from .envelope import VERSION, Codec, Envelope
from .errors import BadInput
from .segments import segments
from .skimming import Skimmer
from .trace import CHAINS

log = logging.getLogger(__name__)

_CHAIN_VALUE = re.compile(r"(\d{1,18}):((?:[0-9a-f]{2})+)")
_BAD_TRACE = (
    mcap.exceptions.McapError,
    mcap.stream_reader.CRCValidationError,
    zstandard.ZstdError,
    struct.error,
    ValueError,
    EOFError,
    OSError,
    LookupError,
    OverflowError,
)


@dataclass(frozen=True)
class TraceRecord:
    """One record of a trace. Its envelope's payload is a dict where this semcast does not know the kind.

    ``number``: of its agent's records in the order of the hash chain.
    """

    envelope: Envelope
    kind: str
    raw: bytes
    private: bool
    number: int


class Head(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The part of an envelope that order and filters need."""

    version: int
    t_send: int
    t_deliver: int
    priority: int
    source: str
    destination: str
    sequence: int

    @property
    def key(self) -> tuple[int, int, str, int]:
        """Place among all events; ids in sorted order are ranks in order."""
        return (self.t_deliver, self.priority, self.source, self.sequence)


_head = msgspec.msgpack.Decoder(Head).decode
_unknown = msgspec.msgpack.Decoder(Envelope).decode
"""Reads envelopes of any kind, payloads as built-in types."""

_HEAD_BYTES = 9
"""Opcode and length of a record."""
_NAMED_CHAINS = len(CHAINS).to_bytes(4, "little") + CHAINS.encode()
_BUT_METADATA = (Opcode.MESSAGE_INDEX, Opcode.CHUNK, Opcode.CHUNK_INDEX, Opcode.SCHEMA, Opcode.CHANNEL)
"""Kinds of records passed where only metadata are wanted."""
LARGEST_CHUNK = 64 << 20
"""Bytes of an unpacked chunk at most; a writer ends them far earlier, and no message of NATS is larger."""
LARGEST_RATIO, SMALL_CHUNK = 500, 1 << 20
"""A chunk above ``SMALL_CHUNK`` that unpacks to more than so many times its size is not opened."""


class TraceReader:
    """Reads all segments of a run as one.

    A segment that was cut is read to the cut, and named in ``cut``.

    Args:
        run: Run folder, or its ``trace`` folder.
        codec: MessagePack form of the records; the default knows the kinds of the bus.

    Raises:
        BadInput: There is no trace.
    """

    def __init__(self, run: Path, codec: Codec | None = None) -> None:
        folder = run / "trace" if (run / "trace").is_dir() else run
        self.paths, _ = segments(folder)
        if not self.paths:
            below = [str(path.parent) for path in sorted(run.glob("*/*/trace"))] if run.is_dir() else []
            hint = f"there are some in {', '.join(below[:8])}" if below else "give the folder of a run: semcast list runs"
            raise BadInput(f"no trace in {run}", hint)
        self.cut: list[tuple[str, str]] = []
        self.metadata: dict[str, str] = {}
        """Of the first segment that has some."""
        self._of_segments: list[dict[str, str]] = []
        self._codec = codec or Codec()
        for path in self.paths:
            self._take_metadata(path)

    @cached_property
    def chains(self) -> dict[str, list[tuple[int, str]]]:
        """Agent -> its chain values with their intervals, from the segments that hold some; read when first asked for."""
        found: dict[str, list[tuple[int, str]]] = {}
        for path in self.paths:
            for record in self._mcap_records(path, lambda chunk: (), _BUT_METADATA):
                if isinstance(record, Metadata) and record.name == CHAINS:
                    found |= self._chains_of(path, record.metadata)
        return found

    @property
    def segments(self) -> list[str]:
        """Names of the files."""
        return [path.name for path in self.paths]

    def told(self, name: str) -> tuple[str, ...]:
        """What the segments' metadata say under a name: each value once, in order; a run has several workers and incarnations."""
        return tuple(dict.fromkeys(data[name] for data in self._of_segments if name in data))

    def records(
        self,
        *,
        agent: str | None = None,
        kind: str | None = None,
        request: str | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        private: bool = True,
    ) -> Iterator[TraceRecord]:
        """Records in key order.

        Args:
            agent: Only those from or to this agent.
            kind: Only those of this kind.
            request: Only those in which this request id appears.
            start_ns: Only those sent at or after this simulated time.
            end_ns: Only those sent before this simulated time.
            private: Also those of the restricted segments, where they can be read.

        Raises:
            BadInput: A record has another version of the envelope than this semcast reads.
        """
        mention = msgspec.msgpack.encode(request) if request is not None else b""
        low, high = start_ns if start_ns is not None else 0, end_ns if end_ns is not None else 2**64
        found: list[tuple[tuple[int, int, str, int], bytes, bool, int]] = []
        for path in self.paths:
            secret = path.name.startswith("private-")
            if secret and not private:
                continue
            for topic, message in self._messages(path):
                if kind is not None and not topic.endswith(f"/{kind}"):
                    continue
                if not low <= message.log_time < high or mention not in message.data:
                    continue
                try:
                    head = _head(message.data)
                except (ValueError, RecursionError) as error:
                    _leave_out(message.data, error)
                    continue
                if head.version != VERSION:
                    raise self.other_version(head)
                if agent is None or agent in (head.source, head.destination):
                    found.append((head.key, message.data, secret, message.sequence))
        found.sort(key=lambda entry: entry[0])
        for _, raw, secret, number in found:
            record = self._record(raw, secret, number)
            if record is not None:
                yield record

    def whole_part(self, path: Path) -> list[Schema | Channel | Metadata | McapMessage]:
        """The MCAP records of one segment up to its end or to where it was cut (then it is in ``cut``)."""
        return [found for found in self._mcap_records(path) if isinstance(found, Schema | Channel | Metadata | McapMessage)]

    def skim(self, path: Path, kinds: Container[str] | None) -> Iterator[tuple[str, int, bytes]]:
        """(kind, number, MessagePack form) of one segment's records of some kinds (None: all), in the order of writing.

        ``number``: see `TraceRecord`.
        """
        pick = Skimmer(kinds).pick
        for found in self._mcap_records(path, lambda chunk: pick(_unpacked(chunk))):
            if isinstance(found, tuple):
                yield found

    def _record(self, raw: bytes, private: bool, number: int) -> TraceRecord | None:
        """One record; None for bytes that are no envelope."""
        with suppress(ValueError):  # of a kind that this codec does not know: below
            envelope = self._codec.decode(raw)
            return TraceRecord(envelope, envelope.kind, raw, private, number)
        try:
            envelope = _unknown(raw)
        except (ValueError, RecursionError) as error:
            _leave_out(raw, error)
            return None
        payload = envelope.payload
        kind = str(payload.get("type", "unknown")) if isinstance(payload, dict) else "unknown"
        return TraceRecord(envelope, kind, raw, private, number)

    def other_version(self, head: Any) -> BadInput:
        """The error to raise for a record of a version that this semcast does not read; ``head``: (part of) an envelope."""
        made = self.metadata.get("version.semcast")
        return BadInput(
            f"{self.paths[0].parent}: {head.source} record {head.sequence} has version {head.version} of the envelope; "
            f"this semcast reads {VERSION}" + (f", and the run was made by semcast {made}" if made else ""),
            "use the semcast that made the run, or make the run again from its scenario.toml",
        )

    def _messages(self, path: Path) -> Iterator[tuple[str, McapMessage]]:
        topics: dict[int, str] = {}
        for record in self._mcap_records(path):
            if isinstance(record, Channel):
                topics[record.id] = record.topic
            elif isinstance(record, McapMessage):
                yield topics.get(record.channel_id, ""), record

    def _take_metadata(self, path: Path) -> None:
        for record in self._mcap_records(path, lambda chunk: (), _BUT_METADATA, chains=False):
            if isinstance(record, Metadata) and record.name == "run":
                self.metadata = self.metadata or dict(record.metadata)
                self._of_segments.append(dict(record.metadata))

    def _chains_of(self, path: Path, values_of: Mapping[str, str]) -> dict[str, list[tuple[int, str]]]:
        found = {}
        for agent, values in values_of.items():
            pairs = _CHAIN_VALUE.findall(values)
            if " ".join(f"{interval}:{value}" for interval, value in pairs) != values:
                self._note_cut(path, f"the chain values of {agent} are damaged")
                continue
            found[agent] = [(int(interval), value) for interval, value in pairs]
        return found

    def _mcap_records(
        self,
        path: Path,
        opened: Callable[[Chunk], Iterable[Any]] | None = None,
        passed: Container[int] = (Opcode.MESSAGE_INDEX,),
        chains: bool = True,
    ) -> Iterator[Any]:
        """The records of a segment up to its end or to where it was cut.

        ``opened``: what there is in a chunk. ``passed``: kinds of records that are not read, by default what tells where in a
        chunk its messages are, as chunks are read whole. ``chains``: whether those are read.
        """
        opened = opened or _opened
        try:
            end = _whole_records_end(path)
        except PermissionError:
            self._note_cut(path, "only its owner may read it")
            return
        with path.open("rb") as file:
            records = mcap.stream_reader.StreamReader(_Bounded(file, path.stat().st_size), emit_chunks=True).records
            chunk = 0
            while (start := file.tell()) < end:
                if _passes(file, passed, chains):
                    continue
                try:
                    record = next(records)
                    inside = opened(record) if isinstance(record, Chunk) else []
                except (*_BAD_TRACE, StopIteration) as error:
                    self._note_cut(path, f"chunk {chunk}, from byte {start}: {error or type(error).__name__}")
                    return
                chunk += isinstance(record, Chunk)
                if isinstance(record, Footer):
                    if file.read(len(MCAP0_MAGIC)) != MCAP0_MAGIC:
                        self._note_cut(path, "ends without its last bytes")
                    return
                yield from inside if isinstance(record, Chunk) else [record]
        self._note_cut(path, f"ends after {end} bytes without a footer")

    def _note_cut(self, path: Path, reason: str) -> None:
        if path.name not in [name for name, _ in self.cut]:
            self.cut.append((path.name, reason))
            log.warning("trace segment %s is not whole: %s; it is read to there", path.name, reason)


class _Bounded:
    """A file that is never asked for more than it has: room would be made for all that a length inside a record claims."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size

    def read(self, length: int) -> bytes:
        """At most so many bytes."""
        return self._file.read(min(length, self._size - self._file.tell()))


def _leave_out(raw: bytes, error: Exception) -> None:
    log.warning("a record of %d bytes is left out, as it is no envelope: %s", len(raw), error)


def _opened(chunk: Chunk) -> list[McapRecord]:
    """The records of a chunk.

    Raises:
        ValueError: See `_check_size`.
    """
    _check_size(chunk)
    records: list[McapRecord] = mcap.stream_reader.breakup_chunk(chunk, validate_crc=True)
    return records


def _unpacked(chunk: Chunk) -> bytes:
    """The bytes of a chunk.

    Raises:
        ValueError: See `_check_size`; or they are not those that were written.
    """
    _check_size(chunk)
    data = zstandard.decompress(chunk.data, chunk.uncompressed_size) if chunk.compression else chunk.data
    if chunk.uncompressed_crc and zlib.crc32(data) != chunk.uncompressed_crc:
        raise ValueError("a chunk's bytes are not those of its checksum")
    return bytes(data)


def _check_size(chunk: Chunk) -> None:
    """Look at a chunk's size before anything is unpacked.

    Raises:
        ValueError: It is packed in another way than ours, or claims a size that no trace of ours has.
    """
    packed, size = chunk.data, chunk.uncompressed_size
    if chunk.compression not in ("", "zstd"):
        raise ValueError(f"a chunk packed by {chunk.compression[:20]!r}")
    claimed = zstandard.frame_content_size(packed) if chunk.compression else len(packed)
    if claimed != size or size > min(LARGEST_CHUNK, SMALL_CHUNK + LARGEST_RATIO * len(packed)):
        raise ValueError(f"a chunk of {len(packed)} bytes claims to be {size} (or {claimed}) unpacked")


def _passes(file: BinaryIO, passed: Container[int], chains: bool) -> bool:
    """Go past a record that is not wanted."""
    head = file.read(_HEAD_BYTES + len(_NAMED_CHAINS))
    passes = bool(head) and (head[0] in passed or (not chains and head[0] == Opcode.METADATA and head.endswith(_NAMED_CHAINS)))
    place = _HEAD_BYTES + int.from_bytes(head[1:_HEAD_BYTES], "little") if passes else 0
    file.seek(place - len(head), os.SEEK_CUR)
    return passes


def _whole_records_end(path: Path) -> int:
    """Offset after the last record that is there as a whole."""
    size = path.stat().st_size
    offset = end = 8  # the magic
    with path.open("rb") as file:
        while offset + 9 <= size:
            file.seek(offset + 1)
            offset += 9 + int.from_bytes(file.read(8), "little")
            if offset <= size:
                end = offset
    return end if size >= 8 else 0


def envelope_to_builtins(envelope: Envelope, limit: int = 48) -> dict[str, Any]:
    """An envelope as JSON types for printing.

    Args:
        envelope: Of a known kind, or with a dict as payload.
        limit: Bytes longer than this are shown by length and beginning.
    """
    plain = {name: getattr(envelope, name) for name in envelope.__struct_fields__}
    plain["payload"] = msgspec.to_builtins(envelope.payload, builtin_types=(bytes,))
    shown = shorten(plain, limit)
    assert isinstance(shown, dict)
    return shown


def shorten(value: Any, limit: int = 48) -> Any:
    """Built-in types with bytes as hex text, long ones by length and beginning."""
    if isinstance(value, bytes | bytearray | memoryview):
        raw = bytes(value)
        return raw.hex() if len(raw) <= limit else f"<{len(raw)} bytes {raw[:8].hex()}...>"
    if isinstance(value, dict):
        return {str(key): shorten(each, limit) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [shorten(each, limit) for each in value]
    return value
