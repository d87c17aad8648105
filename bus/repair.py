"""Makes a trace whole that was cut: what can be read is written again as sound segments."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from mcap.records import Channel, Message, Metadata, Schema
from mcap.writer import CompressionType, Writer

from .trace import CHUNK_BYTES, PROFILE
from .trace_reading import TraceReader

CUT = ".cut"


@dataclass(frozen=True)
class Repaired:
    """A segment that was written again: its file name, the messages kept, why it was cut, and where the old file lies."""

    segment: str
    messages: int
    reason: str
    old: Path


def repair(run: Path) -> tuple[Repaired, ...]:
    """Write every segment that is not whole again, up to where it can be read; the old file stays beside it as ``NAME.cut``.

    A segment is replaced in one step, so a killed repair loses nothing. Chain values that were lost are not made up.

    Args:
        run: Run folder.

    Returns:
        What was repaired, in the order of the segments; nothing where all are whole.

    Raises:
        BadInput: There is no trace.
    """
    reader = TraceReader(run)
    found = []
    for path in reader.paths:
        kept = reader.whole_part(path)
        reason = dict(reader.cut).get(path.name)
        if reason is None:
            continue
        part = path.with_name(path.name + ".part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, path.stat().st_mode & 0o777), "wb") as file:
            messages = rewrite(Writer(file, chunk_size=CHUNK_BYTES, compression=CompressionType.ZSTD), kept)
        old = path.with_name(path.name + CUT)
        old.unlink(missing_ok=True)
        os.link(path, old)
        part.replace(path)
        found.append(Repaired(path.name, messages, reason, old))
    return tuple(found)


def rewrite(writer: Writer, records: list[Schema | Channel | Metadata | Message]) -> int:
    """Write records in their order with ids of their own; returns how many of them are messages."""
    writer.start(profile=PROFILE, library="semcast")
    schemas: dict[int, int] = {}
    channels: dict[int, int] = {}
    messages = 0
    for record in records:
        if isinstance(record, Schema) and record.id not in schemas:
            schemas[record.id] = writer.register_schema(record.name, record.encoding, record.data)
        elif isinstance(record, Channel) and record.id not in channels:
            schema = schemas[record.schema_id]
            channels[record.id] = writer.register_channel(record.topic, record.message_encoding, schema, record.metadata)
        elif isinstance(record, Metadata):
            writer.add_metadata(record.name, record.metadata)
        elif isinstance(record, Message):
            messages += 1
            writer.add_message(channels[record.channel_id], record.log_time, record.data, record.publish_time, record.sequence)
    writer.finish()
    return messages
