"""Coded and uncoded links held against what they should be: bit-true against the tables, counted errors against closed forms."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...bus import keys
from ...bus.channel import Mcs, bler
from ...bus.channel.bits import lost_blocks
from ...bus.channel.coding import waterfall
from ...bus.channel.expected import Fading
from ...bus.channel.mcs import MCS_BY_NAME
from ...bus.channel.uncoded import closed_form, count_errors

MARGIN = 0.05
"""Largest difference of block error rates that counts as the same."""
BER_MARGIN = 0.1
"""Largest relative difference of bit error rates that counts as the same."""
FEWEST_ERRORS = 1000
"""Expected at an SNR for each bit of a symbol, for a bit error rate to be compared there."""
Z90 = 1.6448536269514722
"""Two one-sided tests at 5 % each are a 90 % interval (Schuirmann 1987)."""
BER_SNRS_DB = (0.0, 4.0, 8.0, 12.0, 16.0, 20.0)
Plan = tuple[tuple[str, int, Fading, float], ...]
"""Scheme, block length, channel, and the share of blocks that the tables say are lost there."""
MEASURED: Plan = (
    ("QPSK 0.25", 64, "awgn", 0.5),
    ("QPSK 0.51", 256, "awgn", 0.2),
    ("QPSK 0.66", 256, "awgn", 0.3),
    ("16QAM 0.48", 1024, "awgn", 0.1),
    ("64QAM 0.55", 256, "awgn", 0.4),
    ("64QAM 0.85", 64, "awgn", 0.1),
    ("802.11n QPSK 0.50", 324, "awgn", 0.3),
    ("802.11n 16QAM 0.50", 162, "awgn", 0.15),
    ("16QAM 0.64", 256, "rayleigh", 0.3),
    ("802.11n BPSK 0.50", 324, "rayleigh", 0.2),
)
"""Ten operating points at block lengths that the tables hold; bits and noise are not those that the tables were counted with."""
BETWEEN: Plan = (
    ("QPSK 0.66", 512, "awgn", 0.3),
    ("16QAM 0.48", 600, "awgn", 0.2),
    ("802.11n QPSK 0.50", 240, "awgn", 0.2),
)
"""At lengths between, where the tables are interpolated."""


@dataclass(frozen=True)
class Point:
    """One operating point of a coded link.

    Attributes:
        mcs: Scheme.
        block_bits: Length of a block.
        fading: ``rayleigh``: each block has a gain of its own.
        snr_db: Mean Es/N0.
        blocks: How many were sent.
        real: Share of them that the bit-true link lost.
        table: Mean of what the tables say for the same gains.
        half: Half of the 90 % interval of ``real - table``.
    """

    mcs: Mcs
    block_bits: int
    fading: Fading
    snr_db: float
    blocks: int
    real: float
    table: float
    half: float

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.mcs.name}, {self.block_bits} bits, {'AWGN' if self.fading == 'awgn' else 'Rayleigh'}"

    @property
    def bound(self) -> float:
        """Largest difference that the interval holds."""
        return abs(self.real - self.table) + self.half


def point(name: str, block_bits: int, fading: Fading, share: float, blocks: int, seed: int) -> Point:
    """``blocks`` code blocks, and more where they are shorter than 256 bits, at one operating point of a plan, by one thread."""
    import torch

    torch.set_num_threads(1)
    mcs, blocks = MCS_BY_NAME[name], blocks * max(1, 256 // block_bits)
    key = (seed, "study classical", mcs.name, block_bits)
    powers = np.ones(blocks)
    if fading == "rayleigh":
        powers = np.abs(keys.complex_normal(blocks, *key, "gains")) ** 2
    snr_db = _snr_of(mcs, block_bits, fading, share)
    heard_db = snr_db + 10 * np.log10(powers)
    odds = np.array([bler(mcs, block_bits, float(snr)) for snr in heard_db])
    real = lost_blocks(mcs, block_bits, heard_db, *key)
    error = math.sqrt(max(float(np.mean(odds * (1 - odds))), 1e-6) / blocks)
    return Point(mcs, block_bits, fading, snr_db, blocks, float(real.mean()), float(odds.mean()), Z90 * error)


def _snr_of(mcs: Mcs, block_bits: int, fading: Fading, share: float) -> float:
    """SNR in dB, to 0.05, at which the tables lose a share of the blocks; over Rayleigh that of an outage at the middle."""
    if fading == "rayleigh":
        return round(waterfall(mcs, block_bits)[0] - 10 * math.log10(-math.log(1 - share)), 1)
    low, high = -20.0, 40.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if bler(mcs, block_bits, middle) > share else (low, middle)
    return round(low * 20) / 20


@dataclass(frozen=True)
class Uncoded:
    """Bit errors of one modulation at one SNR: counted among ``bits``, by the closed form, ``half`` as in `Point`, relative."""

    bits_per_symbol: int
    fading: Fading
    snr_db: float
    bits: int
    counted: float
    exact: float
    half: float

    @property
    def bound(self) -> float:
        """Largest relative difference that the 90 % interval holds."""
        return abs(self.counted / self.exact - 1) + self.half


def uncoded(symbols: int, seed: int, tell: Callable[[str], None]) -> list[Uncoded]:
    """BPSK, QPSK, 16QAM and 64QAM over AWGN and Rayleigh (a gain for each symbol)."""
    found = []
    modes: tuple[Fading, ...] = ("awgn", "rayleigh")
    for fading in modes:
        for order in (1, 2, 4, 6):
            tell(f"uncoded bit errors: {order} bits a symbol, {fading}")
            for snr_db in BER_SNRS_DB:
                exact, bits = closed_form(order, snr_db, fading), symbols * order
                wrong = count_errors(order, snr_db, symbols, fading, seed, "study classical", fading, order, round(snr_db))
                # bits of one symbol share its noise and gain: as if there were one trial a symbol, at worst
                half = Z90 * math.sqrt(1 / max(exact * bits, 1e-9)) * math.sqrt(order)
                found.append(Uncoded(order, fading, snr_db, bits, wrong / bits, exact, half))
    return found


def compared(found: list[Uncoded]) -> list[Uncoded]:
    """Those with enough expected errors to be compared."""
    return [one for one in found if one.exact * one.bits >= FEWEST_ERRORS * one.bits_per_symbol]
