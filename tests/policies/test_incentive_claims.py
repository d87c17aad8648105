"""Every registered incentive keeps what its ``claims`` say, in random markets; a new one is tested by being registered.

That decisions do not depend on the number of workers is in the digests of ``tests/contract/test_digests.py`` (posted prices)
and of ``tests/agents/test_ledger.py`` (the ledger).
"""

from functools import cache
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.bus import keys
from semcast.policies.incentive.sharing import CLAIMS, RATIONAL, TRUTHFUL_ASKING, TRUTHFUL_SHARING, WITHIN_BUDGET, micro_down
from semcast.policies.protocols import Offer, RespondContext, Response, SettleContext, Settlement, TermsContext
from semcast.policies.registry import BUILT_IN, load, resolve

KINDS = ("subject", "preference", "history")
VARIANTS = {
    "posted": ("posted:overbook=4",),
    "contract": ("contract:overbook=3,largest=4",),
    "dpos": ("dpos:validators=1,fee=0",),
}
TEXTS = tuple(text for name in BUILT_IN["incentive"] for text in (name, *VARIANTS.get(name, ())))
MARKETS = 120
"""Random markets for each mechanism and claim; all together some three thousand, with up to 16 deviations each."""
ROUNDING = 2e-6
"""Credits that rounding to micro-credits may make, each way."""
Offers = dict[str, tuple[Offer, ...]]
Market = tuple[Offers, float, int]
"""(user -> its offers, budget, luck)."""


@cache
def policy_of(text: str):
    return load(resolve("incentive", text))


def claiming(claim: str) -> list[str]:
    return [text for text in TEXTS if claim in policy_of(text).claims]


@st.composite
def markets(draw) -> Market:
    """Budgets from nothing to enough for all, so that many markets are tight."""
    credits = st.integers(0, 4000).map(lambda n: n / 1000)
    offer = st.tuples(st.sampled_from(KINDS), credits, credits)
    rows = draw(st.lists(st.lists(offer, min_size=1, max_size=4), min_size=1, max_size=7))
    market = {
        f"user.{u}": tuple(Offer(kind, f"item.{i}", cost, utility / 4) for i, (kind, cost, utility) in enumerate(row))
        for u, row in enumerate(rows)
    }
    return market, draw(st.integers(0, 20_000)) / 1000, draw(st.integers(0, 1 << 16))


class Round:
    """One round of a mechanism in a market; what one user says can be replaced."""

    def __init__(self, text: str, market: Offers, budget: float, luck: int) -> None:
        self.policy, self.market, self.budget = policy_of(text), market, budget
        self.draw = lambda name: keys.uniform("market", luck, name)
        self.terms = self.policy.terms(TermsContext(budget, len(market), KINDS), self.draw)
        self.honest = {
            user: self.policy.respond(RespondContext(self.terms, offers), self.draw) for user, offers in market.items()
        }

    def settle(self, **said: Response) -> Settlement:
        """Everybody is honest but those in ``said``."""
        responses = self.honest | {f"user.{user[1:]}": response for user, response in said.items()}
        shared = tuple(
            (user, tuple(o.kind for o in self.items(user, responses[user])), responses[user].asked) for user in self.market
        )
        return self.policy.settle(SettleContext(self.terms, self.budget, shared), self.draw)

    def items(self, user: str, response: Response) -> list[Offer]:
        """What a response shares, in its order."""
        named = {offer.name: offer for offer in self.market[user]}
        return [named[name] for name in response.items]

    def gain(self, user: str, response: Response, settlement: Settlement) -> float:
        """Payment, and utility less cost of what is used."""
        items = self.items(user, response)
        if settlement.accepted is not None:
            items = [items[i] for i in dict(settlement.accepted)[user]]
        return dict(settlement.payments)[user] + sum(offer.utility - offer.cost for offer in items)


def test_every_mechanism_says_what_it_promises() -> None:
    for text in TEXTS:
        claims = policy_of(text).claims
        assert claims and set(claims) <= set(CLAIMS) and WITHIN_BUDGET in claims
    assert {"posted", "contract"} <= set(claiming(TRUTHFUL_SHARING)) and "reverse-auction" in claiming(TRUTHFUL_ASKING)


@pytest.mark.parametrize("text", claiming(WITHIN_BUDGET))
@settings(max_examples=MARKETS, deadline=None)
@given(market=markets(), data=st.data())
def test_the_budget_is_never_exceeded(text: str, market: Market, data: st.DataObject) -> None:
    """Not by honest users, and not where one shares everything and asks for anything."""
    played = Round(text, *market)
    offers = played.market["user.0"]
    greedy = Response(tuple(offer.name for offer in offers), data.draw(st.floats(0, 100)), "greedy")
    for settlement in (played.settle(), played.settle(u0=greedy)):
        assert sum(micro_down(credits) for _, credits in settlement.payments) <= micro_down(played.budget)


@pytest.mark.parametrize("text", claiming(RATIONAL))
@settings(max_examples=MARKETS, deadline=None)
@given(market=markets())
def test_nobody_loses_by_taking_part(text: str, market: Market) -> None:
    played = Round(text, *market)
    settlement = played.settle()
    assert all(played.gain(user, played.honest[user], settlement) >= -ROUNDING for user in played.market)


@pytest.mark.parametrize("text", claiming(TRUTHFUL_ASKING))
@settings(max_examples=MARKETS, deadline=None)
@given(market=markets(), factor=st.floats(0, 3), extra=st.floats(-2, 2))
def test_no_other_price_asked_brings_more(text: str, market: Market, factor: float, extra: float) -> None:
    played = Round(text, *market)
    mine = played.honest["user.0"]
    other = Response(mine.items, max(0.0, mine.asked * factor + extra), "shaded")
    assert played.gain("user.0", mine, played.settle()) >= played.gain("user.0", other, played.settle(u0=other)) - ROUNDING


@pytest.mark.parametrize("text", claiming(TRUTHFUL_SHARING))
@settings(max_examples=MARKETS, deadline=None)
@given(market=markets(), asked=st.floats(0, 20), data=st.data())
def test_acting_as_another_type_never_pays(text: str, market: Market, asked: float, data: st.DataObject) -> None:
    """Against every set of items that the user could share instead, in a drawn order."""
    played = Round(text, *market)
    mine, offers = played.honest["user.0"], data.draw(st.permutations(played.market["user.0"]))
    honest = played.gain("user.0", mine, played.settle())
    for count in range(len(offers) + 1):
        for chosen in combinations(offers, count):
            other = Response(tuple(offer.name for offer in chosen), asked, "another type")
            assert honest >= played.gain("user.0", other, played.settle(u0=other)) - ROUNDING


def test_flat_makes_no_claim_that_it_breaks() -> None:
    """The weakness of the baseline that ``posted`` mends: a short budget leaves users below their costs."""
    offers = {f"user.{u}": (Offer("subject", "item.0", 0.5, 0.0),) for u in range(3)}
    played = Round("flat", offers, 0.9, 0)
    settlement = played.settle()
    assert all(played.gain(user, played.honest[user], settlement) == pytest.approx(-0.2) for user in offers)
    assert RATIONAL not in policy_of("flat").claims and TRUTHFUL_SHARING not in policy_of("flat").claims
