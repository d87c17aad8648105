"""The trace of a run: MCAP segments, one channel per (role, kind), each record the MessagePack bytes that were sent.

``trace/w<worker>-<n>.mcap`` hold what crossed the bus and the agents' records, ``trace/private-w<worker>-<n>.mcap`` what
stays with its agent (readable by the owner only); segments.py has the names of workers that were made anew. ``log_time`` is
t_send, ``publish_time`` t_deliver, ``sequence`` counts an agent's records in the order in which they went into its hash chain.
Segments begin with their metadata; the last ones of a worker hold the values of the hash chains. Any MCAP tool reads them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec
from mcap.writer import CompressionType, Writer

from .envelope import Envelope
from .segments import Segment

if TYPE_CHECKING:
    from .world import World

Chains = Mapping[str, Sequence[tuple[int, str]]]
"""Agent id -> (interval, chain value in hex), ascending."""
PROFILE = "semcast"
CHAINS = "chains"
"""Name of the metadata that hold the values of the hash chains."""
_BLOCK = 256
_AGENTS = 4096
"""Agents whose chains are told in one record: a million of them would make one of hundreds of megabytes."""
CHUNK_BYTES = 256 << 10


def trace_metadata(world: World, **more: object) -> dict[str, str]:
    """What a trace says about its run: the world's constants and whatever else is given (scenario, versions), as text."""
    own = {"run": world.run, "seed": world.seed, "lookahead_ns": world.lookahead_ns, "chain_windows": world.chain_windows}
    return {key: str(value) for key, value in {**more, **own}.items()}


class TracePlace(msgspec.Struct, frozen=True):
    """Where a writer stands between two segments: numbers of the next ones, and how many records each agent has."""

    public: int = 0
    private: int = 0
    written: dict[str, int] = {}


class TraceWriter:
    """Writes one worker's segments. Records are kept in blocks; a killed process leaves all but its last chunk readable.

    Args:
        folder: The run's ``trace`` folder; made if it is not there.
        worker: This worker's index.
        metadata: See ``trace_metadata``.
        segment_bytes: A segment that has grown to this is followed by the next.
        incarnation: Of the worker.
        after: Where an earlier incarnation stood at the snapshot from which this one goes on.
    """

    def __init__(
        self,
        folder: Path,
        worker: int,
        metadata: Mapping[str, str],
        *,
        segment_bytes: int = 64 << 20,
        incarnation: int = 0,
        after: TracePlace | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        place = after or TracePlace()
        first = [Segment(private, worker, place.private if private else place.public, incarnation) for private in (False, True)]
        self._public, self._private = (_SegmentSeries(folder, each, metadata, segment_bytes) for each in first)
        self._written = dict(place.written)
        self._closed = False

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

    def rotate(self) -> TracePlace:
        """End the current segments; a place from which another incarnation can go on."""
        self._public.end()
        self._private.end()
        return TracePlace(self._public.next.number, self._private.next.number, dict(self._written))

    def close(self, chains: Chains | None = None) -> None:
        """End the last segments; ``chains`` are kept in the last public one. A second time nothing happens."""
        if self._closed:
            return
        self._closed = True
        names = list(chains or ())
        for first in range(0, len(names), _AGENTS):
            part = {name: chains[name] for name in names[first : first + _AGENTS]} if chains else {}
            told = {name: " ".join(f"{interval}:{value}" for interval, value in values) for name, values in part.items()}
            self._public.add_metadata(CHAINS, told)
        self.rotate()


class _SegmentSeries:
    """The segments of one worker and one level of access, one after the other."""

    def __init__(self, folder: Path, first: Segment, metadata: Mapping[str, str], segment_bytes: int) -> None:
        self.block: list[tuple[Envelope, bytes, int]] = []
        self.names: list[str] = []
        self.next = first
        self._folder = folder
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
            key = (envelope.source.partition(".")[0], envelope.payload.__class__)
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
            name, mode = self.next.name, 0o600 if self.next.private else 0o644
            self.next = replace(self.next, number=self.next.number + 1)
            path = self._folder / name
            path.unlink(missing_ok=True)
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")
            self._writer = Writer(self._file, chunk_size=CHUNK_BYTES, compression=CompressionType.ZSTD)
            self._writer.start(profile=PROFILE, library="semcast")
            self._writer.add_metadata("run", self._metadata)
            self._file.flush()
            self.names.append(name)
            self._channels, self._topics, self._schemas = {}, {}, {}
        return self._writer

    def _channel(self, role: str, payload: type) -> int:
        """The channel of a role and kind, registered with its schema when first needed."""
        kind = str(payload.__struct_config__.tag)  # type: ignore[attr-defined]
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
