"""Records of peers on their way in: their parts until they are whole, and whole ones until their round takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .wire import Assembly, Part

LARGEST_RECORD = 1 << 30
"""In bytes; more is no record."""


class Incoming:
    """The records of some rounds.

    Args:
        read_body: Peer, body of a record -> what it says; raises ``ValueError`` if it makes no sense.

    Attributes:
        ready: Round -> peer -> (what its record says, its floor).
    """

    def __init__(self, read_body: Callable[[int, memoryview | bytes], Any]) -> None:
        self._read_body = read_body
        self._assemblies: dict[tuple[int, int], Assembly] = {}
        self.ready: dict[int, dict[int, tuple[Any, int]]] = {}

    def of(self, round: int) -> dict[int, tuple[Any, int]]:
        """The whole records of a round."""
        return self.ready.get(round, {})

    def add(self, peer: int, part: Part) -> bool:
        """Keep one part; whether it is new.

        Raises:
            ValueError: The record makes no sense; it is as if it never came.
        """
        key, round = (part.round, peer), part.round
        if peer in self.of(round):
            return False
        assembly = self._assemblies.get(key)
        if assembly is None or assembly.parts != part.parts or assembly.floor_ns != part.floor_ns:
            assembly = self._assemblies[key] = Assembly(part.parts, part.floor_ns)
        if assembly.size + len(part.chunk) > LARGEST_RECORD:
            raise ValueError(f"a record of more than {LARGEST_RECORD} bytes")
        if not assembly.add(part.part, part.chunk):
            return False
        if assembly.complete:
            del self._assemblies[key]
            self.ready.setdefault(round, {})[peer] = (self._read_body(peer, assembly.body()), assembly.floor_ns)
        return True

    def missing(self, round: int, peer: int) -> list[int]:
        """Numbers of the parts that are missing of a record of which some are there."""
        assembly = self._assemblies.get((round, peer))
        return assembly.missing() if assembly is not None else []

    def forget_parts(self, peer: int) -> None:
        """A peer begins anew: what it has begun to send is not going to be whole."""
        for key in [key for key in self._assemblies if key[1] == peer]:
            del self._assemblies[key]

    def forget_before(self, round: int) -> None:
        """What came for earlier rounds nobody needs."""
        for old in [each for each in self.ready if each < round]:
            del self.ready[old]
        for key in [key for key in self._assemblies if key[0] < round]:
            del self._assemblies[key]
