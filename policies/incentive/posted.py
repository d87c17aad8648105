"""Posted prices: take it or leave it, paid in full or not used at all."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from ..protocols import Draw, IncentiveTerms, RespondContext, Response, SettleContext, Settlement, TermsContext
from .sharing import CLAIMS, MICRO, micro_down, prices, take_it_or_leave_it


@dataclass(frozen=True)
class Parameters:
    """Weights of the kinds; ``overbook`` counts on users who decline."""

    subject: Annotated[float, "weight of a subject's pictures"] = 3.0
    preference: Annotated[float, "weight of a preference"] = 1.0
    other: Annotated[float, "weight of an item of any other kind"] = 0.5
    overbook: Annotated[float, "one item of each kind brings this many even shares of the budget"] = 1.5

    def __post_init__(self) -> None:
        if min(self.subject, self.preference, self.other, self.overbook) < 0.0:
            raise ValueError("weights and overbook must not be negative")


class Posted:
    """A price for each kind: ``overbook * budget / users``, split over the kinds by weight; the budget is split in the same way.

    Truthful, since no price depends on what a user says, and items of one kind take no budget from another: a user's items
    compete only with its own of the same kind and price, of which those that it names first are taken. Individually rational,
    since every item is either paid its price or not accepted, and users share only where price and utility cover the cost;
    within the budget. When too many share, users are served in an order drawn by key, so that names give no advantage.
    """

    claims: ClassVar[tuple[str, ...]] = CLAIMS

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def terms(self, context: TermsContext, rng: Draw) -> IncentiveTerms:
        """Publish the prices."""
        own = self.parameters
        share = own.overbook * max(0.0, context.budget) / max(1, context.users)
        weights = {"subject": own.subject, "preference": own.preference, "other": own.other}
        return IncentiveTerms("posted", prices(weights, context.kinds, share), f"{share:.3g} credits for one item of each kind")

    def respond(self, context: RespondContext, rng: Draw) -> Response:
        """Share where price and utility cover the cost."""
        return take_it_or_leave_it(context)

    def settle(self, context: SettleContext, rng: Draw) -> Settlement:
        """Accept items while their full price fits their kind's share of the budget."""
        price = {kind: micro_down(reward) for kind, reward in context.terms.rewards.items()}
        total, budget = sum(price.values()), micro_down(context.budget)
        left = {kind: budget * micro // total if total else 0 for kind, micro in price.items()}
        paid: dict[str, int] = {}
        accepted: dict[str, list[int]] = {}
        for user, kinds, _ in sorted(context.shared, key=lambda row: (rng(row[0]), row[0])):
            for index, kind in enumerate(kinds):
                if price.get(kind, 0) <= left.get(kind, 0):
                    left[kind] = left.get(kind, 0) - price.get(kind, 0)
                    paid[user] = paid.get(user, 0) + price.get(kind, 0)
                    accepted.setdefault(user, []).append(index)
        users = [user for user, _, _ in context.shared]
        items = sum(len(kinds) for _, kinds, _ in context.shared)
        return Settlement(
            tuple((user, paid.get(user, 0) / MICRO) for user in users),
            f"{sum(map(len, accepted.values()))} of {items} items fit the budget",
            tuple((user, tuple(accepted.get(user, ()))) for user in users),
        )
