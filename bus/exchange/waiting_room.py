"""What has come and cannot be used yet, within bounds: pieces of large messages, and messages that no record names so far.

Whoever floods a worker with either only makes it forget the oldest; what is needed after all is asked for again by name.
"""

from __future__ import annotations

from ..envelope import Envelope
from .kept import Name
from .wire import Assembly

MOST_BYTES = 512 << 20
"""Of pieces, and of messages that no record names, each."""
MOST_MESSAGES = 1 << 20


class Pieces:
    """Messages that travel in parts, until they are whole."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        self._open: dict[tuple[str, int], Assembly] = {}

    def add(self, key: tuple[str, int], parts: int, number: int, data: bytes) -> tuple[bool, bytes | None]:
        """Keep one part.

        Args:
            key: Subject and sequence of the message.
            parts: Their number.
            number: Of this one.
            data: This one.

        Returns:
            Whether it is new, and the message if it is whole now.
        """
        assembly = self._open.get(key)
        if assembly is None or assembly.parts != parts:
            self._forget(key)
            assembly = self._open[key] = Assembly(parts)
        if not assembly.add(number, data):
            return False, None
        self._bytes += len(data)
        if assembly.complete:
            whole = bytes(assembly.body())
            self._forget(key)
            return True, whole
        while self._bytes > self._most_bytes or len(self._open) > MOST_MESSAGES:
            self._forget(next(iter(self._open)))
        return True, None

    def _forget(self, key: tuple[str, int]) -> None:
        assembly = self._open.pop(key, None)
        if assembly is not None:
            self._bytes -= assembly.size


class Pool:
    """Messages that have come, until their round takes them. What a record names stays; the oldest others may be forgotten."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        self._messages: dict[Name, Envelope] = {}
        self._unnamed: dict[Name, int] = {}

    def __contains__(self, name: Name) -> bool:
        return name in self._messages

    def add(self, name: Name, message: Envelope, size: int, named: bool) -> None:
        """Keep a message of ``size`` bytes."""
        self._messages[name] = message
        if named:
            return
        self._unnamed[name] = size
        self._bytes += size
        while self._bytes > self._most_bytes or len(self._unnamed) > MOST_MESSAGES:
            oldest = next(iter(self._unnamed))
            del self._messages[oldest]
            self.name(oldest)

    def name(self, name: Name) -> bool:
        """A record names a message: whether it is there, and then it stays."""
        self._bytes -= self._unnamed.pop(name, 0)
        return name in self._messages

    def take(self, name: Name) -> Envelope:
        """Take a message out."""
        return self._messages.pop(name)
