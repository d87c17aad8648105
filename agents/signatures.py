"""Content signatures: who said it, exactly this, and not before.

A signature covers signer, counter and the whole content. Its size is real: 64 bytes as Ed25519 (RFC 8032) has, and a counter
of 32 bits; both are charged wherever the message goes. The cryptography is simulated: the tag is a keyed blake2b hash, and keys
follow from the run's seed, so whoever knows the seed could sign for anybody. Agents of a run ask only for the keys that they
would have: a signer for its own, a receiver for the one it checks with (as if it were the public one); the adversary asks for
none. Signing and checking take no simulated time. The signer is known from the link.

Counters may come a little out of order, as after a handover: a receiver keeps a window of the last `WINDOW` (as RFC 4303 does).
"""

from hashlib import blake2b
from typing import TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ..bus import keys
from ..bus.clock import SECOND
from ..bus.payload import kind_of
from ..bus.signed import Signable, Signature

KEY_BYTES = 32
TAG_BYTES = 64
WINDOW = 64
"""Counters that a receiver remembers; older ones are stale."""
BURST = 4.0
"""Messages of one sender that may come at once, where its rate is limited."""
UNKNOWN, FALSE, STALE, TOO_FAST = "unknown sender", "bad signature", "stale counter", "over its rate"
"""Why a message is refused."""
S = TypeVar("S", bound=Signable)


def key_of(seed: int, agent: str) -> bytes:
    """The key with which an agent signs. Simulated: it follows from the run's seed; see the module for who asks for it."""
    return keys.digest((seed, "ledger key", agent), KEY_BYTES)


def sign(body: S, counter: int, signer: str, seed: int) -> S:
    """The body with a signature (a former one is replaced)."""
    return msgspec.structs.replace(body, signature=Signature(counter, _tag(body, counter, signer, seed)))


def genuine(body: Signable, signer: str, seed: int) -> bool:
    """Whether a body is exactly what the signer signed."""
    found = body.signature
    return not isinstance(found, UnsetType) and found.tag == _tag(body, found.counter, signer, seed)


def _tag(body: Signable, counter: int, signer: str, seed: int) -> bytes:
    covered = (signer, counter, msgspec.structs.replace(body, signature=UNSET))
    key = key_of(seed, signer)
    return blake2b(msgspec.msgpack.encode(covered), key=key, person=b"semcast content", digest_size=TAG_BYTES).digest()


def kind(body: Signable) -> str:
    """What kind of message it is."""
    return kind_of(type(body).__name__)


def mark_of(body: Signable) -> bytes:
    """Hash of a message, its signature included: 16 bytes, the same at the one who sent it and the one who looks at it."""
    return blake2b(msgspec.msgpack.encode(body), digest_size=16).digest()


class Heard(Struct):
    """What a receiver remembers of one sender. ``seen``: bit i is set if counter ``newest - i`` was taken."""

    newest: int = -1
    seen: int = 0
    allowance: float = BURST
    t_ns: int = 0

    def is_fresh(self, counter: int) -> bool:
        """Whether a counter was not taken before and is not too old to tell."""
        age = self.newest - counter
        return age < 0 or (age < WINDOW and not self.seen >> age & 1)

    def take(self, counter: int) -> None:
        """A fresh counter was taken."""
        if counter > self.newest:
            self.seen = self.seen << min(counter - self.newest, WINDOW) & (1 << WINDOW) - 1
            self.newest = counter
        self.seen |= 1 << self.newest - counter

    def within(self, rate_hz: float, now_ns: int) -> bool:
        """Whether one more message keeps to a mean rate with bursts of `BURST` (a token bucket); if so it is counted."""
        self.allowance = min(BURST, self.allowance + rate_hz * (now_ns - self.t_ns) / SECOND)
        self.t_ns = now_ns
        if self.allowance < 1.0:
            return False
        self.allowance -= 1.0
        return True
