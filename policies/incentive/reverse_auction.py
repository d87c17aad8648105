"""A reverse auction: users bid what they want for what they share; the cloud buys the best value within its budget."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, ClassVar

from ..protocols import Draw, IncentiveTerms, RespondContext, Response, SettleContext, Settlement, TermsContext
from .sharing import MICRO, RATIONAL, TRUTHFUL_ASKING, WITHIN_BUDGET, micro_down, micro_up, net_cost, prices


@dataclass(frozen=True)
class Parameters:
    """Weights say what an item is worth to the cloud; ``reserve`` bounds what it pays for worth."""

    subject: Annotated[float, "worth of a subject's pictures"] = 3.0
    preference: Annotated[float, "worth of a preference"] = 1.0
    other: Annotated[float, "worth of an item of any other kind"] = 0.5
    reserve: Annotated[float, "most paid for one item of each kind, in even shares of the budget"] = 4.0

    def __post_init__(self) -> None:
        if min(self.subject, self.preference, self.other, self.reserve) < 0.0:
            raise ValueError("weights and reserve must not be negative")


Bid = tuple[int, int]
"""(asked, value), both in micro-credits; ``value`` above 0. A bidder's place in the list breaks ties."""


def winners(bids: list[Bid], budget: int) -> list[int]:
    """Indices of the winners of the proportional-share rule, cheapest per value first.

    In order of ``asked / value``, bidder k wins while ``asked_k <= budget value_k / (value_1 + ... + value_k)`` and
    ``asked_k <= value_k`` (the reserve).
    """
    won: list[int] = []
    total = 0
    for k in sorted(range(len(bids)), key=lambda k: (Fraction(*bids[k]), k)):
        asked, value = bids[k]
        total += value
        if asked * total > budget * value or asked > value:
            break
        won.append(k)
    return won


def threshold(bids: list[Bid], k: int, budget: int) -> int:
    """The highest bid with which winner ``k`` would still win, in micro-credits: what it is paid.

    ``max_j min(asked_j value_k / value_j, budget value_k / (value_1 + ... + value_j-1 + value_k), value_k)`` over the places j
    that k could take among the other bidders, up to the first that loses without it.
    """
    value = bids[k][1]
    others = [bid for i, bid in enumerate(bids) if i != k]
    best = Fraction(0)
    total = 0
    for j in sorted(range(len(others)), key=lambda j: (Fraction(*others[j]), j)):
        asked_j, value_j = others[j]
        share = Fraction(budget * value, total + value)
        best = max(best, min(Fraction(asked_j * value, value_j), share, Fraction(value)))
        total += value_j
        if asked_j * total > budget * value_j or asked_j > value_j:
            return int(best)
    return int(max(best, min(Fraction(budget * value, total + value), Fraction(value))))


class ReverseAuction:
    """The proportional-share mechanism of Singer ("Budget Feasible Mechanisms", FOCS 2010) for additive values.

    A user offers all its items of the published kinds as one lot and asks its net cost (cost less utility). The value of a lot
    is the sum of its published rewards, which are also the reserve price. Winners are paid their threshold, so for a
    given lot the true cost is a best bid (truthful), nobody is paid less than it asked (individually rational), and the
    payments stay within the budget: a winner's threshold is at most ``budget * value / (value of all winners)``.
    Lots of losers are not accepted; what has no published reward and is offered for nothing is.
    What a lot holds is taken as given: the mechanism is truthful in the cost alone.
    """

    claims: ClassVar[tuple[str, ...]] = (WITHIN_BUDGET, RATIONAL, TRUTHFUL_ASKING)

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def terms(self, context: TermsContext, rng: Draw) -> IncentiveTerms:
        """Publish the reserve price of each kind."""
        own = self.parameters
        share = own.reserve * max(0.0, context.budget) / max(1, context.users)
        weights = {"subject": own.subject, "preference": own.preference, "other": own.other}
        return IncentiveTerms(
            "reverse-auction", prices(weights, context.kinds, share), f"bids up to {share:.3g} for one item of each kind"
        )

    def respond(self, context: RespondContext, rng: Draw) -> Response:
        """Offer everything whose own net cost is within its reserve price, and ask the net cost of the lot."""
        rewards = context.terms.rewards
        lot = [offer for offer in context.offers if offer.cost - offer.utility <= rewards.get(offer.kind, 0.0)]
        asked = net_cost(lot)
        return Response(
            tuple(offer.name for offer in lot), asked, f"asks its net cost for {len(lot)} of {len(context.offers)} items"
        )

    def settle(self, context: SettleContext, rng: Draw) -> Settlement:
        """Buy by the proportional-share rule; ties go by a drawn order."""
        budget = micro_down(context.budget)
        value = {
            user: sum(micro_down(context.terms.rewards.get(kind, 0.0)) for kind in kinds) for user, kinds, _ in context.shared
        }
        bidders = sorted((row for row in context.shared if value[row[0]] > 0), key=lambda row: (rng(row[0]), row[0]))
        bids = [(micro_up(asked), value[user]) for user, _, asked in bidders]
        paid = {bidders[k][0]: threshold(bids, k, budget) for k in winners(bids, budget)}
        free = [user for user, _, asked in context.shared if value[user] == 0 and asked == 0.0]
        return Settlement(
            tuple((user, paid.get(user, 0) / MICRO) for user, _, _ in context.shared),
            f"{len(paid)} of {len(bids)} bids win, {sum(paid.values()) / MICRO:.3g} of {context.budget:g} credits",
            tuple((user, tuple(range(len(kinds))) if user in paid or user in free else ()) for user, kinds, _ in context.shared),
        )
