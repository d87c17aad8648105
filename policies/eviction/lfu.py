"""What was used least often makes room."""

from ..protocols import Draw, Eviction, EvictionContext
from .lru import until_room


class Lfu:
    """The least often used ones since they came, until there is room; on a tie the least recently used."""

    def evict(self, context: EvictionContext, rng: Draw) -> Eviction:
        """Evict by the number of uses; the sort keeps the order of last use among equals."""
        gone = until_room(sorted(context.held, key=lambda codec: codec.uses), context.room_bits)
        return Eviction(tuple(codec.name for codec in gone), f"used {gone[0].uses} times" if gone else "there is room")
