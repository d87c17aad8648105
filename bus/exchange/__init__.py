"""How workers swap what was sent in a window: in one process (memory.py) or over NATS (nats.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..envelope import Envelope


class Exchange(Protocol):
    """One worker's end of the exchange. Results do not depend on which one is used.

    Attributes:
        carries_local: Whether messages between agents of the same worker travel through it as well.
        taken: Source -> sequence of the last message taken, where messages can come twice; part of a snapshot.
    """

    carries_local: bool
    taken: dict[str, int]

    async def open(self, round: int = 0) -> None:
        """Connect; returns when all workers of the run are there.

        Args:
            round: The first one to be swapped; after a snapshot not 0.

        Raises:
            Missing: What it needs to connect to is not there.
            RunFailed: A worker did not come.
        """

    async def leave(self) -> None:
        """After the last round (global floor ``NEVER``): be there until everybody has it."""

    async def close(self) -> None:
        """Disconnect."""

    def saved(self, round: int) -> None:
        """A snapshot is on disk from which this worker would go on with ``round``: what it sent long before can be forgotten."""

    async def swap(
        self, round: int, out: Sequence[Sequence[tuple[Envelope, bytes]]], floor_ns: int
    ) -> tuple[list[Envelope], int]:
        """End a round: hand over what was sent and take what the others sent to this worker.

        Args:
            round: Counts 0, 1, 2, ... on all workers alike.
            out: For each worker, the messages to its agents and their MessagePack form, in the order sent.
            floor_ns: The earliest time in this worker's queue and in ``out``; ``NEVER`` if there is none.

        Returns:
            The messages for this worker, each once, in any order; and the least floor of all workers.

        Raises:
            RunFailed: The exchange broke; the run cannot go on.
        """
