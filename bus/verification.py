"""Whether a trace is what was written: every agent's records are hashed again and compared with its chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from .chain_log import CHAIN_BYTES, run_digest
from .divergence import emitted_ns
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


def checksums(segments: Iterable[Path]) -> dict[str, str]:
    """Name of each file -> blake2b of its bytes, 32 hex digits; '' where it may not be read."""
    found = {}
    for path in segments:
        hasher = blake2b(digest_size=CHAIN_BYTES)
        try:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    hasher.update(block)
        except PermissionError:
            found[path.name] = ""
            continue
        found[path.name] = hasher.hexdigest()
    return found


def check_trace(run: Path, codec: Codec | None = None, expected: Mapping[str, str] | None = None) -> TraceCheck:
    """Read all segments of a run and check every hash chain.

    Chain values are d' = blake2b(d, records of the interval), so a changed, lost, added or moved record is found in its interval.
    With ``expected`` so is any other changed bit: in an index, a summary, or a place that nobody reads.

    Args:
        run: Run folder.
        codec: See ``TraceReader``.
        expected: The `checksums` when the run ended.

    Raises:
        BadInput: There is no trace, or one of another version.
    """
    reader = TraceReader(run, codec)
    found: dict[str, list[tuple[int, int, bytes]]] = {agent: [] for agent in reader.chains}
    windows, lookahead_ns = (_count(reader.metadata.get(name, "")) for name in ("chain_windows", "lookahead_ns"))
    if not windows or not lookahead_ns:
        what = "the metadata do not tell how long the intervals of the chains are: they are damaged"
        return TraceCheck(0, "", (*_of_files(reader, expected), what))
    width_ns = windows * lookahead_ns
    count = 0
    for record in reader.records():
        count += 1
        interval = emitted_ns(record.envelope) // width_ns
        found.setdefault(record.envelope.source, []).append((interval, record.number, record.raw))
    problems = _of_files(reader, expected)
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


def _of_files(reader: TraceReader, expected: Mapping[str, str] | None) -> list[str]:
    """What is wrong with the files: cut or damaged (its place is named), or, where ``expected`` tells, not what was written."""
    problems = [f"segment {name}: {reason}" for name, reason in reader.cut]
    known = {name for name, _ in reader.cut}
    found = checksums(reader.paths) if expected is not None else {}
    for name in sorted({*found, *(expected or {})} - known):
        if name not in found:
            problems.append(f"segment {name} is not there")
        elif expected is not None and found[name] != expected.get(name):
            other = "its bytes are not those that were written" if name in expected else "it was not there when the run ended"
            problems.append(f"segment {name}: {other}")
    return problems


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
