"""More parts as the semantic noise grows, like a longer code on a worse channel."""

from dataclasses import dataclass
from typing import Annotated

from ..protocols import Draw, PromptChoice, PromptContext
from .parts import by_name, with_core


@dataclass(frozen=True)
class Parameters:
    """Noise levels in [0, 1].

    With ``kb-mismatch`` and MiniLM an unknown subject counts about 0.4 ("mia/dog" is 0.60 near "dog", measured): alone in a
    picture it gives 0.4, beside three known objects 0.1. Sharing costs bits once and serves all later prompts: it begins early.
    """

    more: Annotated[float, "noise from which caption, boxes and identifiers go together"] = 0.3
    share: Annotated[float, "noise from which the uncovered subjects' KB items are shared first"] = 0.05

    def __post_init__(self) -> None:
        if self.more < 0.0 or self.share < 0.0:
            raise ValueError(f"more = {self.more} and share = {self.share} must not be negative")


class Threshold:
    """One description at low noise, all of them above ``more``; knowledge is shared first above ``share``.

    Follows "Harnessing the Power of AI-Generated Content for Semantic Communication", section V-A (more prompts at high noise)
    and III-A (share knowledge before communicating where it differs). The task decides the first part: places count in
    ``mapping``, so it takes boxes. References go along whenever the cloud has a branch: they cost a few bytes. What is shared
    comes before the prompt, which then refers to it and needs no identifiers.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def select(self, context: PromptContext, rng: Draw) -> PromptChoice:
        """Select by two thresholds; the bit budget, where there is one, drops the second description, then identifiers."""
        noise = context.noise.value
        first, second = ("boxes", "caption") if context.task == "mapping" else ("caption", "boxes")
        wanted = [first, "references"]
        share = noise >= self.parameters.share and bool(context.noise.uncovered)
        if noise >= self.parameters.more:
            wanted += [name for name in ("identifiers",) if context.noise.uncovered and not share] + [second]
        parts = with_core(self._within(wanted, context), context)
        level = "knowledge is shared" if share else "more parts" if noise >= self.parameters.more else "one description"
        return PromptChoice(parts, share, f"noise {noise:.2f}, task {context.task}: {level}, {'+'.join(parts)}")

    def _within(self, wanted: list[str], context: PromptContext) -> list[str]:
        """The wanted parts in order of need, as far as they fit the budget."""
        offered = by_name(context)
        kept: list[str] = []
        bits = 0
        for name in wanted:
            if name in offered and (not context.budget_bits or bits + offered[name].bits <= context.budget_bits):
                kept.append(name)
                bits += offered[name].bits
        return kept
