"""The codec with the best expected quality after its price in symbols."""

from dataclasses import dataclass
from typing import Annotated

from ..protocols import CodecCard, Draw, EncoderChoice, EncoderContext
from .worth import DENOISE_BELOW_DB, Outlook, price_db, rank


@dataclass(frozen=True)
class Parameters:
    """``db_per_ksymbol`` trades quality for air; ``risk`` dislikes spread, 0 is neutral.

    Where receivers can denoise, they do below ``denoise_below_db``: it takes 56 % of the features' error at 0 dB, none at 15.
    """

    db_per_ksymbol: Annotated[float, "price of 1000 complex symbols in dB of PSNR"] = 1.0
    risk: Annotated[float, "weight of the standard deviation of the PSNR"] = 0.0
    denoise_below_db: Annotated[float, "reported SNR below which the receiver denoises, where it can"] = DENOISE_BELOW_DB

    def __post_init__(self) -> None:
        if self.db_per_ksymbol < 0.0 or self.risk < 0.0:
            raise ValueError("db_per_ksymbol and risk must not be negative")


class ArgmaxQuality:
    """Argmax of ``E[PSNR] - risk std[PSNR] - price symbols``, over what the report says about the SNR on the air.

    The expectation runs over the CSI's error and its ageing until the first symbol goes out (``worth.Outlook``), so a stale
    report near the edge of a codec's cliff counts the outages. PSNR is the codec's own, against what enters it. A codec
    without a table counts as 0 dB.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def choose(self, context: EncoderContext, rng: Draw) -> EncoderChoice:
        """Choose by expected worth; on a tie fewer symbols, then the name."""
        outlook = Outlook(context)
        worth, best = max([(self._worth(card, outlook), card) for card in context.codecs], key=lambda row: rank(*row))
        reason = f"worth {worth:.2f} dB with {best.symbols} symbols at CSI {context.csi_snr_db:.1f} dB"
        denoise = not context.denoiser or context.csi_snr_db < self.parameters.denoise_below_db
        return EncoderChoice(best.name, reason, denoise)

    def _worth(self, card: CodecCard, outlook: Outlook) -> float:
        worth = outlook.expected_psnr_db(card) - price_db(card, self.parameters.db_per_ksymbol)
        return worth - self.parameters.risk * outlook.spread_db(card) if self.parameters.risk else worth
