"""What all roles of the table profile have in common."""

from hashlib import blake2b
from typing import Any

from .store import Stored


class TableModel:
    """A role of the table: implements `semcast.agents.models.roles.Model` but for ``flops`` and the answer to one call."""

    role = ""
    batch = 1

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        self.name = str(stored.card.data["name"])
        self.sha256 = stored.card.sha256

    def group(self, arguments: Any) -> str:
        """All calls may share a batch."""
        return ""

    def run(self, arguments: Any) -> list[Any]:
        """Answer each call."""
        return [self.answer(call) for call in arguments]

    def answer(self, call: Any) -> Any:
        """Answer one call."""
        raise NotImplementedError


def drawn(*parts: bytes) -> int:
    """A number of 63 bits that follows from bytes alone: what a pure function draws with."""
    h = blake2b(digest_size=8)
    for part in parts:
        h.update(part)
    return int.from_bytes(h.digest(), "little") >> 1
