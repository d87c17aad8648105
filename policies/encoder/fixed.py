"""Baseline: one codec, whatever the channel."""

from dataclasses import dataclass
from typing import Annotated

from ..protocols import Draw, EncoderChoice, EncoderContext


@dataclass(frozen=True)
class Parameters:
    """``codec`` by name; where it is empty or not held, the codec nearest to ``cbr`` and then to ``snr_db``."""

    codec: Annotated[str, "name of a codec"] = ""
    snr_db: Annotated[float, "else: SNR in dB that the codec was trained for"] = 7.0
    cbr: Annotated[float, "else: its complex channel uses / (3 H W); 0: the lowest rate"] = 0.0


class FixedEncoder:
    """Baseline: always the same codec."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def choose(self, context: EncoderContext, rng: Draw) -> EncoderChoice:
        """Choose without looking at the CSI."""
        wanted = self.parameters
        if any(card.name == wanted.codec for card in context.codecs):
            return EncoderChoice(wanted.codec, "fixed by name")
        best = min(context.codecs, key=lambda card: (abs(card.cbr - wanted.cbr), abs(card.snr_db - wanted.snr_db), card.name))
        return EncoderChoice(best.name, f"fixed: trained for {best.snr_db:g} dB at CBR {best.cbr:.4g}")
