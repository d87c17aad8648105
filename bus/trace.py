"""The trace of a run: MCAP segments, one channel per (role, kind), each record the MessagePack bytes that were sent.

``trace/w<worker>-<n>.mcap`` hold what crossed the bus and the agents' records, ``trace/private-w<worker>-<n>.mcap`` what
stays with its agent (readable by the owner only). ``log_time`` is t_send, ``publish_time`` t_deliver, ``sequence`` counts an
agent's records in the order in which they went into its hash chain. Segments begin with
their metadata; the last ones of a worker hold the values of the hash chains. Any MCAP tool reads them.
"""

from __future__ import annotations

import json
import logging
import os
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import mcap.exceptions
import mcap.stream_reader
import msgpack
import msgspec
import zstandard
from mcap.records import Channel, Chunk, Footer, Metadata, Schema
from mcap.records import Message as McapMessage
from mcap.writer import MCAP0_MAGIC, CompressionType, Writer

from .envelope import Codec, Envelope
from .errors import BadInput

if TYPE_CHECKING:
    from .world import World

log = logging.getLogger(__name__)

Chains = Mapping[str, Sequence[tuple[int, str]]]
"""Agent id -> (interval, chain value in hex), ascending."""
PROFILE = "semcast"
_BLOCK = 256
CHUNK_BYTES = 256 << 10
_NAME = re.compile(r"(private-)?w(\d+)-(\d+)\.mcap")
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
)


def trace_metadata(world: World, **more: object) -> dict[str, str]:
    """What a trace says about its run: the world's constants and whatever else is given (scenario, versions), as text."""
    own = {"run": world.run, "seed": world.seed, "lookahead_ns": world.lookahead_ns, "chain_windows": world.chain_windows}
    return {key: str(value) for key, value in {**more, **own}.items()}


class TraceWriter:
    """Writes one worker's segments. Records are kept in blocks; a killed process leaves all but its last chunk readable.

    Args:
        folder: The run's ``trace`` folder; made if it is not there.
        worker: This worker's index.
        metadata: See ``trace_metadata``.
        segment_bytes: A segment that has grown to this is followed by the next.
    """

    def __init__(self, folder: Path, worker: int, metadata: Mapping[str, str], *, segment_bytes: int = 64 << 20) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._public = _SegmentSeries(folder, f"w{worker}", metadata, segment_bytes, 0o644)
        self._private = _SegmentSeries(folder, f"private-w{worker}", metadata, segment_bytes, 0o600)
        self._written: dict[str, int] = {}

    @property
    def segments(self) -> list[str]:
        """Names of the files written so far, in order."""
        return self._public.names + self._private.names

    def write(self, envelope: Envelope, raw: bytes, private: bool) -> None:
        """Keep one record; ``raw`` is its MessagePack form."""
        series = self._private if private else self._public
        number = self._written.get(envelope.source, 0)
        self._written[envelope.source] = number + 1
        block = series.block
        block.append((envelope, raw, number))
        if len(block) >= _BLOCK:
            series.flush()

    def rotate(self) -> None:
        """End the current segments; a place from which they need not be read again."""
        self._public.end()
        self._private.end()

    def close(self, chains: Chains | None = None) -> None:
        """End the last segments; ``chains`` are kept in the last public one."""
        if chains is not None:
            self._public.add_metadata(
                "chains",
                {agent: " ".join(f"{interval}:{value}" for interval, value in values) for agent, values in chains.items()},
            )
        self.rotate()


class _SegmentSeries:
    """The segments of one worker and one level of access, one after the other."""

    def __init__(self, folder: Path, prefix: str, metadata: Mapping[str, str], segment_bytes: int, mode: int) -> None:
        self.block: list[tuple[Envelope, bytes, int]] = []
        self.names: list[str] = []
        self._folder, self._prefix, self._mode = folder, prefix, mode
        self._metadata, self._segment_bytes = dict(metadata), segment_bytes
        self._file: BinaryIO | None = None
        self._writer: Any = None
        self._channels: dict[tuple[str, type], int] = {}
        self._topics: dict[str, int] = {}
        self._schemas: dict[str, int] = {}

    def flush(self) -> None:
        """Write the block."""
        if not self.block:
            return
        writer, channels = self._open(), self._channels
        for envelope, raw, number in self.block:
            key = (envelope.source, envelope.payload.__class__)
            channel = channels.get(key)
            if channel is None:
                channel = channels[key] = self._channel(*key)
            writer.add_message(channel, envelope.t_send, raw, envelope.t_deliver, number & 0xFFFFFFFF)
        self.block.clear()
        assert self._file is not None
        self._file.flush()
        if self._file.tell() >= self._segment_bytes:
            self.end()

    def add_metadata(self, name: str, data: dict[str, str]) -> None:
        """Write a metadata record into the current segment."""
        self.flush()
        self._open().add_metadata(name, data)

    def end(self) -> None:
        """Write what is left and end the segment."""
        self.flush()
        if self._file is not None:
            self._writer.finish()
            self._file.close()
        self._file = self._writer = None

    def _open(self) -> Any:
        if self._writer is None:
            name = f"{self._prefix}-{len(self.names)}.mcap"
            path = self._folder / name
            path.unlink(missing_ok=True)
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, self._mode), "wb")
            self._writer = Writer(self._file, chunk_size=CHUNK_BYTES, compression=CompressionType.ZSTD)
            self._writer.start(profile=PROFILE, library="semcast")
            self._writer.add_metadata("run", self._metadata)
            self._file.flush()
            self.names.append(name)
            self._channels, self._topics, self._schemas = {}, {}, {}
        return self._writer

    def _channel(self, source: str, payload: type) -> int:
        """The channel of a role and kind, registered with its schema when first needed."""
        role, kind = source.partition(".")[0], str(payload.__struct_config__.tag)  # type: ignore[attr-defined]
        topic = f"/{role}/{kind}"
        if topic not in self._topics:
            if kind not in self._schemas:
                self._schemas[kind] = self._writer.register_schema(kind, "jsonschema", envelope_schema(payload))
            self._topics[topic] = self._writer.register_channel(
                topic, "msgpack", self._schemas[kind], {"role": role, "kind": kind}
            )
        return self._topics[topic]


def envelope_schema(payload: type) -> bytes:
    """JSON Schema of the envelope of one kind of payload (bytes appear as base64 strings, as JSON has none)."""
    fields = [(f.name, payload if f.name == "payload" else f.type) for f in msgspec.structs.fields(Envelope)]
    typed = msgspec.defstruct("Envelope", fields, frozen=True, array_like=True)
    return json.dumps(msgspec.json.schema(typed)).encode()


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


class _Head(msgspec.Struct, frozen=True, array_like=True, gc=False):
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


_head = msgspec.msgpack.Decoder(_Head).decode


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
        named = [(match, path) for path in sorted(folder.glob("*.mcap")) if (match := _NAME.fullmatch(path.name))]
        if not named:
            raise BadInput(f"no trace in {run}", "give the folder of a run, as the last line of `semcast run` names it")
        named.sort(key=lambda pair: (pair[0][1] or "", int(pair[0][2]), int(pair[0][3])))
        self.paths = [path for _, path in named]
        self.cut: list[tuple[str, str]] = []
        self.metadata: dict[str, str] = {}
        self.chains: dict[str, list[tuple[int, str]]] = {}
        self._codec = codec or Codec()
        for path in self.paths:
            self._take_metadata(path)

    @property
    def segments(self) -> list[str]:
        """Names of the files."""
        return [path.name for path in self.paths]

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
                except msgspec.MsgspecError:
                    continue
                if agent is None or agent in (head.source, head.destination):
                    found.append((head.key, message.data, secret, message.sequence))
        found.sort(key=lambda entry: entry[0])
        for _, raw, secret, number in found:
            yield self._record(raw, secret, number)

    def whole_part(self, path: Path) -> list[Schema | Channel | Metadata | McapMessage]:
        """The MCAP records of one segment up to its end or to where it was cut (then it is in ``cut``)."""
        return [found for found in self._mcap_records(path) if isinstance(found, Schema | Channel | Metadata | McapMessage)]

    def _record(self, raw: bytes, private: bool, number: int) -> TraceRecord:
        try:
            envelope = self._codec.decode(raw)
            return TraceRecord(envelope, envelope.kind, raw, private, number)
        except (ValueError, RecursionError):
            values = msgpack.unpackb(raw)
            payload = values[9]
            kind = str(payload.get("type", "unknown")) if isinstance(payload, dict) else "unknown"
            return TraceRecord(Envelope(*values[:10]), kind, raw, private, number)

    def _messages(self, path: Path) -> Iterator[tuple[str, McapMessage]]:
        topics: dict[int, str] = {}
        for record in self._mcap_records(path):
            if isinstance(record, Channel):
                topics[record.id] = record.topic
            elif isinstance(record, McapMessage):
                yield topics.get(record.channel_id, ""), record

    def _take_metadata(self, path: Path) -> None:
        for record in self._mcap_records(path, chunks=False):
            if isinstance(record, Metadata) and record.name == "run":
                self.metadata = self.metadata or dict(record.metadata)
            elif isinstance(record, Metadata) and record.name == "chains":
                for agent, values in record.metadata.items():
                    pairs = _CHAIN_VALUE.findall(values)
                    if " ".join(f"{interval}:{value}" for interval, value in pairs) != values:
                        self._note_cut(path, f"the chain values of {agent} are damaged")
                        continue
                    self.chains[agent] = [(int(interval), value) for interval, value in pairs]

    def _mcap_records(self, path: Path, chunks: bool = True) -> Iterator[Any]:
        """The records of a segment up to its end or to where it was cut."""
        try:
            end = _whole_records_end(path)
        except PermissionError:
            self._note_cut(path, "only its owner may read it")
            return
        with path.open("rb") as file:
            records = mcap.stream_reader.StreamReader(file, emit_chunks=True).records
            chunk = 0
            while (start := file.tell()) < end:
                try:
                    record = next(records)
                    inside = (
                        mcap.stream_reader.breakup_chunk(record, validate_crc=True)
                        if chunks and isinstance(record, Chunk)
                        else []
                    )
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
