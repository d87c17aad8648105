"""Whether a trace is what was written: every agent's records are hashed again and compared with its chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from .divergence import emitted_ns
from .engine import CHAIN_BYTES, run_digest
from .envelope import Codec
from .trace_reading import TraceReader


@dataclass(frozen=True)
class TraceCheck:
    """What was found in a trace.

    Attributes:
        records: Number of records that could be read.
        digest: Of the run, from the last values of the chains; empty if there are none.
        problems: One line each: a segment that is not whole, or an agent's records that are not those of its chain.
    """

    records: int
    digest: str
    problems: tuple[str, ...]


def check_trace(run: Path, codec: Codec | None = None) -> TraceCheck:
    """Read all segments of a run and check every hash chain.

    Chain values are d' = blake2b(d, records of the interval), so a changed, lost, added or moved record is found in its interval.

    Args:
        run: Run folder.
        codec: See ``TraceReader``.

    Raises:
        BadInput: There is no trace.
    """
    reader = TraceReader(run, codec)
    found: dict[str, list[tuple[int, int, bytes]]] = {agent: [] for agent in reader.chains}
    windows, lookahead_ns = (_count(reader.metadata.get(name, "")) for name in ("chain_windows", "lookahead_ns"))
    if not windows or not lookahead_ns:
        return TraceCheck(0, "", ("the metadata do not tell how long the intervals of the chains are: they are damaged",))
    width_ns = windows * lookahead_ns
    count = 0
    for record in reader.records():
        count += 1
        interval = emitted_ns(record.envelope) // width_ns
        found.setdefault(record.envelope.source, []).append((interval, record.number, record.raw))
    problems = [f"segment {name}: {reason}" for name, reason in reader.cut]
    if not reader.chains:
        return TraceCheck(count, "", (*problems, "there are no chain values: the run did not end, or its last segment is lost"))
    for agent in sorted(found):
        wrong = _first_wrong(found[agent], dict(reader.chains.get(agent, ())))
        if wrong is not None:
            span = f"windows {wrong * windows} to {(wrong + 1) * windows - 1}"
            number = sum(row[0] == wrong for row in found[agent])
            problems.append(f"{agent}: its {number} records of {span} are not those of its chain")
    last = {agent: values[-1][1] if values else "" for agent, values in reader.chains.items()}
    return TraceCheck(count, run_digest(last), tuple(problems))


def _count(text: str) -> int:
    """A whole number above 0, or 0 where the text is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _first_wrong(rows: list[tuple[int, int, bytes]], chain: Mapping[int, str]) -> int | None:
    """First interval whose records do not give the value that the chain has for it."""
    intervals: dict[int, list[bytes]] = {interval: [] for interval in chain}
    for interval, _, raw in sorted(rows, key=lambda row: row[:2]):
        intervals.setdefault(interval, []).append(raw)
    value = b""
    for interval in sorted(intervals):
        hasher = blake2b(value, digest_size=CHAIN_BYTES)
        for raw in intervals[interval]:
            hasher.update(raw)
        value = hasher.digest()
        if value.hex() != chain.get(interval):
            return interval
    return None
