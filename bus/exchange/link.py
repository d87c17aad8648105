"""A worker's connection to the NATS server. Whatever goes wrong on it is fatal: nats-py alone would drop messages in silence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import nats
import nats.errors

from ..errors import Missing, RunFailed, SemcastError

if TYPE_CHECKING:
    from ..server import Access

log = logging.getLogger(__name__)

Handler = Callable[[Any], Awaitable[None]]
_CONNECT_S = 5.0
PENDING_MESSAGES = 4 << 20
PENDING_BYTES = 1 << 30
"""A round is in flight at most twice, so these are only reached when something is badly wrong."""


START_ONE = "leave out --nats for a server of the run's own, or start one: nats-server -a 127.0.0.1 -p 4222"


async def connect(access: Access, timeout_s: float, **options: Any) -> Any:
    """Connect to a server, once: no second attempts, neither now nor later.

    Args:
        access: Server and credentials.
        timeout_s: Bound in wall-clock seconds.
        options: Further options of ``nats.connect``.

    Returns:
        The connected nats-py client.

    Raises:
        Missing: The server is not reachable or refuses the credentials.
    """
    failures: list[Exception] = []
    error_cb = options.pop("error_cb", None)
    connected = False

    async def note(error: Exception) -> None:
        if connected and error_cb is not None:
            await error_cb(error)
        failures.append(error)

    try:
        async with asyncio.timeout(timeout_s):
            # nats-py tries for ever unless told otherwise, also without allow_reconnect.
            client = await nats.connect(
                access.url,
                user=access.user or None,
                password=access.password or None,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0.1,
                connect_timeout=timeout_s,
                error_cb=note,
                **options,
            )
    except (OSError, nats.errors.Error) as error:
        reason = failures[-1] if failures else error
        if "authorization" in str(reason).lower():
            raise Missing(
                f"the NATS server at {access.url} refuses the credentials",
                "give them in the URL: --nats nats://user:password@host:port",
            ) from None
        reason_text = str(reason) or f"no answer within {timeout_s:.0f} s"
        raise Missing(f"cannot connect to the NATS server at {access.url}: {reason_text}", START_ONE) from None
    connected = True
    return client


class Link:
    """One connection with its subscriptions.

    Args:
        access: Server and credentials.
        name: Shown by the server's monitoring.
        on_failure: Called with what broke; at most once matters.
        pending_bytes: Received bytes that may wait for a handler; more is a failure.
    """

    def __init__(
        self, access: Access, name: str, on_failure: Callable[[SemcastError], None], *, pending_bytes: int = PENDING_BYTES
    ) -> None:
        self._access, self._name, self._on_failure = access, name, on_failure
        self._pending_bytes = pending_bytes
        self._client: Any = None
        self._closing = False

    @property
    def max_payload(self) -> int:
        """Largest message the server takes, in bytes."""
        return int(self._client.max_payload)

    @property
    def open(self) -> bool:
        """Whether it is connected."""
        return self._client is not None and bool(self._client.is_connected)

    async def connect(self, handlers: Mapping[str, Handler]) -> None:
        """Connect and subscribe; returns when the server has taken the subscriptions.

        Raises:
            Missing: The server is not reachable or refuses the credentials.
        """
        self._client = await connect(
            self._access,
            _CONNECT_S,
            name=self._name,
            ping_interval=600,
            pending_size=8 << 20,
            skip_subject_validation=True,
            error_cb=self._error,
            closed_cb=self._closed,
        )
        for subject, handler in handlers.items():
            await self._client.subscribe(
                subject, cb=handler, pending_msgs_limit=PENDING_MESSAGES, pending_bytes_limit=self._pending_bytes
            )
        await self._client.flush()

    async def publish(self, subject: str, payload: bytes, headers: dict[str, str] | None = None) -> None:
        """Send one message.

        Raises:
            RunFailed: The connection is gone.
        """
        try:
            await self._client.publish(subject, payload, headers=headers)
        except (OSError, nats.errors.Error) as error:
            raise RunFailed(f"cannot send on {subject}: {error or type(error).__name__}") from None

    async def written(self) -> None:
        """Let the event loop hand what was published to the operating system, before a long computation blocks the loop."""
        while self._client.pending_data_size and self.open:
            await asyncio.sleep(0)
        await asyncio.sleep(0)  # uvloop writes at the end of a turn

    async def close(self) -> None:
        """Send what waits and disconnect."""
        self._closing = True
        if self._client is not None and not self._client.is_closed:
            await self._client.close()

    async def _error(self, error: Exception) -> None:
        if self._closing:
            return
        if isinstance(error, nats.errors.SlowConsumerError):
            failure = RunFailed(
                f"{self._name} is a slow consumer: the NATS client drops messages on {error.subject}",
                "use more workers or the packed form of exchange",
            )
        elif "permissions violation" in str(error).lower():
            failure = RunFailed(
                f"the NATS server refuses {self._name} a subject: {error}",
                "give each worker the credentials made for it (and --nats a user that may use 'semcast.v1.>')",
            )
        else:
            failure = RunFailed(f"{self._name} has trouble with the NATS server at {self._access.url}: {error!r}")
        log.error("%s", failure.message)
        self._on_failure(failure)

    async def _closed(self) -> None:
        if not self._closing:
            self._on_failure(RunFailed(f"{self._name} lost the NATS server at {self._access.url}", "start the run again"))
