"""Every registered incentive keeps what its ``claims`` say, in random markets; a new one is tested by being registered.

That decisions do not depend on the number of workers is in the digests of ``tests/contract/test_digests.py`` (posted prices)
and of ``tests/agents/test_ledger.py`` (the ledger).
"""

from functools import cache
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.bus.errors import BadInput
from semcast.policies.checks import check_policy
from semcast.policies.incentive.markets import KINDS, ROUNDING, Offers, Round, broken_claims
from semcast.policies.incentive.posted import Parameters, Posted
from semcast.policies.incentive.sharing import CLAIMS, RATIONAL, TRUTHFUL_ASKING, TRUTHFUL_SHARING, WITHIN_BUDGET
from semcast.policies.protocols import Offer, Response, Settlement
from semcast.policies.registry import BUILT_IN, load, resolve

VARIANTS = {
    "posted": ("posted:overbook=4",),
    "contract": ("contract:overbook=3,largest=4",),
    "dpos": ("dpos:validators=1,fee=0",),
}
TEXTS = tuple(text for name in BUILT_IN["incentive"] for text in (name, *VARIANTS.get(name, ())))
MARKETS = 80
"""Random markets for each mechanism and claim; all together more than two thousand, with up to 16 deviations each."""
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
    played = Round(policy_of(text), *market)
    offers = played.market["user.0"]
    greedy = Response(tuple(offer.name for offer in offers), data.draw(st.floats(0, 100)), "greedy")
    assert not any(played.overspends(settlement) for settlement in (played.settle(), played.settle("user.0", greedy)))


@pytest.mark.parametrize("text", claiming(RATIONAL))
@settings(max_examples=MARKETS, deadline=None)
@given(market=markets())
def test_nobody_loses_by_taking_part(text: str, market: Market) -> None:
    played = Round(policy_of(text), *market)
    assert all(played.gain(user) >= -ROUNDING for user in played.market)


@pytest.mark.parametrize("text", claiming(TRUTHFUL_ASKING))
@settings(max_examples=MARKETS, deadline=None)
@given(market=markets(), factor=st.floats(0, 3), extra=st.floats(-2, 2))
def test_no_other_price_asked_brings_more(text: str, market: Market, factor: float, extra: float) -> None:
    played = Round(policy_of(text), *market)
    mine = played.honest["user.0"]
    other = Response(mine.items, max(0.0, mine.asked * factor + extra), "shaded")
    assert played.gain("user.0") >= played.gain("user.0", other) - ROUNDING


@pytest.mark.parametrize("text", claiming(TRUTHFUL_SHARING))
@settings(max_examples=MARKETS, deadline=None)
@given(market=markets(), asked=st.floats(0, 20), data=st.data())
def test_acting_as_another_type_never_pays(text: str, market: Market, asked: float, data: st.DataObject) -> None:
    """Against every set of items that the user could share instead, in a drawn order."""
    played = Round(policy_of(text), *market)
    honest, offers = played.gain("user.0"), data.draw(st.permutations(played.market["user.0"]))
    for count in range(len(offers) + 1):
        for chosen in combinations(offers, count):
            other = Response(tuple(offer.name for offer in chosen), asked, "another type")
            assert honest >= played.gain("user.0", other) - ROUNDING


def test_flat_makes_no_claim_that_it_breaks() -> None:
    """The weakness of the baseline that ``posted`` mends: a short budget leaves users below their costs."""
    offers = {f"user.{u}": (Offer("subject", "item.0", 0.5, 0.0),) for u in range(3)}
    played = Round(policy_of("flat"), offers, 0.9, 0)
    assert all(played.gain(user) == pytest.approx(-0.2) for user in offers)
    assert RATIONAL not in policy_of("flat").claims and TRUTHFUL_SHARING not in policy_of("flat").claims


class Greedy(Posted):
    """Takes every item without paying for it, whatever it claims."""

    def settle(self, context, rng):
        return Settlement(tuple((user, 0.0) for user, _, _ in context.shared), "thanks")


class Trusting(Posted):
    """Pays what is asked, up to the budget."""

    def settle(self, context, rng):
        left, payments = context.budget, []
        for user, kinds, asked in context.shared:
            payments.append((user, min(asked, left) if kinds else 0.0))
            left -= payments[-1][1]
        return Settlement(tuple(payments), "as you like")


class Boastful(Posted):
    claims = (*CLAIMS, "fair")


def test_the_conformance_kit_finds_claims_that_break() -> None:
    """So a plug-in is tested on its claims as well: ``semcast check policy mine.py:Mine``."""
    assert broken_claims(Posted(Parameters())) == [] == broken_claims(object())
    told = {policy: " ".join(broken_claims(policy(Parameters()))) for policy in (Greedy, Trusting, Boastful)}
    assert "claims to be individually rational, but in market" in told[Greedy] and "below not taking part" in told[Greedy]
    assert "by asking 9 credits" in told[Trusting] and "by sharing" in told[Trusting]
    assert told[Boastful].startswith("claims 'fair', which is none of: within budget")
    with pytest.raises(BadInput, match="claims to be individually rational"):
        check_policy("incentive", Greedy(Parameters()))
