"""The codec with the best expected quality after its price in symbols."""

from dataclasses import dataclass
from math import fsum, sqrt
from typing import Annotated

from ..protocols import CodecCard, Draw, EncoderChoice, EncoderContext
from .fading import snr_now
from .worth import predicted_psnr_db


@dataclass(frozen=True)
class Parameters:
    """``db_per_ksymbol`` trades quality for air; ``risk`` dislikes spread, 0 is neutral."""

    db_per_ksymbol: Annotated[float, "price of 1000 complex symbols in dB of PSNR"] = 1.0
    risk: Annotated[float, "weight of the standard deviation of the PSNR"] = 0.0

    def __post_init__(self) -> None:
        if self.db_per_ksymbol < 0.0 or self.risk < 0.0:
            raise ValueError("db_per_ksymbol and risk must not be negative")


class ArgmaxQuality:
    """Argmax of ``E[PSNR] - risk std[PSNR] - price symbols``, over what the report says about the SNR now.

    The expectation runs over the CSI's error and its ageing (``fading.snr_now``), so a stale report near the edge of a codec's
    cliff counts the outages. PSNR is the codec's own, against what enters it. A codec without a table counts as 0 dB.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def choose(self, context: EncoderContext, rng: Draw) -> EncoderChoice:
        """Choose by expected worth; on a tie fewer symbols, then the name."""
        snrs = snr_now(context.csi_snr_db, context.csi_std_db, context.csi_age_s, context.doppler_hz, context.mean_snr_db)
        rated = [(*self._worth(card, snrs), card) for card in context.codecs]
        worth, mean, best = max(rated, key=lambda row: (row[0], -row[2].symbols, row[2].name))
        reason = f"{mean:.2f} dB expected for {best.symbols} symbols at CSI {context.csi_snr_db:.1f} dB: worth {worth:.2f} dB"
        return EncoderChoice(best.name, reason)

    def _worth(self, card: CodecCard, snrs: list[tuple[float, float]]) -> tuple[float, float]:
        """(worth, expected PSNR) of one codec, both in dB."""
        if not card.psnr_db:
            return -self.parameters.db_per_ksymbol * card.symbols / 1000.0, 0.0
        psnrs = [(predicted_psnr_db(card, snr_db), weight) for snr_db, weight in snrs]
        mean = fsum(psnr * weight for psnr, weight in psnrs)
        spread = sqrt(fsum(weight * (psnr - mean) ** 2 for psnr, weight in psnrs))
        return mean - self.parameters.risk * spread - self.parameters.db_per_ksymbol * card.symbols / 1000.0, mean
