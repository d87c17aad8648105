"""A worker's connection to the NATS server. A lost one is made again; whatever else goes wrong is fatal and says what it was.

What was on its way when the connection was lost may be lost with it: the exchange asks for it again by name.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..errors import Missing, RunFailed, SemcastError
from . import client
from .client import Client, Handler, Refused
from .kept import Counts
from .seal import Seal

if TYPE_CHECKING:
    from ..access import Access

log = logging.getLogger(__name__)

_CONNECT_S = 5.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.5
_PASSING = ("stale connection", "server shutdown")
"""What a server says before it closes a connection that may be made again."""
_UNSENT = "permissions violation for publish"
"""What a server says of a message that the user may not publish."""
RIGHTS = "'semcast.v1.>', and publish to '_INBOX.>' with --external"
"""What the user of ``--nats`` needs."""

TRUST = "say whom to trust and who we are: --nats 'tls://host:port?ca=ca.pem' (and &certificate=FILE&key=FILE if it asks)"
START_ONE = "leave out --nats for a server of the run's own, or start one: nats-server -a 127.0.0.1 -p 4222"


async def connect(access: Access, timeout_s: float, name: str, on_failure: Callable[[Exception], None]) -> Client:
    """Connect to a server, or the first of a cluster that answers, once: no second attempts, neither now nor later.

    Args:
        access: Server and credentials.
        timeout_s: Bound in wall-clock seconds, for each server.
        name: Shown by the server's monitoring.
        on_failure: Called with what breaks the connection later.

    Raises:
        Missing: No server is reachable, or one refuses the credentials or has a certificate that is not to be trusted.
    """
    trouble = None
    for url in access.urls:
        try:
            async with asyncio.timeout(timeout_s):
                return await client.connect(access, name, on_failure, url)
        except Refused as error:
            if "authorization" in str(error).lower():
                hint = "give them in the URL: --nats nats://user:password@host:port"
                raise Missing(f"the NATS server at {url} refuses the credentials", hint) from None
            trouble = trouble or Missing(f"the NATS server at {url} refuses: {error}", START_ONE)
        except ssl.SSLError as error:
            trouble = trouble or Missing(f"no encryption with the NATS server at {url}: {error}", TRUST)
        except (OSError, ValueError) as error:  # asyncio's time-out is an OSError
            reason = str(error) or f"no answer within {timeout_s:.0f} s"
            trouble = trouble or Missing(f"cannot connect to the NATS server at {url}: {reason}", START_ONE)
    assert trouble is not None
    raise trouble


class Link:
    """One connection with its subscriptions, made again where it is lost.

    Args:
        access: Server and credentials.
        name: Shown by the server's monitoring.
        on_failure: Called with what broke for good; at most once matters.
        counts: ``returns`` is counted there.
        patience_s: Wall-clock time after which a lost server is given up.
        seal: Seals what is sent; what comes without a seal that holds is left to it.
        on_unsent: Called with what the server says where it refuses what was published; by default that breaks the link for good.
    """

    def __init__(
        self,
        access: Access,
        name: str,
        on_failure: Callable[[SemcastError], None],
        counts: Counts,
        patience_s: float,
        seal: Seal | None = None,
        on_unsent: Callable[[str], None] | None = None,
    ) -> None:
        self._access, self._name, self._on_failure = access, name, on_failure
        self._counts, self._patience_s, self._seal, self._on_unsent = counts, patience_s, seal, on_unsent
        self._handlers: Mapping[str, Handler] = {}
        self._client: Client | None = None
        self._returning: asyncio.Task[Any] | None = None

    @property
    def max_payload(self) -> int:
        """Largest message the server takes, in bytes."""
        return self._connected.max_payload

    async def open(self, handlers: Mapping[str, Handler], patience_s: float) -> None:
        """Connect for the first time; a server that is not there may be on its way back, so long.

        Raises:
            Missing: It is not there, or refuses the credentials.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + patience_s
        self._returning = asyncio.current_task()  # what breaks meanwhile is tried again here
        try:
            while True:
                try:
                    return await self.connect(handlers)
                except Missing as error:
                    if loop.time() >= until or "refuses the credentials" in str(error):
                        raise
                await asyncio.sleep(_LONGEST_PAUSE_S)
        finally:
            self._returning = None

    async def connect(self, handlers: Mapping[str, Handler]) -> None:
        """Connect and subscribe; returns when the server has taken the subscriptions.

        Raises:
            Missing: The server is not reachable or refuses the credentials.
        """
        self._handlers = handlers
        client = await connect(self._access, _CONNECT_S, self._name, self._broken)
        self._client = client
        try:
            for subject, handler in handlers.items():
                client.subscribe(subject, handler if self._seal is None else self._seal.guarded(handler))
            await client.ping()
        except (OSError, Refused) as error:
            raise Missing(f"lost the NATS server at {self._access.url} at once: {error}", START_ONE) from None

    def publish(self, subject: str, payload: bytes, header: tuple[str, str] | None = None) -> None:
        """Send one message; it leaves with others in the event loop's next turn. Without a connection it is lost.

        Raises:
            RunFailed: There never was a connection.
        """
        mac = self._seal.mac(subject, payload, header[1] if header else "") if self._seal is not None else ""
        self._counts.published += 1
        with suppress(OSError):
            self._connected.publish(subject, payload, header, mac)

    async def written(self) -> None:
        """Hand what was published to the operating system, before a long computation blocks the event loop."""
        await self._connected.written()

    async def close(self) -> None:
        """Send what waits and disconnect."""
        if self._returning is not None:
            self._returning.cancel()
        if self._client is not None:
            await self._client.close()

    @property
    def _connected(self) -> Client:
        if self._client is None:
            raise RunFailed(f"{self._name} is not connected")
        return self._client

    def _broken(self, error: Exception) -> None:
        reason = str(error).lower()
        if isinstance(error, OSError) or (isinstance(error, Refused) and any(word in reason for word in _PASSING)):
            if self._returning is None or self._returning.done():
                log.warning("%s lost the NATS server at %s: %s", self._name, self._access.url, error)
                self._returning = asyncio.get_running_loop().create_task(self._return(error))
            return
        if self._on_unsent is not None and isinstance(error, Refused) and reason.startswith(_UNSENT):
            self._on_unsent(str(error))
            return
        if isinstance(error, SemcastError):
            failure = error
        elif isinstance(error, Refused) and "permissions violation" in reason:
            failure = RunFailed(
                f"the NATS server refuses {self._name} a subject: {error}",
                f"give each worker the credentials made for it (and --nats a user that may use {RIGHTS})",
            )
        elif isinstance(error, Refused):
            failure = RunFailed(f"the NATS server at {self._access.url} cuts {self._name} off: {error}", "see the server's log")
        else:
            failure = RunFailed(f"{self._name} has trouble with the NATS server at {self._access.url}: {error!r}")
        log.error("%s", failure.message)
        self._on_failure(failure)

    async def _return(self, lost: Exception) -> None:
        """Connect again, as long as that can be hoped for."""
        loop = asyncio.get_running_loop()
        until, pause_s = loop.time() + self._patience_s, _FIRST_PAUSE_S
        while True:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            try:
                await self.connect(self._handlers)
            except SemcastError as error:
                if loop.time() < until and "refuses the credentials" not in str(error):
                    continue
                message = f"{self._name} lost the NATS server at {self._access.url}: {lost}"
                self._on_failure(
                    RunFailed(f"{message}; {error.message}", "go on when the server is there: semcast run --resume RUN")
                )
                return
            self._counts.returns += 1
            log.warning("%s is connected again", self._name)
            return
