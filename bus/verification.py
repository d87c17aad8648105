"""Whether a trace is what was written: every agent's records are hashed again and compared with its chain."""

from __future__ import annotations

import heapq
import itertools
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from operator import itemgetter
from pathlib import Path

import msgspec

from .chain_log import CHAIN_BYTES, run_digest
from .envelope import ACTIVITY, VERSION, Codec
from .segments import parse
from .trace_reading import Head, TraceReader

log = logging.getLogger(__name__)


class _Head(Head, frozen=True, array_like=True, gc=False):
    """The part of an envelope by which a record has its place in its agent's chain."""

    in_reply_to: str
    origin: str


_head = msgspec.msgpack.Decoder(_Head).decode
_Record = tuple[int, str, int, bytes]
"""Interval, agent, number, MessagePack form."""
_interval = itemgetter(0)


class _Disorder(Exception):
    """Records are not in the order in which a worker writes them."""


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
    Records are read as they were written and let go interval by interval.
    With ``expected`` so is any other changed bit: in an index, a summary, or a place that nobody reads.

    Args:
        run: Run folder.
        codec: See ``TraceReader``.
        expected: The `checksums` when the run ended.

    Raises:
        BadInput: There is no trace, or one of another version.
    """
    reader = TraceReader(run, codec)
    windows, lookahead_ns = (_count(reader.metadata.get(name, "")) for name in ("chain_windows", "lookahead_ns"))
    if not windows or not lookahead_ns:
        what = "the metadata do not tell how long the intervals of the chains are: they are damaged"
        return TraceCheck(0, "", (*_of_files(reader, expected), what))
    chains = reader.chains
    checks: dict[str, _Check] = {}
    count = 0
    for worker in sorted({segment.worker for path in reader.paths if (segment := parse(path.name))}):
        records, of_agents = _check_worker(reader, worker, windows * lookahead_ns, chains)
        count += records
        checks |= of_agents
    for agent, values in chains.items():
        checks.setdefault(agent, _Check(values))
    problems = _of_files(reader, expected)
    if not chains:
        return TraceCheck(count, "", (*problems, "there are no chain values: the run did not end, or its last segment is lost"))
    for agent in sorted(checks):
        if (wrong := checks[agent].end()) is not None:
            interval, number = wrong
            span = f"windows {interval * windows} to {(interval + 1) * windows - 1}"
            problems.append(f"{agent}: its {number} records of {span} are not those of its chain")
    last = {agent: values[-1][1] if values else "" for agent, values in chains.items()}
    return TraceCheck(count, run_digest(last), tuple(problems))


def _check_worker(
    reader: TraceReader, worker: int, width_ns: int, chains: Mapping[str, Sequence[tuple[int, str]]]
) -> tuple[int, dict[str, _Check]]:
    """Check the records of one worker's agents; how many there are, and what was found by agent."""
    told: list[list[Path]] = [[], []]
    for path in reader.paths:
        segment = parse(path.name)
        if segment and segment.worker == worker:
            told[segment.private].append(path)
    try:
        return _check_records(heapq.merge(*(_emitted(reader, paths, width_ns) for paths in told), key=_interval), chains)
    except _Disorder:  # another program has written it: all at once, then
        return _check_records(sorted(_emitted(reader, sum(told, []), width_ns), key=_interval), chains)


def _check_records(records: Iterable[_Record], chains: Mapping[str, Sequence[tuple[int, str]]]) -> tuple[int, dict[str, _Check]]:
    count, latest = 0, -1
    checks: dict[str, _Check] = {}
    for interval, some in itertools.groupby(records, key=_interval):
        if interval < latest:
            raise _Disorder
        latest = interval
        found: dict[str, list[tuple[int, bytes]]] = {}
        for _, agent, number, raw in some:
            found.setdefault(agent, []).append((number, raw))
            count += 1
        for agent, rows in found.items():
            if agent not in checks:
                checks[agent] = _Check(chains.get(agent, ()))
            checks[agent].take(interval, rows)
    return count, checks


def _emitted(reader: TraceReader, paths: Iterable[Path], width_ns: int) -> Iterator[_Record]:
    """(interval, agent, number, bytes) of the records of segments, in the order in which they were written."""
    for path in paths:
        for _, number, raw in reader.skim(path, None):
            try:
                head = _head(raw)
            except (ValueError, RecursionError) as error:
                log.warning("a record of %d bytes is left out, as it is no envelope: %s", len(raw), error)
                continue
            if head.version != VERSION:
                raise reader.other_version(head)
            yield (head.t_deliver if head.origin == ACTIVITY else head.t_send) // width_ns, head.source, number, raw


class _Check:
    """Compares one agent's records with its chain, interval by interval.

    Args:
        chain: (interval, value in hex), ascending.
    """

    __slots__ = ("_chain", "_place", "_value", "_wrong")

    def __init__(self, chain: Sequence[tuple[int, str]]) -> None:
        self._chain = chain
        self._place, self._value = 0, b""
        self._wrong: tuple[int, int] | None = None

    def take(self, interval: int, rows: list[tuple[int, bytes]]) -> None:
        """(Number, bytes) of all records of the next interval that has some."""
        if self._wrong is not None:
            return
        expected, value = self._chain[self._place] if self._place < len(self._chain) else (interval, "")
        if expected < interval:
            self._wrong = (expected, 0)
            return
        hasher = blake2b(self._value, digest_size=CHAIN_BYTES)
        for _, raw in sorted(rows):
            hasher.update(raw)
        self._value = hasher.digest()
        if expected > interval or self._value.hex() != value:
            self._wrong = (interval, len(rows))
        self._place += 1

    def end(self) -> tuple[int, int] | None:
        """The first interval whose records are not those of the chain, and how many there are; None: all are."""
        if self._wrong is None and self._place < len(self._chain):
            return self._chain[self._place][0], 0
        return self._wrong


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
