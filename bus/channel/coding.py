"""How often a code block is lost: measured waterfalls (BLER over Es/N0 for every MCS and block length).

The shipped ``phy_tables.json`` was counted with Sionna by `calibrate`. Each curve is the Gaussian waterfall
BLER = Phi((middle_db - snr_db) / width_db) that fits its points best; between measured block lengths, ``middle_db`` and
log ``width_db`` are linear in the log of the length (a width that falls as length^(-1/2) is met exactly). Below a BLER of about
0.01 the value is the fit's continuation. The tables are for AWGN with known channel; fading enters through the SNR of each block.
"""

import json
import math
from bisect import bisect_right
from functools import lru_cache
from pathlib import Path

from .mcs import MCS_TABLE, SCHEMES, Code, Mcs

TABLES = Path(__file__).with_name("phy_tables.json")
"""The shipped tables."""

Waterfall = tuple[float, float]
"""(middle_db, width_db)"""


@lru_cache(maxsize=1)
def _curves() -> dict[tuple[Code, int], list[tuple[int, float, float]]]:
    """Rows (block_bits, middle_db, width_db) of each scheme, by length."""
    curves: dict[tuple[Code, int], list[tuple[int, float, float]]] = {
        (mcs.code, mcs.index): [] for schemes in SCHEMES.values() for mcs in schemes
    }
    for row in json.loads(TABLES.read_text())["curves"]:
        curves[row["code"], row["mcs"]].append((row["block_bits"], row["middle_db"], row["width_db"]))
    return {scheme: sorted(rows) for scheme, rows in curves.items()}


@lru_cache(maxsize=1 << 14)
def waterfall(mcs: Mcs, block_bits: int) -> Waterfall:
    """Middle (BLER 1/2) and width in dB of a scheme's error curve; beyond the measured lengths, that of the nearest one."""
    rows = _curves()[mcs.code, mcs.index]
    above = bisect_right([row[0] for row in rows], block_bits)
    if above == 0 or above == len(rows):
        _, middle, width = rows[min(above, len(rows) - 1)]
        return middle, width
    (k0, middle0, width0), (k1, middle1, width1) = rows[above - 1 : above + 1]
    part = math.log(block_bits / k0) / math.log(k1 / k0)
    return middle0 + part * (middle1 - middle0), width0 * (width1 / width0) ** part


def bler(mcs: Mcs, block_bits: int, snr_db: float) -> float:
    """Probability that one code block is lost.

    Args:
        mcs: Modulation and coding scheme.
        block_bits: Input length of the LDPC code, CRC included.
        snr_db: Es/N0 per complex symbol at the demapper.
    """
    middle, width = waterfall(mcs, block_bits)
    return 0.5 * math.erfc((snr_db - middle) / (width * math.sqrt(2)))


def choose_mcs(snr_db: float, block_bits: int = 1024, target_bler: float = 0.1) -> Mcs:
    """The scheme of highest spectral efficiency whose block error rate stays within the target; else the most robust one."""
    best_first = reversed(MCS_TABLE)
    return next((mcs for mcs in best_first if bler(mcs, block_bits, snr_db) <= target_bler), MCS_TABLE[0])
