"""Keyed randomness: a draw belongs to what it is for, never to how many draws came before.

Every function takes a key, a sequence of strings and ints such as ``(seed, "fading", "user.07", "bs.1")``. Equal keys
give equal draws on every host, for any number of workers and in any order (DESIGN section 2, rule 3).
"""

import threading
from collections.abc import Iterable
from hashlib import blake2b

import numpy as np

Key = str | int


def digest(key: Iterable[Key], size: int = 16) -> bytes:
    """Hash a key to ``size`` bytes.

    Each part is written with its type and length, so ``("ab", "c")`` and ``("a", "bc")`` or ``1`` and ``"1"`` differ.
    """
    parts = [
        f"s{len(part) if part.isascii() else len(part.encode())}:{part}" if isinstance(part, str) else f"i{part:d};"
        for part in key
    ]
    return blake2b("".join(parts).encode(), digest_size=size).digest()


def uniform(*key: Key) -> float:
    """One draw from U[0, 1) with 53 random bits."""
    return (int.from_bytes(digest(key, 8), "little") >> 11) * 2.0**-53


def integer(high: int, *key: Key) -> int:
    """One draw from {0, ..., high - 1}; the bias is below ``high / 2**128``."""
    return int.from_bytes(digest(key), "little") % high


def generator(*key: Key) -> np.random.Generator:
    """A fresh NumPy generator (Philox 4x64) whose stream is fixed by the key; for vectors of draws."""
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest(key), "little")))


def uniforms(shape: tuple[int, ...], *key: Key) -> np.ndarray:
    """An array of draws from U[0, 1): the first ones of `generator`."""
    return _set_to(key).random(shape)


def complex_normal(n: int, *key: Key) -> np.ndarray:
    """``n`` draws of CN(0, 1) as complex64, I and Q each of variance 1/2; a shorter request is a prefix of a longer one."""
    iq = _set_to(key).standard_normal((n, 2), dtype=np.float32) * np.float32(0.5**0.5)
    return iq.view(np.complex64)[:, 0]


_own = threading.local()
_ZEROS = np.zeros(4, np.uint64)


def _set_to(key: Iterable[Key]) -> np.random.Generator:
    """This thread's one generator, set to the stream of a key; a fifth of the time of a fresh one."""
    if not hasattr(_own, "generator"):
        _own.generator = np.random.Generator(np.random.Philox(0))
    stream = {"counter": _ZEROS, "key": np.frombuffer(digest(key), "<u8")}
    whole = {"bit_generator": "Philox", "state": stream, "buffer": _ZEROS, "buffer_pos": 4, "has_uint32": 0, "uinteger": 0}
    _own.generator.bit_generator.state = whole
    return _own.generator  # type: ignore[no-any-return]
