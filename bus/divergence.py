"""Where two runs first differ: the chain values name the interval, its records the message and the field."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .envelope import ACTIVITY, Codec, Envelope
from .trace_reading import TraceReader, TraceRecord, envelope_to_builtins

_MISSING = "(no such record)"


@dataclass(frozen=True)
class Divergence:
    """The first difference between runs ``a`` and ``b``.

    Attributes:
        agent: The agent whose record it is.
        window: Window in which it was emitted.
        sequence: The agent's own number of the record.
        kind: Its kind, in ``a`` if it is there.
        field: Path of the field, such as ``payload.snr_db``; empty if one run has no such record.
        a: Its value in the first run (long bytes shortened).
        b: Its value in the second run.
    """

    agent: str
    window: int
    sequence: int
    kind: str
    field: str
    a: Any
    b: Any

    def __str__(self) -> str:
        what = f"field {self.field}" if self.field else "the record itself"
        return f"window {self.window}: {self.agent} record {self.sequence} ({self.kind}), {what}: {self.a!r} against {self.b!r}"


def first_divergence(run_a: Path, run_b: Path, codec: Codec | None = None) -> Divergence | None:
    """Compare two runs.

    With the chain values of both the records of one interval are enough; without (a run that was cut) all are compared.

    Args:
        run_a: Run folder.
        run_b: Run folder.
        codec: See ``TraceReader``.

    Returns:
        The difference that came first in simulated time, or None if there is none.
    """
    a, b = TraceReader(run_a, codec), TraceReader(run_b, codec)
    lookahead_ns = int(a.metadata.get("lookahead_ns", 1))
    if not a.chains or not b.chains:
        return compare(_by_name(a.records()), _by_name(b.records()), lookahead_ns)
    intervals = {
        agent: _first_interval(a.chains.get(agent, []), b.chains.get(agent, [])) for agent in sorted({*a.chains, *b.chains})
    }
    differing = [interval for interval in intervals.values() if interval is not None]
    if not differing:
        return None
    interval_ns = int(a.metadata["chain_windows"]) * lookahead_ns
    first = min(differing)
    span = (first * interval_ns, (first + 1) * interval_ns)
    return compare(_by_name(a.records(), span), _by_name(b.records(), span), lookahead_ns)


def _first_interval(a: Sequence[tuple[int, str]], b: Sequence[tuple[int, str]]) -> int | None:
    """First interval after which an agent's chains differ; by bisection, since they never meet again."""
    intervals = sorted({interval for interval, _ in [*a, *b]})
    low, high = 0, len(intervals)
    while low < high:
        middle = (low + high) // 2
        if _value_at(a, intervals[middle]) == _value_at(b, intervals[middle]):
            low = middle + 1
        else:
            high = middle
    return intervals[low] if low < len(intervals) else None


def _value_at(chain: Sequence[tuple[int, str]], interval: int) -> str:
    place = bisect_right(chain, interval, key=lambda entry: entry[0])
    return chain[place - 1][1] if place else ""


def emitted_ns(envelope: Envelope) -> int:
    """When a record was made: model results when they are due, all else when it was sent."""
    return envelope.t_deliver if envelope.origin == ACTIVITY else envelope.t_send


Name = tuple[str, int]


def _by_name(records: Any, span: tuple[int, int] | None = None) -> dict[Name, TraceRecord]:
    """Records by (source, sequence), those emitted in ``span`` only."""
    return {
        (record.envelope.source, record.envelope.sequence): record
        for record in records
        if span is None or span[0] <= emitted_ns(record.envelope) < span[1]
    }


def compare(a: Mapping[Name, TraceRecord], b: Mapping[Name, TraceRecord], lookahead_ns: int) -> Divergence | None:
    """The earliest record that is not the same in both; records by (source, sequence)."""
    earliest: tuple[int, str, int] | None = None
    for name in [*a, *(name for name in b if name not in a)]:
        in_a, in_b = a.get(name), b.get(name)
        if in_a is None or in_b is None or in_a.raw != in_b.raw:
            emitted = min(emitted_ns(record.envelope) for record in (in_a, in_b) if record is not None)
            if earliest is None or (emitted, *name) < earliest:
                earliest = (emitted, *name)
    if earliest is None:
        return None
    emitted, agent, sequence = earliest
    in_a, in_b = a.get((agent, sequence)), b.get((agent, sequence))
    window = emitted // lookahead_ns
    if in_a is None or in_b is None:
        there = in_a or in_b
        assert there is not None
        shown = envelope_to_builtins(there.envelope)
        return Divergence(agent, window, sequence, there.kind, "", shown if in_a else _MISSING, shown if in_b else _MISSING)
    field, value_a, value_b = _difference(_plain(in_a), _plain(in_b)) or ("", in_a.raw, in_b.raw)
    return Divergence(agent, window, sequence, in_a.kind, field, value_a, value_b)


def _plain(record: TraceRecord) -> dict[str, Any]:
    return envelope_to_builtins(record.envelope, limit=1 << 40)


def _difference(a: Any, b: Any, path: str = "") -> tuple[str, Any, Any] | None:
    """The first field in which two values of built-in types differ: path and both values."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in [*a, *(key for key in b if key not in a)]:
            found = _difference(a.get(key), b.get(key), f"{path}.{key}" if path else key)
            if found:
                return found
        return None
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for index, (in_a, in_b) in enumerate(zip(a, b, strict=True)):
            found = _difference(in_a, in_b, f"{path}[{index}]")
            if found:
                return found
        return None
    return None if a == b and type(a) is type(b) else (path, _short(a), _short(b))


def _short(value: Any) -> Any:
    """A value as it is printed; long hex text is cut."""
    return f"{value[:48]}... ({len(value)} characters)" if isinstance(value, str) and len(value) > 96 else value
