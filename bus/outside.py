"""What comes from outside the network while a run goes on, and how a run waits for it.

Something from outside is given to an agent at the start of the first window that is not yet granted, before everything else that
happens then. So a run that is given the same again at the same times does the same again, and nobody outside is needed for it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .clock import MS, NEVER, SECOND
from .envelope import EXOGENOUS, OUTSIDE, VERSION, Envelope

STEP_NS = 20 * MS
"""A run that waits for the outside goes in steps of simulated time no larger than this."""


@dataclass(frozen=True, slots=True)
class Injection:
    """Something from outside for one agent.

    Attributes:
        t_ns: When the agent gets it.
        number: Its place among what the agent gets at that time.
        agent: The agent's id.
        by: Whose it is: ``"<participant>:<counter>"``.
        payload: What it is.
    """

    t_ns: int
    number: int
    agent: str
    by: str
    payload: Any

    @classmethod
    def of(cls, envelope: Envelope) -> Injection:
        """The one that has become this record."""
        return cls(envelope.t_deliver, envelope.sequence, envelope.source, envelope.in_reply_to, envelope.payload)

    def envelope(self, sequence: int) -> Envelope:
        """As a record of its agent, the agent's ``sequence``-th."""
        ends = (self.agent, self.agent, sequence, self.by)
        return Envelope(VERSION, self.t_ns, self.t_ns, OUTSIDE, *ends, EXOGENOUS, self.payload)


class Inlet(Protocol):
    """Where it comes in (bus/inlet.py)."""

    async def open(self) -> None:
        """Begin to listen."""

    async def close(self) -> None:
        """Listen no more."""

    async def taken(self, t_ns: int) -> list[Injection]:
        """What has come since the last call; from now on it belongs to the run and is given to its agents at ``t_ns``."""


class Pace:
    """Keeps simulated time from outrunning the wall clock, and a run from ending before its time. No result depends on it.

    Args:
        speed: Simulated seconds in one of the wall clock at most; 0: as fast as possible. Time that is lost is not made good.
        until_ns: Simulated time up to which the run goes on, whether anything happens in it or not.
    """

    def __init__(self, speed: float, until_ns: int) -> None:
        self._speed, self._until_ns = speed, until_ns
        self._t_ns, self._due_s = 0, -math.inf

    def floor_ns(self, t_ns: int) -> int:
        """The time at or after ``t_ns`` at which the run has to look up; ``NEVER`` where it need not any more."""
        step = -(-t_ns // STEP_NS) * STEP_NS
        return step if step < self._until_ns else NEVER

    async def wait(self, t_ns: int) -> None:
        """Return when ``t_ns`` may begin."""
        now_s = asyncio.get_running_loop().time()
        if self._speed:
            self._due_s = max(now_s, self._due_s + (t_ns - self._t_ns) / SECOND / self._speed)
        self._t_ns = t_ns
        await asyncio.sleep(max(0.0, self._due_s - now_s))


class Outside:
    """The outside of one worker: what comes from there, and when it wants to be asked again.

    Args:
        inlet: Where things come in; None: nothing does.
        pace: None: nobody waits. One worker that has a pace is enough for a run.
        is_new: Whether the round that ends is new to all workers. Where one made anew goes through rounds that its peers have
            ended before, nothing can be added to them.
    """

    def __init__(self, inlet: Inlet | None = None, pace: Pace | None = None, is_new: Callable[[], bool] = lambda: True) -> None:
        self._inlet, self._pace, self._is_new = inlet, pace, is_new

    async def open(self) -> None:
        """Begin to listen.

        Raises:
            Missing: There is nothing to listen to.
        """
        if self._inlet is not None:
            await self._inlet.open()

    async def close(self) -> None:
        """Listen no more."""
        if self._inlet is not None:
            await self._inlet.close()

    async def at(self, t_ns: int) -> tuple[Sequence[Injection], int]:
        """Between two rounds: what is given to agents at ``t_ns``, the start of the first window not yet granted.

        Returns:
            That, and the time at which the run has to look up again at the latest, ``NEVER`` for none.

        Raises:
            RunFailed: What has come cannot be kept.
        """
        found: list[Injection] = []
        if self._is_new():
            if self._pace is not None:
                await self._pace.wait(t_ns)
            if self._inlet is not None:
                found = await self._inlet.taken(t_ns)
        return found, self._pace.floor_ns(t_ns) if self._pace is not None else NEVER
