"""The codec for the SNR that the channel will hardly fall below: a margin that grows with the age of the CSI."""

from dataclasses import dataclass
from typing import Annotated

from ..protocols import Draw, EncoderChoice, EncoderContext
from .worth import Outlook, predicted_psnr_db, price_db, rank


@dataclass(frozen=True)
class Parameters:
    """``probability`` of an outage: that the SNR on the air is below the one that the codec is chosen for."""

    probability: Annotated[float, "accepted probability of an outage"] = 0.1
    db_per_ksymbol: Annotated[float, "price of 1000 complex symbols in dB of PSNR"] = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.probability < 1.0 or self.db_per_ksymbol < 0.0:
            raise ValueError("probability must be in (0, 1), and db_per_ksymbol not negative")


class Outage:
    """Argmax of ``PSNR(gamma) - price symbols`` at the outage SNR gamma: ``P(SNR on the air < gamma) = probability``.

    The distribution is that of ``fading.snr_now`` (the report's error, its age up to the first symbol, Doppler), so gamma is the
    report itself less a margin: none for a fresh exact one, ``-10 log10(-ln(1 - probability))`` dB below the mean for one that
    tells nothing of Rayleigh fading any more. The quality reached is at least the predicted one with probability
    ``1 - probability``, as in outage capacity (Ozarow, Shamai and Wyner 1994).
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def choose(self, context: EncoderContext, rng: Draw) -> EncoderChoice:
        """Choose at the outage SNR; on a tie fewer symbols, then the name."""
        outlook = Outlook(context)
        rated = []
        for card in context.codecs:
            snr_db = outlook.quantile_db(card, self.parameters.probability)
            rated.append((predicted_psnr_db(card, snr_db) - price_db(card, self.parameters.db_per_ksymbol), card, snr_db))
        worth, best, snr_db = max(rated, key=lambda row: rank(row[0], row[1]))
        margin_db = context.csi_snr_db - snr_db
        return EncoderChoice(
            best.name, f"CSI {context.csi_snr_db:.1f} dB less a margin of {margin_db:.1f} dB: worth {worth:.2f} dB"
        )
