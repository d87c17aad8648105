"""What a coded transfer does in the mean, by the BLER tables and without drawing anything: delivery and cost with HARQ.

A block that was heard in j attempts is lost with BLER(sum of their SNRs) (`link.TableReceiver`, chase combining). Here all blocks
of an attempt meet one gain, and another attempt a new, independent one (block Rayleigh, E|h|^2 = 1, attempts further apart than
the coherence time). The sum of j power gains is Gamma(j, 1); means over it are taken over the midpoints of `QUANTILES` equally
likely parts.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy.special import erfc, gammaincinv

from .account import feedback_symbols
from .coding import waterfall
from .mcs import Blocks

QUANTILES = 2000
Fading = Literal["awgn", "rayleigh"]


@dataclass(frozen=True)
class Expected:
    """Mean outcome of a coded transfer.

    Attributes:
        delivered: Probability that all code blocks are decoded within the attempts.
        symbols: Mean complex channel uses: data and pilots of all attempts; with more than one attempt allowed, feedback too.
    """

    delivered: float
    symbols: float


def block_loss(blocks: Blocks, snr_db: float, gains: np.ndarray, pilots: int | None = None) -> np.ndarray:
    """Probability that one code block is lost, for each sum of the power gains |h|^2 of its copies; same shape as ``gains``.

    Args:
        blocks: Scheme and length of a block.
        snr_db: Mean Es/N0 per complex symbol.
        gains: Sums of |h|^2, any shape.
        pilots: Of which the receiver estimates h (costs the factor p / (p + 1) of SNR); None: it knows h.
    """
    middle_db, width_db = waterfall(blocks.mcs, blocks.block_bits)
    factor = pilots / (pilots + 1) if pilots else 1.0
    heard_db = snr_db + 10 * np.log10(np.maximum(gains * factor, 1e-12))
    lost: np.ndarray = 0.5 * erfc((heard_db - middle_db) / (width_db * np.sqrt(2)))
    return lost


@lru_cache(maxsize=64)
def gain_sums(attempts: int, fading: Fading) -> np.ndarray:
    """Equally likely sums of the power gains of so many attempts: one value without fading, else `QUANTILES` of Gamma(j, 1)."""
    if fading == "awgn":
        return np.array([float(attempts)])
    sums: np.ndarray = gammaincinv(attempts, (np.arange(QUANTILES) + 0.5) / QUANTILES)
    return sums


def expected(
    blocks: Blocks,
    snr_db: float,
    fading: Fading = "awgn",
    attempts: int = 1,
    pilots: int | None = None,
    *,
    shared: bool = False,
) -> Expected:
    """Mean outcome of sending code blocks with up to ``attempts`` transmissions of each; only lost ones are sent again.

    Args:
        blocks: What is sent.
        snr_db: Mean Es/N0 per complex symbol.
        fading: ``awgn``: h = 1; ``rayleigh``: one gain an attempt, see above.
        attempts: At least 1; 1 is without HARQ and its feedback.
        pilots: Pilots of each code block and attempt, None: the receiver knows h.
        shared: All code blocks of an attempt share one such group, as they meet one gain.
    """
    lost = [block_loss(blocks, snr_db, gain_sums(made, fading), pilots) for made in range(1, attempts + 1)]
    delivered = float(np.mean((1 - lost[-1]) ** blocks.count))
    sent = blocks.count * (1 + sum(float(np.mean(loss)) for loss in lost[:-1]))
    groups = 1 + sum(float(np.mean(1 - (1 - loss) ** blocks.count)) for loss in lost[:-1]) if shared else sent
    symbols = sent * blocks.block_symbols + groups * (pilots or 0)
    return Expected(delivered, symbols + (sent * feedback_symbols(2) / 2 if attempts > 1 else 0.0))
