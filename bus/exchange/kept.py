"""What an exchange keeps and counts."""

from dataclasses import dataclass, field

from ..envelope import Envelope

Sent = tuple[Envelope, bytes]
"""A message and its MessagePack form."""
Name = tuple[str, int]
"""(source, sequence) of a message."""
Outgoing = tuple[str, bytes, tuple[str, str] | None]
"""Subject, payload, header (name, value)."""


@dataclass
class Counts:
    """What an exchange had to put up with: messages rejected, dropped as duplicates, as stale, asked for and sent again."""

    rejected: int = 0
    duplicates: int = 0
    stale: int = 0
    asked: int = 0
    resent: int = 0


@dataclass
class Kept:
    """What was sent in a round, until nobody can ask for it any more."""

    sent_at: float = float("inf")
    """Wall-clock time of the event loop when all of it had been sent."""
    parts: dict[int, list[Outgoing]] = field(default_factory=dict)
    """The record for each peer."""
    messages: dict[Name, list[Outgoing]] = field(default_factory=dict)

    def answer(self, peer: int, record: bool, parts: list[int], names: dict[str, list[int]]) -> list[Outgoing]:
        """What a peer asked for: parts of its record (none named: all) and messages."""
        outgoing: list[Outgoing] = []
        if record:
            own = self.parts.get(peer, [])
            outgoing += [own[i] for i in parts if 0 <= i < len(own)] if parts else own
        for source, sequences in names.items():
            for sequence in sequences:
                outgoing += self.messages.get((source, sequence), [])
        return outgoing


def limited(names: dict[str, list[int]], most: int) -> dict[str, list[int]]:
    """The first ``most`` of the names (source -> sequences), so that they fit into one message."""
    first: dict[str, list[int]] = {}
    for source, sequences in names.items():
        if most <= 0:
            break
        first[source] = sequences[:most]
        most -= len(sequences)
    return first
