"""Who listens to a play: an embedded server that can be asked who has subscribed, and how much waits for them.

A NATS publisher does not learn who listens. The server knows, and tells a user of its system account (``CONNZ`` of the NATS
server's monitoring). Observers have no part in that account.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

import nats
from nats.aio.client import Client

from .server import Access, NatsServer

_CONNECTIONS = "$SYS.REQ.SERVER.PING.CONNZ"
_ANSWER_S = 5.0


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
        self._client: Client

    async def __aenter__(self) -> Audience:
        self._client = await nats.connect(self._access.url_with_password, allow_reconnect=False)
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
        answer = await self._client.request(_CONNECTIONS, b'{"auth": true, "limit": 65536}', timeout=_ANSWER_S)
        rows = json.loads(answer.data)["data"]["connections"] or []
        return [row for row in rows if row.get("authorized_user") == "observer"]
