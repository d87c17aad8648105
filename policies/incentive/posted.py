"""Posted prices: take it or leave it, paid in full or not used at all."""

from dataclasses import dataclass
from typing import Annotated

from ..protocols import Draw, IncentiveTerms, RespondContext, Response, SettleContext, Settlement, TermsContext
from .sharing import MICRO, micro_down, prices, take_it_or_leave_it


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
    """A price for each kind: ``overbook * budget / users``, split over the kinds by weight.

    Truthful, since no price depends on what a user says; individually rational, since every item is either paid its price or
    not accepted, and users share only where price and utility cover the cost; within the budget. When too many share, users
    are served in an order drawn by key, so that names give no advantage.
    """

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
        """Accept items while their full price fits the budget."""
        left = micro_down(context.budget)
        paid: dict[str, int] = {}
        accepted: dict[str, list[int]] = {}
        order = sorted(context.shared, key=lambda row: (rng(row[0]), row[0]))
        for user, kinds, _ in order:
            for index, kind in enumerate(kinds):
                price = micro_down(context.terms.rewards.get(kind, 0.0))
                if price <= left:
                    left -= price
                    paid[user] = paid.get(user, 0) + price
                    accepted.setdefault(user, []).append(index)
        users = [user for user, _, _ in context.shared]
        items = sum(len(kinds) for _, kinds, _ in context.shared)
        return Settlement(
            tuple((user, paid.get(user, 0) / MICRO) for user in users),
            f"{sum(map(len, accepted.values()))} of {items} items fit the budget",
            tuple((user, tuple(accepted.get(user, ()))) for user in users),
        )
