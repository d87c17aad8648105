"""What a vandal does to good messages. Each mutation takes a generator and good messages, and depends on nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgpack
import numpy as np

Rng = np.random.Generator
Mutation = Callable[[Rng, Sequence[bytes]], bytes]


class Form(NamedTuple):
    """A notation of trees: bytes -> built-in types, and back."""

    loads: Callable[[bytes], Any]
    dumps: Callable[[Any], bytes]


def _from_msgpack(raw: bytes) -> Any:
    return msgpack.unpackb(raw, strict_map_key=False)


def _to_json(tree: Any) -> bytes:
    return json.dumps(tree, default=repr).encode("utf-8", "replace")


MSGPACK = Form(_from_msgpack, lambda tree: bytes(msgpack.packb(tree, unicode_errors="surrogatepass")))
JSON = Form(json.loads, _to_json)

LENGTHS = (
    b"\xdd\xff\xff\xff\xff",
    b"\xdf\xff\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff",
    b"\xdb\x7f\xff\xff\xff",
    b"\xc9\xff\xff\xff\xff",
)
"""An array, map, byte string, text and extension of MessagePack that claim to go on for gigabytes."""
NESTS = (b"\x91", b"\x81\xa1a", b"\x81\xa7payload", b"\x92\xc0", b"[", b'{"a":', b"a.", b"\xd9\x20")
EXTREMES = (-1, 0, 1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63))
NOT_FINITE = (float("nan"), float("inf"), float("-inf"), 1e308, -0.0)
STRANGERS = ("", "user.99", "cloud.0", "bs.0", ".", "a.b.c", "*", ">", "\x00", "\u202e", "x" * 300, "user.0\r\n", "type")


# --- bytes ------------------------------------------------------------------------------------------------------------


def random_bytes(rng: Rng, good: Sequence[bytes]) -> bytes:
    """Noise, up to 4 KiB, mostly short."""
    return rng.bytes(int(2 ** rng.uniform(0, 12)))


def flipped_bits(rng: Rng, good: Sequence[bytes]) -> bytes:
    """Up to eight bits of a good message are changed."""
    raw = bytearray(_one(rng, good))
    for _ in range(int(rng.integers(1, 9))):
        raw[int(rng.integers(len(raw)))] ^= 1 << int(rng.integers(8))
    return bytes(raw)


def truncated(rng: Rng, good: Sequence[bytes]) -> bytes:
    """A good message, cut."""
    raw = _one(rng, good)
    return raw[: int(rng.integers(len(raw)))]


def spliced(rng: Rng, good: Sequence[bytes]) -> bytes:
    """The beginning of one good message and the end of another."""
    first, second = _one(rng, good), _one(rng, good)
    return first[: int(rng.integers(len(first)))] + second[int(rng.integers(len(second))) :]


def repeated(rng: Rng, good: Sequence[bytes]) -> bytes:
    """A piece of a good message comes many times."""
    raw = _one(rng, good)
    start = int(rng.integers(len(raw)))
    piece = raw[start : start + int(rng.integers(1, 33))]
    return raw[:start] + piece * int(rng.integers(2, 2000)) + raw[start:]


def claimed_length(rng: Rng, good: Sequence[bytes]) -> bytes:
    """Somewhere begins what claims to be gigabytes long."""
    raw = _one(rng, good)
    place = int(rng.integers(len(raw)))
    claim = LENGTHS[int(rng.integers(len(LENGTHS)))]
    return raw[:place] + claim + raw[place + len(claim) * int(rng.integers(2)) :]


def nested(rng: Rng, good: Sequence[bytes]) -> bytes:
    """Somewhere begins a nest of up to 100,000 arrays, maps or brackets."""
    raw = _one(rng, good)
    place = int(rng.integers(len(raw)))
    return raw[:place] + NESTS[int(rng.integers(len(NESTS)))] * int(10 ** rng.uniform(1, 5)) + raw[place:]


def oversized(rng: Rng, good: Sequence[bytes]) -> bytes:
    """A good message and up to a megabyte more of its own kind or of one byte."""
    raw = _one(rng, good)
    size = int(2 ** rng.uniform(10, 20))
    filler = raw * (size // len(raw) + 1) if rng.integers(2) else rng.bytes(1) * size
    return (raw + filler)[:size]


# --- trees ------------------------------------------------------------------------------------------------------------


def other_version(rng: Rng, tree: Any) -> Any:
    """The first number, or what is called a version, is another."""
    other = EXTREMES[int(rng.integers(len(EXTREMES)))]
    if isinstance(tree, dict):
        return {**tree, "version": other}
    return [other, *tree[1:]] if isinstance(tree, list) and tree else other


def not_finite(rng: Rng, tree: Any) -> Any:
    """Numbers are infinite or none; what may be an array is full of them."""

    def change(leaf: Any) -> Any:
        value = NOT_FINITE[int(rng.integers(len(NOT_FINITE)))]
        if isinstance(leaf, bytes) and leaf:
            kind = ("<f4", "<f2", "<f8")[int(rng.integers(3))]
            with np.errstate(over="ignore"):
                return np.full(-(-len(leaf) // np.dtype(kind).itemsize), value).astype(kind).tobytes()[: len(leaf)]
        return value if isinstance(leaf, float) else leaf

    return _leaves(tree, change)


def extreme_numbers(rng: Rng, tree: Any) -> Any:
    """Whole numbers are negative or enormous."""

    def change(leaf: Any) -> Any:
        hit = isinstance(leaf, int) and not isinstance(leaf, bool) and rng.integers(3) == 0
        return EXTREMES[int(rng.integers(len(EXTREMES)))] if hit else leaf

    return _leaves(tree, change)


def forged_names(rng: Rng, tree: Any) -> Any:
    """Sources, destinations and other names are somebody else's, or no names at all."""

    def change(leaf: Any) -> Any:
        hit = isinstance(leaf, str) and rng.integers(3) == 0
        return STRANGERS[int(rng.integers(len(STRANGERS)))] if hit else leaf

    return _leaves(tree, change)


def other_types(rng: Rng, tree: Any) -> Any:
    """Something is of another type."""
    others: tuple[Any, ...] = (None, True, 7, -1.5, "text", b"bytes", [], {}, [[]], {"type": "tick", "name": ""})
    return _somewhere(rng, tree, lambda _: others[int(rng.integers(len(others)))])


def missing_or_twice(rng: Rng, tree: Any) -> Any:
    """Elements are missing, come twice or are too many."""

    def change(node: Any) -> Any:
        if isinstance(node, list) and node:
            place = int(rng.integers(len(node)))
            return node[:place] + [node[place]] * int(rng.integers(0, 4)) + node[place + 1 :]
        if isinstance(node, dict) and node:
            names = list(node)
            gone = names[int(rng.integers(len(names)))]
            return {name: value for name, value in node.items() if name != gone or rng.integers(2)} | {"surprise": node[gone]}
        return [node, node]

    return _somewhere(rng, tree, change)


def giant(rng: Rng, tree: Any) -> Any:
    """Something has thousands of names, elements or letters."""
    size = int(2 ** rng.uniform(8, 15))
    giants: tuple[Callable[[Any], Any], ...] = (
        lambda old: {f"user.{n}": [n] for n in range(size)},
        lambda old: [old] * size if isinstance(old, int | float | bool) else [0] * size,
        lambda old: "x" * (8 * size),
        lambda old: bytes(8 * size),
    )
    return _somewhere(rng, tree, giants[int(rng.integers(len(giants)))])


BYTES: dict[str, Mutation] = {
    f.__name__: f for f in (random_bytes, flipped_bits, truncated, spliced, repeated, claimed_length, nested, oversized)
}
_TREES = (other_version, not_finite, extreme_numbers, forged_names, other_types, missing_or_twice, giant)


def mutations(form: Form | None) -> dict[str, Mutation]:
    """Name -> mutation: those of bytes, and of trees where messages are of a known form."""
    if form is None:
        return BYTES
    return BYTES | {change.__name__: _on_trees(change, form) for change in _TREES}


def _on_trees(change: Callable[[Rng, Any], Any], form: Form) -> Mutation:
    def mutation(rng: Rng, good: Sequence[bytes]) -> bytes:
        return form.dumps(change(rng, form.loads(_one(rng, good))))

    return mutation


def _one(rng: Rng, good: Sequence[bytes]) -> bytes:
    return good[int(rng.integers(len(good)))]


def _leaves(tree: Any, change: Callable[[Any], Any]) -> Any:
    """The tree with every leaf changed."""
    if isinstance(tree, dict):
        return {name: _leaves(value, change) for name, value in tree.items()}
    if isinstance(tree, list):
        return [_leaves(value, change) for value in tree]
    return change(tree)


def _somewhere(rng: Rng, tree: Any, change: Callable[[Any], Any]) -> Any:
    """The tree with one node changed; the way there is drawn."""
    if isinstance(tree, dict | list) and tree and rng.random() < 0.85:
        keys = list(tree) if isinstance(tree, dict) else range(len(tree))
        key = keys[int(rng.integers(len(keys)))]
        copy: Any = tree.copy()
        copy[key] = _somewhere(rng, tree[key], change)
        return copy
    return change(tree)
