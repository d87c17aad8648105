"""Records of a trace as a table for other tools."""

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ..bus.errors import BadInput
from ..bus.trace_reading import TraceRecord, envelope_to_builtins

SCHEMA = pa.schema(
    [
        ("t_send_ns", pa.int64()),
        ("t_deliver_ns", pa.int64()),
        ("priority", pa.int8()),
        ("source", pa.string()),
        ("destination", pa.string()),
        ("sequence", pa.int64()),
        ("number", pa.int64()),
        ("kind", pa.string()),
        ("origin", pa.string()),
        ("in_reply_to", pa.string()),
        ("private", pa.bool_()),
        ("payload", pa.string()),
        ("raw", pa.binary()),
    ]
)
"""One row a record: ``payload`` as JSON with long bytes shortened, ``raw`` the MessagePack bytes of the whole envelope."""


def export_parquet(records: Sequence[TraceRecord], path: Path) -> int:
    """Write records as Parquet, in their order; returns how many.

    Raises:
        BadInput: The file exists, is not called ``.parquet``, or cannot be written.
    """
    if path.suffix != ".parquet":
        raise BadInput(f"--export {path}: only Parquet is written", "give a file name that ends with .parquet")
    if path.exists():
        raise BadInput(f"--export {path}: exists", "give a new file; nothing is ever overwritten")
    table = pa.Table.from_pylist([_row(record) for record in records], schema=SCHEMA)
    part = path.with_name(path.name + ".part")
    try:
        pq.write_table(table, part)
        part.replace(path)
    except OSError as error:
        raise BadInput(f"--export {path}: cannot be written: {error.strerror or error}", "give a writable place") from None
    return int(table.num_rows)


def _row(record: TraceRecord) -> dict[str, object]:
    envelope = record.envelope
    return {
        "t_send_ns": envelope.t_send,
        "t_deliver_ns": envelope.t_deliver,
        "priority": envelope.priority,
        "source": envelope.source,
        "destination": envelope.destination,
        "sequence": envelope.sequence,
        "number": record.number,
        "kind": record.kind,
        "origin": envelope.origin,
        "in_reply_to": envelope.in_reply_to,
        "private": record.private,
        "payload": json.dumps(envelope_to_builtins(envelope)["payload"], separators=(",", ":")),
        "raw": record.raw,
    }
