"""Markets of users with private costs, and whether a mechanism keeps in them what it claims (``sharing.CLAIMS``).

A claim that breaks in one market is wrong; one that holds in all markets tried is not proven by that.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from ...bus import keys
from ..protocols import Offer, RespondContext, Response, SettleContext, Settlement, TermsContext
from .sharing import CLAIMS, RATIONAL, TRUTHFUL_ASKING, TRUTHFUL_SHARING, WITHIN_BUDGET, micro_down

KINDS = ("subject", "preference", "history")
ROUNDING = 2e-6
"""Credits that rounding to micro-credits may make, each way."""
MARKETS = 32
Offers = dict[str, tuple[Offer, ...]]
"""User -> what it could share."""


class Round:
    """One round of a mechanism in a market: terms, and everybody's honest answer.

    Args:
        policy: An incentive policy.
        market: Users, sorted.
        budget: Credits.
        luck: Keys the mechanism's draws.
    """

    def __init__(self, policy: Any, market: Offers, budget: float, luck: int) -> None:
        self.policy, self.market, self.budget, self.luck = policy, market, budget, luck
        self.terms = policy.terms(TermsContext(budget, len(market), KINDS), self._draw)
        self.honest: dict[str, Response] = {
            user: policy.respond(RespondContext(self.terms, own), self._draw) for user, own in market.items()
        }

    def _draw(self, name: str) -> float:
        return keys.uniform("market", self.luck, name)

    def settle(self, user: str = "", response: Response | None = None) -> Settlement:
        """Everybody is honest but ``user``, who answers ``response``."""
        said = self.honest | ({user: response} if response else {})
        kinds = {name: tuple(offer.kind for offer in self.items(name, each)) for name, each in said.items()}
        shared = tuple((name, kinds[name], said[name].asked) for name in self.market)
        settlement: Settlement = self.policy.settle(SettleContext(self.terms, self.budget, shared), self._draw)
        return settlement

    def items(self, user: str, response: Response) -> list[Offer]:
        """What a response shares, in its order."""
        named = {offer.name: offer for offer in self.market[user]}
        return [named[name] for name in response.items]

    def gain(self, user: str, response: Response | None = None) -> float:
        """What a user has from its answer (default: the honest one): payment, and utility less cost of what is used."""
        settlement = self.settle(user, response)
        items = self.items(user, response or self.honest[user])
        if settlement.accepted is not None:
            items = [items[i] for i in dict(settlement.accepted)[user]]
        return dict(settlement.payments)[user] + sum(offer.utility - offer.cost for offer in items)

    def overspends(self, settlement: Settlement) -> bool:
        """Whether payments exceed the budget."""
        return sum(micro_down(credits) for _, credits in settlement.payments) > micro_down(self.budget)


def market(number: int) -> tuple[Offers, float]:
    """Market ``number`` of up to seven users with up to four items each, and a budget between nothing and enough for all."""

    def draw(*key: keys.Key) -> float:
        return keys.uniform("incentive market", number, *key)

    found: Offers = {}
    for u in range(1 + int(7 * draw("users"))):
        rows = [(u, i) for i in range(1 + int(4 * draw("items", u)))]
        found[f"user.{u}"] = tuple(
            Offer(KINDS[int(3 * draw("kind", *row))], f"item.{row[1]}", _mills(4 * draw("cost", *row)), _mills(draw("use", *row)))
            for row in rows
        )
    return found, _mills(20 * draw("budget"))


def _mills(credits: float) -> float:
    return round(credits, 3)


def broken_claims(policy: Any, markets: int = MARKETS) -> list[str]:
    """The claims of a policy that break in the first ``markets`` markets, one line each; empty for one that claims nothing."""
    claims = tuple(getattr(policy, "claims", ()))
    found = [f"claims {claim!r}, which is none of: {', '.join(CLAIMS)}" for claim in claims if claim not in CLAIMS]
    for claim in CLAIMS:
        if claim in claims:
            problems = (
                problem for number in range(markets) for problem in _breaks(claim, Round(policy, *market(number), number))
            )
            found += [f"claims to be {claim}, but {problem}" for problem, _ in zip(problems, range(1), strict=False)]
    return found


def _breaks(claim: str, played: Round) -> Iterator[str]:
    where = f"in market {played.luck}"
    if claim == WITHIN_BUDGET and played.overspends(played.settle()):
        yield f"{where} it pays more than {played.budget:g} credits"
    for user, answer in played.honest.items():
        others = [("asking", TRUTHFUL_ASKING, Response(answer.items, asked, claim)) for asked in (0.0, answer.asked / 2, 9.0)]
        others += [("sharing", TRUTHFUL_SHARING, Response(items, answer.asked, claim)) for items in _subsets(played.market[user])]
        others = [other for other in others if other[1] == claim]
        honest = played.gain(user) if others or claim == RATIONAL else 0.0
        if claim == RATIONAL and honest < -ROUNDING:
            yield f"{where} {user} ends {-honest:.3g} credits below not taking part"
        for what, _, other in others:
            if (better := played.gain(user, other)) > honest + ROUNDING:
                instead = f"{other.asked:.3g} credits" if what == "asking" else ", ".join(other.items) or "nothing"
                yield f"{where} {user} has {better - honest:.3g} credits more by {what} {instead}"


def _subsets(offers: tuple[Offer, ...]) -> Iterator[tuple[str, ...]]:
    names = [offer.name for offer in offers]
    for count in range(len(names) + 1):
        yield from combinations(names, count)
