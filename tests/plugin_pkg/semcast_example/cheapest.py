"""The cheapest description, and more only where it costs little."""

from dataclasses import dataclass
from typing import Annotated

from semcast.policies.protocols import Draw, PromptChoice, PromptContext


@dataclass(frozen=True)
class Parameters:
    """``extra_bits``: any other part up to this size goes along."""

    extra_bits: Annotated[int, "largest part that is added for free"] = 64


class Cheapest:
    """The cheaper of caption and boxes, and small extras."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def select(self, context: PromptContext, rng: Draw) -> PromptChoice:
        """Select by size alone."""
        core = min((c for c in context.candidates if c.name in ("caption", "boxes")), key=lambda c: c.bits)
        parts = [c.name for c in context.candidates if c is core or c.bits <= self.parameters.extra_bits]
        return PromptChoice(tuple(parts), False, f"{core.name} is cheapest with {core.bits} bits")
