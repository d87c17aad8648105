"""Bits in a row: most significant first, packed into bytes."""

from ..bus.errors import BadInput


class BitWriter:
    """Collects bits."""

    def __init__(self) -> None:
        self._whole = bytearray()
        self._rest = 0
        self.length = 0
        """Bits written so far."""

    def write(self, value: int, bits: int) -> None:
        """Append ``value`` as an unsigned number of ``bits`` bits.

        Raises:
            BadInput: The value does not fit.
        """
        if not 0 <= value < 1 << bits:
            raise BadInput(f"{value} does not fit into {bits} bits", "fewer users, subjects or boxes, or a wider field")
        self._rest = self._rest << bits | value
        self.length += bits
        over = self.length - 8 * len(self._whole)
        if over >= 1024:  # numbers stay short: shifting a long one takes time in proportion to its length
            self._whole += (self._rest >> over % 8).to_bytes(over // 8, "big")
            self._rest &= (1 << over % 8) - 1

    def write_bytes(self, raw: bytes) -> None:
        """Append whole bytes."""
        self.write(int.from_bytes(raw, "big"), 8 * len(raw))

    def bytes(self) -> bytes:
        """All bits, the last byte filled with zeros."""
        over = self.length - 8 * len(self._whole)
        size = -(-over // 8)
        return bytes(self._whole) + (self._rest << 8 * size - over).to_bytes(size, "big")


class BitReader:
    """Takes them back."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._taken = 0

    def read(self, bits: int) -> int:
        """The next ``bits`` bits as an unsigned number.

        Raises:
            BadInput: There are not so many left.
        """
        left = 8 * len(self._raw) - self._taken
        if bits > left:
            raise BadInput(f"{bits} bits wanted and {left} left", "the bytes were cut off")
        first, self._taken = self._taken, self._taken + bits
        value = int.from_bytes(self._raw[first // 8 : -(-self._taken // 8)], "big")
        return value >> -self._taken % 8 & (1 << bits) - 1

    def read_bytes(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        return self.read(8 * size).to_bytes(size, "big")
