"""The best expected quality among the codecs that meet a deadline and a limit of energy."""

from dataclasses import dataclass
from typing import Annotated

from msgspec.structs import replace

from ..protocols import CodecCard, Draw, EncoderChoice, EncoderContext
from .argmax_quality import ArgmaxQuality
from .argmax_quality import Parameters as Worth


@dataclass(frozen=True)
class Parameters:
    """``deadline_s`` runs from the capture of the picture to its display; ``joules`` is for one picture on its way."""

    deadline_s: Annotated[float, "latest display after the capture; 0: none"] = 0.5
    joules: Annotated[float, "most energy for encoding, sending and decoding; 0: no limit"] = 0.0
    db_per_ksymbol: Annotated[float, "price of 1000 complex symbols in dB of PSNR"] = 1.0
    risk: Annotated[float, "weight of the standard deviation of the PSNR"] = 0.0

    def __post_init__(self) -> None:
        if min(self.deadline_s, self.joules) < 0.0:
            raise ValueError("deadline_s and joules must not be negative")
        Worth(self.db_per_ksymbol, self.risk)


def latency_s(card: CodecCard, context: EncoderContext) -> float:
    """From capture to display if the air is free: waited, encoding, way to the air, symbols on the air, decoding."""
    return context.waited_s + card.encode_s + context.lead_s + card.symbols / context.symbol_rate_hz + card.decode_s


class Limited:
    """``argmax-quality`` over the codecs within the limits; if there is none, the one of fewest symbols, and it says so.

    Latency counts no queue for the processor or the air, and not the last hop to the display, which nobody knows before.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self._argmax = ArgmaxQuality(Worth(parameters.db_per_ksymbol, parameters.risk))

    def choose(self, context: EncoderContext, rng: Draw) -> EncoderChoice:
        """Choose within the limits."""
        fitting = tuple(card for card in context.codecs if self._fits(card, context))
        if fitting:
            choice = self._argmax.choose(
                context if len(fitting) == len(context.codecs) else replace(context, codecs=fitting), rng
            )
            reason = f"{len(fitting)} of {len(context.codecs)} within the limits; {choice.reason}"
            return EncoderChoice(choice.codec, reason, choice.denoise)
        cheapest = min(context.codecs, key=lambda card: (card.symbols, card.joules, card.name))
        late_s = latency_s(cheapest, context)
        reason = f"no codec is within the limits: the cheapest one, {late_s:.3f} s after the capture, {cheapest.joules:.2g} J"
        return EncoderChoice(cheapest.name, reason)

    def _fits(self, card: CodecCard, context: EncoderContext) -> bool:
        limits = self.parameters
        in_time = not limits.deadline_s or latency_s(card, context) <= limits.deadline_s
        return in_time and (not limits.joules or card.joules <= limits.joules)
