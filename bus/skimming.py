"""Picks the records of some kinds out of a trace's chunks without looking at the others: the quick way through a large trace."""

from __future__ import annotations

from collections.abc import Container

_CHANNEL, _MESSAGE = 0x04, 0x05
"""Opcodes of the MCAP specification; a record is opcode, length (8 bytes, little-endian) and content."""
_HEAD_BYTES = 9
_BEFORE_DATA = 22
"""A message's channel (2 bytes), sequence (4), log and publish times (8 each) come before its data."""


class Skimmer:
    """The records of some kinds, chunk by chunk of one segment.

    Args:
        kinds: Those wanted; None: all.
    """

    def __init__(self, kinds: Container[str] | None) -> None:
        self._kinds = kinds
        self._wanted: dict[int, str] = {}

    def pick(self, chunk: bytes) -> list[tuple[str, int, bytes]]:
        """(kind, number, MessagePack form) of the wanted records of an unpacked chunk, in the order in which they were written.

        Raises:
            ValueError: A record is longer than what is left of the chunk.
            LookupError: The chunk ends within the head of a record.
        """
        found: list[tuple[str, int, bytes]] = []
        wanted, place, end = self._wanted, 0, len(chunk)
        while place < end:
            code = chunk[place]
            start = place + _HEAD_BYTES
            place = start + int.from_bytes(chunk[place + 1 : start], "little")
            if place > end:
                raise ValueError(f"a record of {place - start} bytes, and {end - start} are left")
            if code == _MESSAGE:
                kind = wanted.get(chunk[start] | chunk[start + 1] << 8)
                if kind is not None:
                    number = int.from_bytes(chunk[start + 2 : start + 6], "little")
                    found.append((kind, number, chunk[start + _BEFORE_DATA : place]))
            elif code == _CHANNEL:
                self._register(chunk[start:place])
        return found

    def _register(self, channel: bytes) -> None:
        """Channel number (2 bytes), schema (2), topic with its length (4): ``/role/kind``."""
        length = int.from_bytes(channel[4:8], "little")
        kind = channel[8 : 8 + length].decode().rpartition("/")[2]
        if self._kinds is None or kind in self._kinds:
            self._wanted[int.from_bytes(channel[:2], "little")] = kind
