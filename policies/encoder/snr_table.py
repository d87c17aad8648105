"""The classical switching table: the specialist of the highest SNR that the channel still reaches."""

from dataclasses import dataclass
from typing import Annotated

from ..protocols import CODED, CodecCard, Draw, EncoderChoice, EncoderContext


@dataclass(frozen=True)
class Parameters:
    """``margin_db`` is taken off the CSI first; ``hysteresis_db`` is the half width of the zone in which the last codec stays."""

    cbr: Annotated[float, "complex channel uses / (3 H W) to stay nearest to; 0: the lowest rate"] = 0.0
    margin_db: Annotated[float, "safety margin taken off the reported SNR"] = 0.0
    hysteresis_db: Annotated[float, "the last codec stays within this distance of a threshold"] = 1.0

    def __post_init__(self) -> None:
        if self.hysteresis_db < 0.0:
            raise ValueError(f"hysteresis_db = {self.hysteresis_db} is negative")


class SnrTable:
    """The codec trained for the highest SNR not above the reported one, with hysteresis, at one rate.

    A codec with training SNR t is entered at ``csi - margin >= t + hysteresis`` and left at ``csi - margin < t - hysteresis``,
    when it was the last one; without a last codec the threshold is t. Below all thresholds the lowest specialist is used.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def choose(self, context: EncoderContext, rng: Draw) -> EncoderChoice:
        """Choose by the table."""
        offered = [card for card in context.codecs if not card.name.startswith(CODED)] or context.codecs
        rate = min((abs(card.cbr - self.parameters.cbr), card.cbr) for card in offered)[1]
        table = sorted((card for card in offered if card.cbr == rate), key=lambda card: (card.snr_db, card.name))
        snr_db = context.csi_snr_db - self.parameters.margin_db
        last = next((card for card in table if card.name == context.last_codec), None)
        reached = [card for card in table if snr_db >= self._threshold_db(card, last)]
        best = reached[-1] if reached else table[0]
        stays = "stays at" if last is best else "goes to"
        return EncoderChoice(best.name, f"CSI {context.csi_snr_db:.1f} dB {stays} the specialist for {best.snr_db:g} dB")

    def _threshold_db(self, card: CodecCard, last: CodecCard | None) -> float:
        if last is None:
            return card.snr_db
        return card.snr_db + (-1.0 if card.snr_db <= last.snr_db else 1.0) * self.parameters.hysteresis_db
