"""The user's side that mechanisms have in common, and exact credits.

Credits are counted in whole micro-credits inside a mechanism, so that budgets and comparisons are exact.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import fsum

from ..protocols import Offer, RespondContext, Response

MICRO = 1_000_000


def micro_down(credits: float) -> int:
    """Credits in whole micro-credits, rounded down as a decimal number: what may be spent."""
    return max(0, int((Decimal(repr(credits)) * MICRO).to_integral_value(ROUND_FLOOR)))


def micro_up(credits: float) -> int:
    """Credits in whole micro-credits, rounded up as a decimal number: what somebody asks for."""
    return max(0, int((Decimal(repr(credits)) * MICRO).to_integral_value(ROUND_CEILING)))


def take_it_or_leave_it(context: RespondContext) -> Response:
    """Share each item whose reward and own utility make up for its cost: ``reward + utility >= cost``.

    The best answer to fixed prices that do not depend on it. ``asked`` is the sum of the published rewards.
    """
    rewards = context.terms.rewards
    taken = [offer for offer in context.offers if rewards.get(offer.kind, 0.0) + offer.utility >= offer.cost]
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
