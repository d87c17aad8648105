"""An edge's store of codecs: what is held, how it was used, and room for what comes, made as the eviction policy says."""

from collections.abc import Callable, Iterable

from msgspec import Struct, field

from ..bus.clock import SECOND
from ..bus.errors import RunFailed
from ..policies.protocols import EvictionContext, StoredCodec


class Held(Struct):
    """One codec that is held: its size, uses since it came, last use (or coming), and the store's level then."""

    bits: int
    uses: int = 0
    last_ns: int = 0
    level: float = 0.0


class CodecStore(Struct):
    """Codecs held, least recently used first.

    Attributes:
        capacity_bits: Size of the store.
        held: Codec name -> what is known of it, in the order of their last use.
        level: Kept for the eviction policy (see ``Eviction.level``).
    """

    capacity_bits: int = 0
    held: dict[str, Held] = field(default_factory=dict)
    level: float = 0.0

    @property
    def used_bits(self) -> int:
        """Sum of the sizes held."""
        return sum(codec.bits for codec in self.held.values())

    def fits(self, bits: int) -> bool:
        """Whether something of this size fits without making room."""
        return self.used_bits + bits <= self.capacity_bits

    def use(self, name: str, now_ns: int) -> bool:
        """Mark a codec as used now; False if it is not held."""
        codec = self.held.pop(name, None)
        if codec is None:
            return False
        codec.uses, codec.last_ns, codec.level = codec.uses + 1, now_ns, self.level
        self.held[name] = codec
        return True

    def question(self, name: str, bits: int, now_ns: int, fetch_s: Callable[[int], float]) -> EvictionContext:
        """What an eviction policy is asked when a codec comes.

        Args:
            name: The codec.
            bits: Its size.
            now_ns: Now.
            fetch_s: Time to fetch something of a size in bits.

        Raises:
            RunFailed: It is larger than the whole store.
        """
        if bits > self.capacity_bits:
            raise RunFailed(
                f"codec {name} of {bits} bits does not fit into an edge's store of {self.capacity_bits}",
                f"set knowledge.edge_storage_bits to at least {bits}",
            )
        held = tuple(
            StoredCodec(each, codec.bits, codec.uses, (now_ns - codec.last_ns) / SECOND, fetch_s(codec.bits), codec.level)
            for each, codec in self.held.items()
        )
        return EvictionContext(held, name, self.used_bits + bits - self.capacity_bits, self.level)

    def evict(self, names: Iterable[str], level: float) -> None:
        """Remove codecs."""
        for name in names:
            del self.held[name]
        self.level = level

    def put(self, name: str, bits: int, now_ns: int) -> None:
        """Take a codec in, for which there is room."""
        self.held[name] = Held(bits, last_ns=now_ns, level=self.level)
