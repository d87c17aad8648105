"""A menu of contracts for privacy types: the more is shared, the more is paid, and each type finds its own entry best."""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt
from typing import Annotated, ClassVar

from ..protocols import Draw, IncentiveTerms, Offer, RespondContext, Response, SettleContext, Settlement, TermsContext
from .sharing import CLAIMS, MICRO, micro_down

STEP = 0.5
"""Sizes of what is shared are whole multiples of this."""
Menu = tuple[tuple[float, int], ...]
"""(size, payment in micro-credits) of each type's contract, the most careless type first."""


@dataclass(frozen=True)
class Parameters:
    """A type is a privacy cost in credits for each unit of size; types are evenly spaced and equally likely."""

    subject: Annotated[float, "size of a subject's pictures, a multiple of 0.5"] = 3.0
    preference: Annotated[float, "size of a preference, likewise"] = 1.0
    other: Annotated[float, "size of an item of any other kind, likewise"] = 0.5
    types: Annotated[int, "number of privacy types"] = 4
    cheapest: Annotated[float, "cost of the most careless type, in credits a unit of size"] = 0.1
    dearest: Annotated[float, "cost of the most careful type"] = 1.0
    largest: Annotated[float, "largest size that is paid for"] = 8.0
    overbook: Annotated[float, "the expected payments are this many times the budget"] = 1.0

    def __post_init__(self) -> None:
        if self.types < 1 or not 0.0 < self.cheapest <= self.dearest:
            raise ValueError(f"types = {self.types}, cheapest = {self.cheapest}, dearest = {self.dearest}: 1 or more, 0 < c <= d")
        for name in ("subject", "preference", "other", "largest"):
            if getattr(self, name) <= 0.0 or getattr(self, name) % STEP:
                raise ValueError(f"{name} = {getattr(self, name)} is no multiple of {STEP} above 0")
        if self.overbook < 0.0:
            raise ValueError(f"overbook = {self.overbook} is negative")

    @property
    def costs(self) -> tuple[float, ...]:
        """The types, most careless first."""
        gap = (self.dearest - self.cheapest) / max(1, self.types - 1)
        return tuple(self.cheapest + number * gap for number in range(self.types))

    def size(self, kind: str) -> float:
        """Of one item."""
        return {"subject": self.subject, "preference": self.preference}.get(kind, self.other)


@lru_cache(maxsize=256)
def menu(worth: float, costs: tuple[float, ...], largest: float) -> Menu:
    """The contracts that bring the cloud most, when sharing of size s is worth ``worth * sqrt(s)`` to it.

    Only a user knows its type. With n equally likely types c_1 < ... < c_n, type k's size is the best for its virtual cost
    v_k = c_k + (k - 1)(c_k - c_k-1)::

        s_k = argmax_s worth sqrt(s) - v_k s,    p_n = c_n s_n,    p_k = p_k+1 + c_k (s_k - s_k+1)

    The dearest type gains nothing (individual rationality holds with equality), and each is just indifferent to the
    contract of the next dearer one (incentive compatibility binds downwards): Laffont and Martimort, "The Theory of Incentives",
    2002, chapters 2 and 3. Evenly spaced costs make v rise, so sizes fall without ironing.

    Args:
        worth: Credits.
        costs: Rising.
        largest: No contract is larger.

    Returns:
        Payments are rounded up to whole micro-credits, the same for equal sizes.
    """
    grid = [STEP * number for number in range(round(largest / STEP) + 1)]
    virtual = [cost + k * (cost - costs[max(0, k - 1)]) for k, cost in enumerate(costs)]
    sizes = [max(grid, key=lambda size: (worth * sqrt(size) - v * size, -size)) for v in virtual]
    entries: list[tuple[float, int]] = []
    paid = 0
    for cost, size, smaller in zip(reversed(costs), reversed(sizes), [0.0, *reversed(sizes)], strict=False):
        paid += ceil(cost * (size - smaller) * MICRO)
        entries.append((size, paid))
    return tuple(reversed(entries))


def paid_for(size: float, entries: Menu) -> int:
    """Micro-credits for sharing of a size: those of the largest contract that it fulfils."""
    return max((payment for wanted, payment in entries if wanted <= size), default=0)


class Contract:
    """A menu for privacy types, from whose entries users choose; paid in full or not used at all.

    What is published for every kind is the worth that the menu follows from: the largest whose expected payments stay
    within ``overbook`` budgets. Truthful, since no payment depends on what a user says; individually rational, since a user
    takes what is best for itself. When too many share, users are served in an order drawn by key, while the largest payment of
    the menu would fit: so whether a user is served does not depend on what it chose.
    """

    claims: ClassVar[tuple[str, ...]] = CLAIMS

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def terms(self, context: TermsContext, rng: Draw) -> IncentiveTerms:
        """Publish the worth."""
        own = self.parameters
        limit = own.overbook * micro_down(context.budget) / max(1, context.users)
        low, high = 0, 1 << 40  # in micro-credits; sizes, and so payments, rise with the worth
        while high - low > 1:
            middle = (low + high) // 2
            payments = [payment for _, payment in self._menu(middle / MICRO)]
            low, high = (middle, high) if sum(payments) <= limit * len(payments) else (low, middle)
        entries = ", ".join(f"{size:g} for {payment / MICRO:.3g}" for size, payment in dict.fromkeys(self._menu(low / MICRO)))
        return IncentiveTerms("contract", dict.fromkeys(context.kinds, low / MICRO), f"size for credits: {entries}"[:300])

    def respond(self, context: RespondContext, rng: Draw) -> Response:
        """Share the set of items that leaves most: payment for its size, and utility less cost of its items."""
        entries = self._menu(max(context.terms.rewards.values(), default=0.0))
        sets = self._sets(context.offers)
        left = {size: paid_for(size, entries) / MICRO - cost for size, (cost, _) in sets.items()}
        best = max(left, key=lambda size: (left[size], -size))
        names = sets[best][1]
        reason = f"{len(names)} of {len(context.offers)} items leave {left[best]:.3g} credits"
        return Response(names, paid_for(best, entries) / MICRO, reason)

    def settle(self, context: SettleContext, rng: Draw) -> Settlement:
        """Accept users while the menu's largest payment fits the budget."""
        entries = self._menu(max(context.terms.rewards.values(), default=0.0))
        most = max((payment for _, payment in entries), default=0)
        left = micro_down(context.budget)
        paid: dict[str, int] = {}
        for user, kinds, _ in sorted(context.shared, key=lambda row: (rng(row[0]), row[0])):
            if most > left:
                break
            paid[user] = paid_for(sum(self.parameters.size(kind) for kind in kinds), entries)
            left -= paid[user]
        return Settlement(
            tuple((user, paid.get(user, 0) / MICRO) for user, _, _ in context.shared),
            f"{len(paid)} of {len(context.shared)} contracts fit the budget",
            tuple((user, tuple(range(len(kinds))) if user in paid else ()) for user, kinds, _ in context.shared),
        )

    def _menu(self, worth: float) -> Menu:
        return menu(worth, self.parameters.costs, self.parameters.largest)

    def _sets(self, offers: tuple[Offer, ...]) -> dict[float, tuple[float, tuple[str, ...]]]:
        """Size -> (net cost, names) of the cheapest set of offers of that size (a knapsack, solved by size)."""
        found: dict[float, tuple[float, tuple[str, ...]]] = {0.0: (0.0, ())}
        for offer in offers:
            size = self.parameters.size(offer.kind)
            for before, (cost, names) in sorted(found.items(), reverse=True):
                new = (cost + offer.cost - offer.utility, (*names, offer.name))
                if before + size not in found or new[0] < found[before + size][0]:
                    found[before + size] = new
        return found
