"""What is cheap to get again for its size, and seldom used, makes room."""

from ..protocols import Draw, Eviction, EvictionContext, StoredCodec
from .lru import until_room


def value(codec: StoredCodec) -> float:
    """``level + uses fetch_s / Mbit``; a codec that came and was not used yet counts as used once."""
    return codec.level + max(codec.uses, 1) * codec.fetch_s / (codec.bits / 1e6)


class GreedyDual:
    """Greedy-Dual-Size with frequency (Cherkasova 1998; Cao and Irani 1997): those of least value, until there is room.

    Value ``H = L + F C / S``: F uses since it came, C seconds to fetch it again, S its size in Mbit, and L the store's level at
    its last use. The level rises to the highest value evicted, so that what is not used any more ages against what comes.
    """

    def evict(self, context: EvictionContext, rng: Draw) -> Eviction:
        """Evict by value; on a tie the least recently used."""
        gone = until_room(sorted(context.held, key=value), context.room_bits)
        level = max([context.level, *map(value, gone)])
        return Eviction(tuple(codec.name for codec in gone), f"of least value; the level is {level:.3g} s/Mbit", level)
