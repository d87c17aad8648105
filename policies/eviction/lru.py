"""Baseline: what was longest not used makes room."""

from collections.abc import Iterable

from ..protocols import Draw, Eviction, EvictionContext, StoredCodec


def until_room(order: Iterable[StoredCodec], room_bits: int) -> list[StoredCodec]:
    """The first of an order whose sizes add up to the room that is needed."""
    gone, freed = [], 0
    for codec in order:
        if freed >= room_bits:
            break
        gone.append(codec)
        freed += codec.bits
    return gone


class Lru:
    """Baseline: the least recently used ones, until there is room."""

    def evict(self, context: EvictionContext, rng: Draw) -> Eviction:
        """Evict in the order of last use."""
        gone = until_room(context.held, context.room_bits)
        return Eviction(tuple(codec.name for codec in gone), f"not used for {gone[0].idle_s:.3g} s" if gone else "there is room")
