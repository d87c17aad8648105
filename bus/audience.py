"""Who listens to a play: an embedded server that can be asked who has subscribed, and how much waits for them.

A NATS publisher does not learn who listens. The server knows, and tells a user of its system account (``CONNZ`` of the NATS
server's monitoring). Observers have no part in that account.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Coroutine
from typing import Any, TypeVar

from nats.aio.client import Client

from .access import Access
from .server import NatsServer

_CONNECTIONS = "$SYS.REQ.SERVER.PING.CONNZ"
_ANSWER_S = 5.0

T = TypeVar("T")


class StageServer(NatsServer):
    """An embedded server for one player (its driver) and observers, whose subscriptions can be seen by `Audience`."""

    def __init__(self, run: str) -> None:
        super().__init__(run, workers=0)
        self._usher = secrets.token_urlsafe(24)

    @property
    def usher(self) -> Access:
        """May ask the server who is there; has no part in the run's subjects."""
        return Access(self.url, "usher", self._usher)

    def _config(self) -> str:
        own = {
            "accounts": {"SYSTEM": {"users": [{"user": "usher", "password": self._usher}]}},
            "system_account": "SYSTEM",
        }
        return json.dumps(json.loads(super()._config()) | own, indent=1)


class Audience:
    """Asks a `StageServer` about its observers; an asynchronous context manager.

    Args:
        access: Of its usher.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._client = Client()

    async def __aenter__(self) -> Audience:
        try:
            await _whole(self._client.connect(self._access.url_with_password, allow_reconnect=False))
        except BaseException:
            await self._client.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def subscribers(self) -> int:
        """How many observers have subscribed to something."""
        return sum(row["subscriptions"] > 0 for row in await self._observers())

    async def waiting_bytes(self) -> int:
        """How many bytes the server still has for them."""
        return sum(row["pending_bytes"] for row in await self._observers())

    async def _observers(self) -> list[dict[str, Any]]:
        answer = await _whole(self._client.request(_CONNECTIONS, b'{"auth": true, "limit": 65536}', timeout=_ANSWER_S))
        rows = json.loads(answer.data)["data"]["connections"] or []
        return [row for row in rows if row.get("authorized_user") == "observer"]


async def _whole(work: Coroutine[Any, Any, T]) -> T:
    """Do it to its end, also if we are cancelled meanwhile (Ctrl-C): in the middle, nats-py can lose a cancellation."""
    doing = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.gather(doing, return_exceptions=True)
        raise
