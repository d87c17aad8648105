"""What a codec is worth at an SNR: the quality that its card predicts, less the price of its symbols."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from operator import mul
from typing import Annotated

from ..protocols import CodecCard, EncoderContext
from .fading import quantile_db, snr_now

Points = list[tuple[float, float]]
"""(SNR in dB, probability)."""


DENOISE_BELOW_DB = 10.0
"""SNR below which denoising features gains."""


@dataclass(frozen=True)
class Price:
    """``db_per_ksymbol`` trades quality for air."""

    db_per_ksymbol: Annotated[float, "price of 1000 complex symbols in dB of PSNR"] = 1.0

    def __post_init__(self) -> None:
        if self.db_per_ksymbol < 0.0:
            raise ValueError("db_per_ksymbol must not be negative")


def price_db(card: CodecCard, db_per_ksymbol: float) -> float:
    """Price of a picture's complex symbols in dB of PSNR."""
    return db_per_ksymbol * card.symbols / 1000.0


def predicted_psnr_db(card: CodecCard, snr_db: float) -> float:
    """Linear interpolation in the card's table; beyond its ends the value there; 0 dB without a table."""
    table = card.psnr_db
    right = bisect_right(table, snr_db, key=lambda point: point[0])
    if right == 0 or right == len(table):
        return table[0 if right == 0 else -1][1] if table else 0.0
    (low, psnr_low), (high, psnr_high) = table[right - 1], table[right]
    return psnr_low + (psnr_high - psnr_low) * (snr_db - low) / (high - low)


def rank(worth: float, card: CodecCard) -> tuple[float, int, str]:
    """Order of choices: by worth; on a tie fewer symbols, then the name."""
    return worth, -card.symbols, card.name


class Outlook:
    """What a context's CSI says about the SNR when the first symbol of each codec is on the air, and of its PSNR then.

    CSI ages from its measurement over the decision and the codec's encoding to the air: ``csi_age_s + lead_s + encode_s``.
    Codecs whose ages differ by less than `SAME` of a Doppler period share one distribution, that of the first asked for.
    """

    SAME = 1.0 / 64.0

    def __init__(self, context: EncoderContext) -> None:
        self.context = context
        self._points: dict[int, Points] = {}
        self._weights: dict[tuple[int, tuple[float, ...]], list[float]] = {}
        self._quantiles: dict[tuple[int, float], float] = {}

    def points(self, card: CodecCard) -> Points:
        """Distribution of the SNR for a codec."""
        return self._of(self._slot(card), card)

    def expected_psnr_db(self, card: CodecCard) -> float:
        """Mean of the predicted PSNR; 0 dB without a table."""
        if not card.psnr_db:
            return 0.0
        grid, psnrs = _columns(card.psnr_db)
        slot = self._slot(card)
        weights = self._weights.get((slot, grid))
        if weights is None:
            weights = self._weights[slot, grid] = hat_weights(grid, self._of(slot, card))
        return float(sum(map(mul, weights, psnrs)))

    def quantile_db(self, card: CodecCard, probability: float) -> float:
        """The SNR that is not reached with a probability."""
        key = (self._slot(card), probability)
        found = self._quantiles.get(key)
        if found is None:
            found = self._quantiles[key] = quantile_db(self.points(card), probability)
        return found

    def spread_db(self, card: CodecCard) -> float:
        """Standard deviation of the predicted PSNR."""
        mean = self.expected_psnr_db(card)
        return sqrt(sum(weight * (predicted_psnr_db(card, snr_db) - mean) ** 2 for snr_db, weight in self.points(card)))

    def _slot(self, card: CodecCard) -> int:
        return int(card.encode_s * self.context.doppler_hz / self.SAME)

    def _of(self, slot: int, card: CodecCard) -> Points:
        found = self._points.get(slot)
        if found is None:
            known = self.context
            age_s = known.csi_age_s + known.lead_s + card.encode_s
            found = snr_now(known.csi_snr_db, known.csi_std_db, age_s, known.doppler_hz, known.mean_snr_db)
            self._points[slot] = found
        return found


@lru_cache(maxsize=256)
def _columns(table: tuple[tuple[float, float], ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The SNRs and the PSNRs of a card's table."""
    return tuple(snr_db for snr_db, _ in table), tuple(psnr_db for _, psnr_db in table)


def hat_weights(grid: tuple[float, ...], points: Iterable[tuple[float, float]]) -> list[float]:
    """Weights of the grid's values in the expectation, over the points, of what is linear between them and flat outside."""
    weights, end = [0.0] * len(grid), len(grid)
    for snr_db, weight in points:
        right = bisect_right(grid, snr_db)
        if right == 0:
            weights[0] += weight
        elif right == end:
            weights[-1] += weight
        else:
            low = grid[right - 1]
            part = weight * (snr_db - low) / (grid[right] - low)
            weights[right] += part
            weights[right - 1] += weight - part
    return weights
