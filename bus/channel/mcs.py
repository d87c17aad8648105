"""The modulation and coding schemes of a coded link, and how a payload is cut into LDPC code blocks.

Rates are rows of TS 38.214 Table 5.1.3.1-1 (64QAM table). Left out: rates below 1/5 (the reference LDPC code has no such
mode) and most of the rows whose spectral efficiency lies within 20 % of a neighbour's.
"""

from dataclasses import dataclass

from msgspec import Struct

from ..errors import BadInput

MIN_BLOCK_BITS = 64
"""Shortest code block, CRC included; a shorter one is filled with zeros, which are charged."""
MAX_BLOCK_BITS = 3840
"""Longest code block, CRC included (base graph 2 of TS 38.212; base graph 1 would allow 8448)."""


@dataclass(frozen=True)
class Mcs:
    """One modulation and coding scheme.

    Attributes:
        index: Place in `MCS_TABLE`, ordered by spectral efficiency.
        row: Row of TS 38.214 Table 5.1.3.1-1.
        bits_per_symbol: 2, 4 or 6 (Gray-labelled QPSK, 16QAM, 64QAM of TS 38.211 section 5.1).
        rate_1024: Code rate times 1024.
    """

    index: int
    row: int
    bits_per_symbol: int
    rate_1024: int

    @property
    def name(self) -> str:
        """For people, e.g. ``"16QAM 0.48"``."""
        return f"{ {2: 'QPSK', 4: '16QAM', 6: '64QAM'}[self.bits_per_symbol] } {self.rate_1024 / 1024:.2f}"

    @property
    def efficiency(self) -> float:
        """Information bits per complex symbol, CRC and rounding not counted."""
        return self.bits_per_symbol * self.rate_1024 / 1024

    def symbols(self, block_bits: int) -> int:
        """Complex symbols of one code block: its coded bits, rounded up to whole symbols."""
        return -(-block_bits * 1024 // (self.rate_1024 * self.bits_per_symbol))


_ROWS = (
    (3, 2, 251),
    (5, 2, 379),
    (7, 2, 526),
    (9, 2, 679),
    (13, 4, 490),
    (16, 4, 658),
    (20, 6, 567),
    (22, 6, 666),
    (24, 6, 772),
    (26, 6, 873),
)
MCS_TABLE = tuple(Mcs(index, *row) for index, row in enumerate(_ROWS))
MCS_BY_NAME = {mcs.name: mcs for mcs in MCS_TABLE}
"""Name, such as ``"16QAM 0.48"`` -> scheme."""


class Blocks(Struct, frozen=True):
    """How a payload is laid into code blocks.

    Attributes:
        payload_bits: What the caller wants delivered.
        block_bits: Input length of each (equally long) LDPC block: payload share, checksums and zero filling.
        count: Number of code blocks.
        mcs: The scheme they are sent with.
    """

    payload_bits: int
    block_bits: int
    count: int
    mcs: Mcs

    @property
    def block_symbols(self) -> int:
        """Complex symbols of one code block."""
        return self.mcs.symbols(self.block_bits)

    @property
    def coded_bits(self) -> int:
        """Coded bits of all blocks, sent once."""
        return self.count * self.block_symbols * self.mcs.bits_per_symbol

    @property
    def complex_symbols(self) -> int:
        """Complex symbols of all blocks, sent once; pilots not included."""
        return self.count * self.block_symbols


def crc_bits(payload_bits: int) -> int:
    """Length of the transport block checksum: 16, or 24 above 3824 bits (TS 38.212 section 6.2.1)."""
    return 16 if payload_bits <= 3824 else 24


def segment(payload_bits: int, mcs: Mcs) -> Blocks:
    """Cut a payload into code blocks, as TS 38.212 section 5.2.2 does.

    The transport block gets 16 or 24 checksum bits; where it does not fit into one code block of `MAX_BLOCK_BITS`, it
    is cut and every code block gets 24 more.

    Raises:
        BadInput: If ``payload_bits`` is below 1.
    """
    if payload_bits < 1:
        raise BadInput(f"a coded transfer needs at least 1 payload bit, not {payload_bits}", "send nothing instead")
    total = payload_bits + crc_bits(payload_bits)
    if total <= MAX_BLOCK_BITS:
        return Blocks(payload_bits, max(total, MIN_BLOCK_BITS), 1, mcs)
    count = -(-total // (MAX_BLOCK_BITS - 24))
    return Blocks(payload_bits, -(-total // count) + 24, count, mcs)


def largest_payload_bits(complex_symbols: int, mcs: Mcs) -> int:
    """Most payload bits whose code blocks, sent once, take no more than a number of complex symbols; 0 if none fits."""
    low, high = 0, complex_symbols * mcs.bits_per_symbol  # `low` fits, and no code has a rate above 1
    while low < high:
        middle = (low + high + 1) // 2
        if segment(middle, mcs).complex_symbols <= complex_symbols:
            low = middle
        else:
            high = middle - 1
    return low
