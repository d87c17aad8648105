"""Exchange inside one process: the workers are tasks of one event loop, and no bytes are made."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..clock import NEVER
from ..envelope import Envelope

if TYPE_CHECKING:
    from .chaos import Chaos

Sent = tuple[Envelope, bytes]


class Hub:
    """Where the workers of one process meet, round by round.

    Args:
        workers: Number of workers.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._rounds: dict[int, _Round] = {}

    def round(self, number: int) -> _Round:
        """The meeting of a round, made by whoever comes first and forgotten when all have left."""
        meeting = self._rounds.get(number)
        if meeting is None:
            meeting = self._rounds[number] = _Round(self.workers)
        return meeting

    def leave(self, number: int) -> None:
        """One worker has what it wanted."""
        meeting = self._rounds[number]
        meeting.left += 1
        if meeting.left == self.workers:
            del self._rounds[number]


class _Round:
    def __init__(self, workers: int) -> None:
        self.mail: list[list[Envelope]] = [[] for _ in range(workers)]
        self.floor = NEVER
        self.present = self.left = 0
        self.complete = asyncio.Event()


class MemoryExchange:
    """One worker's end of a ``Hub``; see ``Exchange``.

    Args:
        hub: The meeting place.
        index: This worker.
        chaos: Disturbances for tests: delays, duplicates and shuffled mail. Losses are meaningless here.
    """

    carries_local = False

    def __init__(self, hub: Hub, index: int, chaos: Chaos | None = None) -> None:
        self._hub, self._index, self._chaos = hub, index, chaos
        self.taken: dict[str, int] = {}

    async def open(self, round: int = 0) -> None:
        """Nothing to connect."""

    async def leave(self) -> None:
        """Nobody misses anything."""

    async def close(self) -> None:
        """Nothing to close."""

    def saved(self, round: int) -> None:
        """Nothing is kept."""

    async def swap(self, round: int, out: Sequence[Sequence[Sent]], floor_ns: int) -> tuple[list[Envelope], int]:
        """Hand over and take mail; returns when all workers have spoken."""
        if self._hub.workers == 1:
            if round % 64 == 0:
                await asyncio.sleep(0)  # so that an interrupt can be heard
            return [envelope for envelope, _ in out[0]], floor_ns
        if self._chaos is not None:
            await asyncio.sleep(self._chaos.delay())
        meeting = self._hub.round(round)
        for mail, sent in zip(meeting.mail, out, strict=True):
            mail.extend(envelope for envelope, _ in sent)
        meeting.floor = min(meeting.floor, floor_ns)
        meeting.present += 1
        if meeting.present == self._hub.workers:
            meeting.complete.set()
        await meeting.complete.wait()
        arrivals, earliest = meeting.mail[self._index], meeting.floor
        self._hub.leave(round)
        if self._chaos is not None:
            arrivals = list({(e.source, e.sequence): e for e in self._chaos.disturb(arrivals)}.values())
        return arrivals, earliest
