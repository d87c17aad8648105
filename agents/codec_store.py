"""An edge's store of codecs: equal size everywhere, and what was longest not used makes room."""

from msgspec import Struct, field

from ..bus.errors import RunFailed


class CodecStore(Struct):
    """Codecs held, least recently used first.

    Attributes:
        capacity_bits: Size of the store.
        held: Codec name -> size in bits, in the order of their last use.
    """

    capacity_bits: int = 0
    held: dict[str, int] = field(default_factory=dict)

    def fits(self, bits: int) -> bool:
        """Whether something of this size fits without making room."""
        return sum(self.held.values()) + bits <= self.capacity_bits

    def use(self, codec: str) -> bool:
        """Mark a codec as used now; False if it is not held."""
        if codec not in self.held:
            return False
        self.held[codec] = self.held.pop(codec)
        return True

    def put(self, codec: str, bits: int) -> list[str]:
        """Take a codec in.

        Returns:
            Those that were evicted for it.

        Raises:
            RunFailed: It is larger than the whole store.
        """
        if bits > self.capacity_bits:
            raise RunFailed(
                f"codec {codec} of {bits} bits does not fit into an edge's store of {self.capacity_bits}",
                f"set knowledge.edge_storage_bits to at least {bits}",
            )
        evicted = []
        while not self.fits(bits):
            oldest = next(iter(self.held))
            del self.held[oldest]
            evicted.append(oldest)
        self.held[codec] = bits
        return evicted
