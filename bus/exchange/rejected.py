"""Bytes that made no sense: counted, logged with their subject, kept in a capped side file, and otherwise without effect."""

import logging
from pathlib import Path

import msgpack

log = logging.getLogger(__name__)

FILE_BYTES = 1 << 20
"""The side file never grows beyond this."""
KEPT_BYTES = 4096
"""Of each rejected message at most so much is kept."""
_LOGGED = 20


class Rejected:
    """Keeps rejected bytes.

    The file is a sequence of MessagePack arrays ``[subject, reason, length, first bytes]``; read it with ``msgpack.Unpacker``.

    Args:
        path: The side file, made with the first rejection; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._used = 0
        self.count = 0

    def add(self, subject: str, raw: bytes, reason: str) -> None:
        """Take note of bytes that came on ``subject``."""
        self.count += 1
        if self.count <= _LOGGED:
            log.warning("rejected %d bytes on %s: %s", len(raw), subject, reason)
        if self.count == _LOGGED:
            log.warning("further rejections are counted and not logged")
        if self._path is None:
            return
        entry = msgpack.packb([subject, reason[:500], len(raw), bytes(raw[:KEPT_BYTES])])
        if self._used + len(entry) > FILE_BYTES:
            return
        with self._path.open("ab" if self._used else "wb") as file:
            file.write(entry)
        self._used += len(entry)
