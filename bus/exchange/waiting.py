"""Waiting for something that handlers of messages bring about, with a time limit, until the exchange breaks."""

from __future__ import annotations

import asyncio

from ..errors import SemcastError


class Waiting:
    """One sleeper at a time, woken by handlers.

    Attributes:
        failure: What broke the exchange, if it did; the first cause counts.
    """

    def __init__(self) -> None:
        self.failure: SemcastError | None = None
        self._sleeper: asyncio.Future[None] | None = None

    async def wait(self, pause_s: float) -> bool:
        """Sleep until woken (True) or until time is up (False).

        Raises:
            SemcastError: The exchange is broken.
        """
        if self.failure is not None:
            raise self.failure
        loop = asyncio.get_running_loop()
        self._sleeper = sleeper = loop.create_future()
        timer = loop.call_later(pause_s, _time_is_up, sleeper)
        try:
            await sleeper
            return True
        except TimeoutError:
            return False
        finally:
            timer.cancel()
            self._sleeper = None

    @property
    def asleep(self) -> bool:
        """Whether somebody waits."""
        return self._sleeper is not None and not self._sleeper.done()

    def wake(self) -> None:
        """Wake who waits."""
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)

    def fail(self, error: SemcastError) -> None:
        """The exchange is broken from now on."""
        self.failure = self.failure or error
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_exception(self.failure)


def _time_is_up(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_exception(TimeoutError())
