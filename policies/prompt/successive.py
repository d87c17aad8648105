"""Successive refinement by CSI: L ordered prompts, and the better the uplink, the further up."""

from dataclasses import dataclass
from typing import Annotated

from ..protocols import Draw, PromptChoice, PromptContext
from .parts import by_name, with_core


@dataclass(frozen=True)
class Parameters:
    """Rung k (0 is the lowest) is reached at ``first_db + k * step_db`` of reported uplink SNR."""

    first_db: Annotated[float, "uplink SNR in dB from which the second rung is sent"] = 0.0
    step_db: Annotated[float, "dB from rung to rung"] = 5.0

    def __post_init__(self) -> None:
        if self.step_db <= 0.0:
            raise ValueError(f"step_db = {self.step_db} is not above 0")


class Successive:
    """L nested prompts, coarse to fine, by the state of the channel alone.

    The rungs: the cheapest description (keywords where there are any); the description that the task wants (boxes for
    ``mapping``, else the caption) with references; the other description; identifiers of what is not known yet. Each rung
    holds all before it but the keywords, which a caption or boxes make superfluous. Follows the channel-adaptive successive
    refinement that Grassucci et al. (arXiv 2401.06803) propose as an experiment; the rungs are ours. Within one prompt all
    rungs are coded together: nothing of a lower rung is sent twice.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def select(self, context: PromptContext, rng: Draw) -> PromptChoice:
        """Select the rungs that the SNR reaches."""
        offered = by_name(context)
        rungs = self._rungs(context)
        reached = 1 + sum(
            context.snr_db >= self.parameters.first_db + number * self.parameters.step_db for number in range(len(rungs) - 1)
        )
        wanted = [name for rung in rungs[:reached] for name in rung if name in offered]
        if reached > 1:
            wanted = [name for name in wanted if name != "keywords"]
        parts = with_core(wanted, context)
        return PromptChoice(parts, False, f"rung {reached} of {len(rungs)} at {context.snr_db:.1f} dB: {'+'.join(parts)}")

    def _rungs(self, context: PromptContext) -> list[tuple[str, ...]]:
        first, second = ("boxes", "caption") if context.task == "mapping" else ("caption", "boxes")
        return [("keywords",), (first, "references"), (second,), ("identifiers",)]
