"""The modulation and coding schemes of a coded link, and how a payload is cut into LDPC code blocks.

Networks use `MCS_TABLE`, the 5G code: rates are rows of TS 38.214 Table 5.1.3.1-1 (64QAM table). Left out: rates below 1/5 (the
reference LDPC code has no such mode) and most of the rows whose spectral efficiency lies within 20 % of a neighbour's.
`WIFI_TABLE` is the code of IEEE 802.11n of n = 648 and rate 1/2, with which papers of the field compare.
"""

import math
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from ..errors import BadInput

MIN_BLOCK_BITS = 64
"""Shortest code block, CRC included; a shorter one is filled with zeros, which are charged."""
MAX_BLOCK_BITS = 3840
"""Longest code block, CRC included (base graph 2 of TS 38.212; base graph 1 would allow 8448)."""
WIFI_BLOCK_BITS = 324
"""Information bits, and parity bits, of a code word of 802.11n (n = 648, rate 1/2)."""
MODULATIONS = {1: "BPSK", 2: "QPSK", 4: "16QAM", 6: "64QAM"}
"""Bits per symbol -> name."""
Code = Literal["nr", "wifi"]
"""``nr``: LDPC of TS 38.212 with rate matching. ``wifi``: LDPC of IEEE 802.11n-2009 section 20.3.11.6, n = 648, rate 1/2."""


@dataclass(frozen=True)
class Mcs:
    """One modulation and coding scheme.

    Attributes:
        index: Place in the table of its code, ordered by spectral efficiency.
        row: Row of TS 38.214 Table 5.1.3.1-1; of 802.11n the number of the HT MCS.
        bits_per_symbol: 1, 2, 4 or 6 (Gray-labelled BPSK, QPSK, 16QAM, 64QAM of TS 38.211 section 5.1).
        rate_1024: Code rate times 1024.
        code: Of the channel.
    """

    index: int
    row: int
    bits_per_symbol: int
    rate_1024: int
    code: Code = "nr"

    @property
    def name(self) -> str:
        """For people, e.g. ``"16QAM 0.48"`` or ``"802.11n 16QAM 0.50"``."""
        standard = "802.11n " if self.code == "wifi" else ""
        return f"{standard}{MODULATIONS[self.bits_per_symbol]} {self.rate_1024 / 1024:.2f}"

    @property
    def efficiency(self) -> float:
        """Information bits per complex symbol, CRC, shortening and rounding not counted."""
        return self.bits_per_symbol * self.rate_1024 / 1024

    def symbols(self, block_bits: int) -> int:
        """Complex symbols of one code block: its coded bits, rounded up to whole symbols.

        A shorter block of 802.11n is shortened: all parity bits are sent, the zeros that fill it up are not.
        """
        if self.code == "wifi":
            return -(-(block_bits + WIFI_BLOCK_BITS) // self.bits_per_symbol)
        return -(-block_bits * 1024 // (self.rate_1024 * self.bits_per_symbol))

    def shannon_db(self, block_bits: int) -> float:
        """Least Es/N0 in dB at which the spectral efficiency of a block can be had at all."""
        efficiency = block_bits / self.symbols(block_bits) if self.code == "wifi" else self.efficiency
        return 10 * math.log10(2**efficiency - 1)


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
WIFI_TABLE = tuple(Mcs(index, *row, "wifi") for index, row in enumerate(((0, 1, 512), (1, 2, 512), (3, 4, 512))))
"""The MCSs of 802.11n of one stream and rate 1/2 (section 20.6, Table 20-30). Left out: its other rates and code lengths."""
SCHEMES: dict[Code, tuple[Mcs, ...]] = {"nr": MCS_TABLE, "wifi": WIFI_TABLE}
"""All schemes of each code."""
MCS_BY_NAME = {mcs.name: mcs for schemes in SCHEMES.values() for mcs in schemes}
"""Name, such as ``"16QAM 0.48"`` or ``"802.11n 16QAM 0.50"`` -> scheme."""


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

    @property
    def checksum_bits(self) -> int:
        """Length of each block's own checksum; none where the block is alone, or its parity checks tell (802.11n)."""
        return 24 if self.count > 1 and self.mcs.code == "nr" else 0


def crc_bits(payload_bits: int) -> int:
    """Length of the transport block checksum: 16, or 24 above 3824 bits (TS 38.212 section 6.2.1)."""
    return 16 if payload_bits <= 3824 else 24


def segment(payload_bits: int, mcs: Mcs) -> Blocks:
    """Cut a payload into code blocks.

    The transport block gets 16 or 24 checksum bits (of 802.11n too, in place of its frame's 32). 5G (TS 38.212 section
    5.2.2): where it does not fit into one code block of `MAX_BLOCK_BITS`, it is cut and every code block gets 24 more. 802.11n
    (section 20.3.11.6.5): it is cut into equal blocks of at most `WIFI_BLOCK_BITS`.

    Raises:
        BadInput: If ``payload_bits`` is below 1.
    """
    if payload_bits < 1:
        raise BadInput(f"a coded transfer needs at least 1 payload bit, not {payload_bits}", "send nothing instead")
    total = payload_bits + crc_bits(payload_bits)
    if mcs.code == "wifi":
        count = -(-total // WIFI_BLOCK_BITS)
        return Blocks(payload_bits, max(-(-total // count), MIN_BLOCK_BITS), count, mcs)
    if total <= MAX_BLOCK_BITS:
        return Blocks(payload_bits, max(total, MIN_BLOCK_BITS), 1, mcs)
    count = -(-total // (MAX_BLOCK_BITS - 24))
    return Blocks(payload_bits, -(-total // count) + 24, count, mcs)


def largest_payload_bits(complex_symbols: int, mcs: Mcs, beside: int = 0) -> int:
    """Most payload bits whose code blocks, sent once, take no more than a number of complex symbols; 0 if none fits.

    Args:
        complex_symbols: The budget.
        mcs: Scheme.
        beside: Symbols that each code block takes besides its own (feedback, pilots), paid from the same budget.
    """
    low, high = 0, complex_symbols * mcs.bits_per_symbol  # `low` fits, and no code has a rate above 1
    while low < high:
        middle = (low + high + 1) // 2
        blocks = segment(middle, mcs)
        if blocks.complex_symbols + blocks.count * beside <= complex_symbols:
            low = middle
        else:
            high = middle - 1
    return low
