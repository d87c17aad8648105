"""A worker's connection to the NATS server. Whatever goes wrong on it is fatal and says what it was."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ..errors import Missing, RunFailed, SemcastError
from . import client
from .client import Client, Handler, Refused

if TYPE_CHECKING:
    from ..server import Access

log = logging.getLogger(__name__)

_CONNECT_S = 5.0

START_ONE = "leave out --nats for a server of the run's own, or start one: nats-server -a 127.0.0.1 -p 4222"


async def connect(access: Access, timeout_s: float, name: str, on_failure: Callable[[Exception], None]) -> Client:
    """Connect to a server, once: no second attempts, neither now nor later.

    Args:
        access: Server and credentials.
        timeout_s: Bound in wall-clock seconds.
        name: Shown by the server's monitoring.
        on_failure: Called with what breaks the connection later.

    Raises:
        Missing: The server is not reachable or refuses the credentials.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await client.connect(access, name, on_failure)
    except Refused as error:
        if "authorization" in str(error).lower():
            raise Missing(
                f"the NATS server at {access.url} refuses the credentials",
                "give them in the URL: --nats nats://user:password@host:port",
            ) from None
        raise Missing(f"the NATS server at {access.url} refuses: {error}", START_ONE) from None
    except (OSError, ValueError) as error:  # asyncio's time-out is an OSError
        reason = str(error) or f"no answer within {timeout_s:.0f} s"
        raise Missing(f"cannot connect to the NATS server at {access.url}: {reason}", START_ONE) from None


class Link:
    """One connection with its subscriptions.

    Args:
        access: Server and credentials.
        name: Shown by the server's monitoring.
        on_failure: Called with what broke; at most once matters.
    """

    def __init__(self, access: Access, name: str, on_failure: Callable[[SemcastError], None]) -> None:
        self._access, self._name, self._on_failure = access, name, on_failure
        self._client: Client | None = None

    @property
    def max_payload(self) -> int:
        """Largest message the server takes, in bytes."""
        return self._connected.max_payload

    @property
    def open(self) -> bool:
        """Whether it is connected."""
        return self._client is not None and self._client.open

    async def connect(self, handlers: Mapping[str, Handler]) -> None:
        """Connect and subscribe; returns when the server has taken the subscriptions.

        Raises:
            Missing: The server is not reachable or refuses the credentials.
        """
        self._client = await connect(self._access, _CONNECT_S, self._name, self._broken)
        for subject, handler in handlers.items():
            self._client.subscribe(subject, handler)
        await self._client.ping()

    def publish(self, subject: str, payload: bytes, header: tuple[str, str] | None = None) -> None:
        """Send one message; it leaves with others in the event loop's next turn.

        Raises:
            RunFailed: The connection is gone.
        """
        try:
            self._connected.publish(subject, payload, header)
        except OSError as error:
            raise RunFailed(f"cannot send on {subject}: {error}") from None

    async def written(self) -> None:
        """Hand what was published to the operating system, before a long computation blocks the event loop."""
        await self._connected.written()

    async def close(self) -> None:
        """Send what waits and disconnect."""
        if self._client is not None:
            await self._client.close()

    @property
    def _connected(self) -> Client:
        if self._client is None:
            raise RunFailed(f"{self._name} is not connected")
        return self._client

    def _broken(self, error: Exception) -> None:
        if isinstance(error, SemcastError):
            failure = error
        elif isinstance(error, Refused) and "permissions violation" in str(error).lower():
            failure = RunFailed(
                f"the NATS server refuses {self._name} a subject: {error}",
                "give each worker the credentials made for it (and --nats a user that may use 'semcast.v1.>')",
            )
        elif isinstance(error, Refused):
            failure = RunFailed(f"the NATS server at {self._access.url} cuts {self._name} off: {error}", "see the server's log")
        elif isinstance(error, OSError):
            failure = RunFailed(f"{self._name} lost the NATS server at {self._access.url}: {error}", "start the run again")
        else:
            failure = RunFailed(f"{self._name} has trouble with the NATS server at {self._access.url}: {error!r}")
        log.error("%s", failure.message)
        self._on_failure(failure)
