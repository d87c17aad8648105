"""Baseline: the same score for each item."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from ..protocols import Draw, IncentiveTerms, RespondContext, Response, SettleContext, Settlement, TermsContext
from .sharing import MICRO, TRUTHFUL_ASKING, WITHIN_BUDGET, micro_down, take_it_or_leave_it


@dataclass(frozen=True)
class Parameters:
    """``credits``: the score of one item."""

    credits: Annotated[float, "credits an item, of whatever kind"] = 0.5

    def __post_init__(self) -> None:
        if self.credits < 0.0:
            raise ValueError(f"credits = {self.credits} is negative")


class Flat:
    """Baseline: one score an item for all kinds; if the budget is too small, everybody gets equally less.

    Simple and fair by head count, but blind to what an item is worth or costs; and users who trusted the published score
    may end below their cost when the budget runs out (``posted`` mends that).
    """

    claims: ClassVar[tuple[str, ...]] = (WITHIN_BUDGET, TRUTHFUL_ASKING)

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def terms(self, context: TermsContext, rng: Draw) -> IncentiveTerms:
        """Publish one score for every kind."""
        return IncentiveTerms(
            "flat", dict.fromkeys(context.kinds, self.parameters.credits), f"{self.parameters.credits:g} an item"
        )

    def respond(self, context: RespondContext, rng: Draw) -> Response:
        """Share where score and utility cover the cost."""
        return take_it_or_leave_it(context)

    def settle(self, context: SettleContext, rng: Draw) -> Settlement:
        """Pay the score for each item of a published kind, or less so that it fits the budget."""
        items = [sum(kind in context.terms.rewards for kind in kinds) for _, kinds, _ in context.shared]
        promised = max((micro_down(reward) for reward in context.terms.rewards.values()), default=0)
        each = min(promised, micro_down(context.budget) // max(1, sum(items)))
        payments = tuple((user, n * each / MICRO) for (user, _, _), n in zip(context.shared, items, strict=True))
        return Settlement(payments, f"{each / MICRO:g} for each of {sum(items)} items")
