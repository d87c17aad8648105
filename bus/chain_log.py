"""Values of the hash chains of one worker's agents, interval by interval, 20 bytes each."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

import numpy as np
from msgspec import Struct

CHAIN_BYTES = 16


class ChainColumns(Struct, frozen=True, array_like=True):
    """The log as bytes: intervals and how many values each has, and by value the agent's number (uint32) and the value."""

    intervals: list[tuple[int, int]]
    numbers: bytes
    values: bytes


class ChainLog(Mapping[str, list[tuple[int, str]]]):
    """Agent id -> (interval, chain value in hex) at the end of each interval in which it made records, ascending.

    Args:
        names: Ids of the worker's agents, sorted; an agent's number is its index here.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._intervals: list[tuple[int, int]] = []
        self._numbers, self._values = array("I"), bytearray()
        self._index: tuple[int, np.ndarray, np.ndarray, np.ndarray] | None = None

    def close(self, interval: int, numbers: Sequence[int], values: Sequence[bytes]) -> None:
        """An interval has ended: the numbers of the agents with records in it, and their chains' values."""
        self._intervals.append((interval, len(numbers)))
        self._numbers.extend(numbers)
        self._values += b"".join(values)

    def last(self) -> Iterator[tuple[int, bytes]]:
        """Number and latest value of each agent that has one, in order."""
        _, order, starts, _ = self._sorted()
        for number, end in enumerate(starts[1:].tolist()):
            if end > starts[number]:
                yield number, self._value(int(order[end - 1]))

    def columns(self) -> ChainColumns:
        """What a snapshot keeps."""
        return ChainColumns(list(self._intervals), self._numbers.tobytes(), bytes(self._values))

    def restore(self, columns: ChainColumns) -> None:
        """The state that ``columns`` told.

        Raises:
            ValueError: They do not fit together, or to these agents.
        """
        numbers = array("I")
        numbers.frombytes(columns.numbers)
        count = len(numbers)
        if sum(size for _, size in columns.intervals) != count or len(columns.values) != count * CHAIN_BYTES:
            raise ValueError("chain values do not fit to their intervals")
        if count and max(numbers) >= len(self._names):
            raise ValueError("chain values of agents that are not of this worker")
        self._intervals, self._numbers, self._values = list(columns.intervals), numbers, bytearray(columns.values)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __getitem__(self, name: str) -> list[tuple[int, str]]:
        number = bisect_left(self._names, name)
        if number == len(self._names) or self._names[number] != name:
            raise KeyError(name)
        _, order, starts, intervals = self._sorted()
        places = order[starts[number] : starts[number + 1]]
        return [(int(intervals[place]), self._value(place).hex()) for place in places.tolist()]

    def _value(self, place: int) -> bytes:
        return bytes(self._values[place * CHAIN_BYTES : (place + 1) * CHAIN_BYTES])

    def _sorted(self) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        """Number of values; their places sorted by agent; where each agent's begin; the interval of each."""
        if self._index is None or self._index[0] != len(self._numbers):
            numbers = np.array(self._numbers, dtype=np.uint32)
            starts = np.searchsorted(np.sort(numbers), np.arange(len(self._names) + 1))
            pairs = np.array(self._intervals, dtype=np.int64).reshape(-1, 2)
            self._index = len(numbers), np.argsort(numbers, kind="stable"), starts, np.repeat(pairs[:, 0], pairs[:, 1])
        return self._index


def run_digest(chains: Mapping[str, str]) -> str:
    """Digest of a run: the final chain values of all agents, folded in the order of their ids (32 hex digits)."""
    h = blake2b(digest_size=CHAIN_BYTES)
    for name in sorted(chains):
        h.update(name.encode() + b"\0" + bytes.fromhex(chains[name]))
    return h.hexdigest()
