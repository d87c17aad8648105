"""Baseline: the same parts in every prompt."""

from dataclasses import dataclass
from typing import Annotated

from ..protocols import Draw, PromptChoice, PromptContext
from .parts import with_core

KNOWN = ("keywords", "caption", "boxes", "references", "identifiers", "meals", "details")
"""Parts of pictures' prompts; of texts' ``keywords``, ``meals`` and ``details``."""


@dataclass(frozen=True)
class Parameters:
    """``parts``: names joined by ``+``, or ``all``; those that a picture or text does not have are left out."""

    parts: Annotated[str, "parts joined by +, or all"] = "caption"
    share: Annotated[bool, "share knowledge first whenever something is not covered"] = False

    def __post_init__(self) -> None:
        wrong = [name for name in self.parts.split("+") if name not in KNOWN and self.parts != "all"]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no part; parts are {', '.join(KNOWN)}, joined by +, or all")


class FixedPrompt:
    """Baseline: a fixed set of parts, whatever the noise and the channel."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def select(self, context: PromptContext, rng: Draw) -> PromptChoice:
        """Select the fixed parts that are there."""
        wanted = KNOWN if self.parameters.parts == "all" else self.parameters.parts.split("+")
        parts = with_core([candidate.name for candidate in context.candidates if candidate.name in wanted], context)
        return PromptChoice(parts, self.parameters.share and bool(context.noise.uncovered), "fixed: " + "+".join(parts))
