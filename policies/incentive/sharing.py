"""The user's side that mechanisms have in common, and exact credits.

Credits are counted in whole micro-credits inside a mechanism, so that budgets and comparisons are exact.

What a mechanism promises is data: ``claims`` of its class, of the following. ``tests/policies/test_incentive_claims.py`` tests
every registered mechanism on the claims that it makes, in thousands of random markets.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import fsum

from ..protocols import Offer, RespondContext, Response

MICRO = 1_000_000

WITHIN_BUDGET = "within budget"
"""Whatever is shared and asked, payments never exceed the budget."""
RATIONAL = "individually rational"
"""Who answers as ``respond`` does never ends below not taking part: payment and utility make up for the cost of what is used."""
TRUTHFUL_ASKING = "truthful asking"
"""For the items shared, no other ``asked`` brings a user more, whatever the others share and ask."""
TRUTHFUL_SHARING = "truthful sharing"
"""No other selection of items, with whatever ``asked``, brings a user more: acting as if of another privacy type never pays."""
CLAIMS = (WITHIN_BUDGET, RATIONAL, TRUTHFUL_ASKING, TRUTHFUL_SHARING)


def micro_down(credits: float) -> int:
    """Credits in whole micro-credits, rounded down as a decimal number: what may be spent."""
    return max(0, int((Decimal(repr(credits)) * MICRO).to_integral_value(ROUND_FLOOR)))


def micro_up(credits: float) -> int:
    """Credits in whole micro-credits, rounded up as a decimal number: what somebody asks for."""
    return max(0, int((Decimal(repr(credits)) * MICRO).to_integral_value(ROUND_CEILING)))


def take_it_or_leave_it(context: RespondContext) -> Response:
    """Share each item whose reward and own utility make up for its cost: ``reward + utility >= cost``.

    The best answer to fixed prices that do not depend on it. Within a kind the item that leaves most comes first, for mechanisms
    that take the first so many. ``asked`` is the sum of the published rewards.
    """
    rewards = context.terms.rewards
    kinds = list(dict.fromkeys(offer.kind for offer in context.offers))
    taken = [offer for offer in context.offers if rewards.get(offer.kind, 0.0) + offer.utility >= offer.cost]
    taken.sort(key=lambda offer: (kinds.index(offer.kind), offer.cost - offer.utility))
    asked = fsum(rewards.get(offer.kind, 0.0) for offer in taken)
    return Response(tuple(offer.name for offer in taken), asked, f"{len(taken)} of {len(context.offers)} items are worth sharing")


def net_cost(offers: list[Offer]) -> float:
    """What sharing all of ``offers`` costs after the better service it brings; not below 0."""
    return max(0.0, fsum(offer.cost - offer.utility for offer in offers))


def prices(weights: dict[str, float], kinds: tuple[str, ...], credits: float) -> dict[str, float]:
    """``credits`` split over ``kinds`` by weight; a kind without a weight of its own has that of ``other``.

    Rounded down to whole micro-credits, so that what is published can be paid exactly.
    """
    weight = {kind: weights.get(kind, weights["other"]) for kind in kinds}
    total = sum(weight.values())
    return {kind: micro_down(credits * value / total) / MICRO if total > 0.0 else 0.0 for kind, value in weight.items()}
