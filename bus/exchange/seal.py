"""Seals: where all who use a server share its credentials, a run's own messages are known by a secret that only its workers have.

Source: keyed BLAKE2b (RFC 7693) as a message authentication code. A seal covers subject, header and payload. It says that a
worker of this run has made the message, not which one; a message that is sent again has a seal that holds, and is a duplicate.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from hmac import compare_digest

from .client import Handler, Received

MAC_BYTES = 16
SECRET_BYTES = 32


class Seal:
    """Makes and checks seals.

    Args:
        secret: Of the run; at most 64 bytes.
        on_false: Called with a message whose seal does not hold, instead of its handler.
    """

    def __init__(self, secret: bytes, on_false: Callable[[Received], None]) -> None:
        self._secret, self._on_false = secret, on_false

    def mac(self, subject: str, payload: bytes, header: str = "") -> str:
        """The seal of a message, 32 hex digits."""
        to, head = subject.encode(), header.encode()
        code = blake2b(b"%d:%d:%b%b" % (len(to), len(head), to, head), key=self._secret, digest_size=MAC_BYTES)
        code.update(payload)
        return code.hexdigest()

    def guarded(self, handler: Handler) -> Handler:
        """The handler, which gets only messages whose seal holds."""

        def take(message: Received) -> None:
            mac = self.mac(message.subject, message.data, message.header)
            (handler if compare_digest(mac.encode(), message.mac.encode()) else self._on_false)(message)

        return take
