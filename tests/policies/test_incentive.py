"""Incentives one by one, by hand and against brute force; what they promise is tested in ``test_incentive_claims``."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from semcast.bus import keys
from semcast.policies.incentive.reverse_auction import threshold, winners
from semcast.policies.incentive.sharing import MICRO, micro_down, micro_up
from semcast.policies.protocols import IncentiveTerms, Offer, RespondContext, SettleContext, TermsContext
from semcast.policies.registry import load, resolve

EXACT = ("posted", "contract", "reverse-auction")
"""Mechanisms that refuse what they do not pay."""
KINDS = ("subject", "preference", "history")


def draw(name):
    return keys.uniform("test", name)


def play(policy, offers, budget):
    """All users answer the terms; returns the settlement."""
    terms = policy.terms(TermsContext(budget, len(offers), KINDS), draw)
    responses = {user: policy.respond(RespondContext(terms, own), draw) for user, own in offers.items()}
    kinds = {user: tuple(o.kind for o in own if o.name in responses[user].items) for user, own in offers.items()}
    shared = tuple((user, kinds[user], responses[user].asked) for user in sorted(offers))
    return policy.settle(SettleContext(terms, budget, shared), draw)


def test_flat_pays_the_same_for_each_item() -> None:
    policy = load(resolve("incentive", "flat:credits=0.5"))
    terms = policy.terms(TermsContext(9.0, 3, KINDS), draw)
    assert terms.rewards == {"subject": 0.5, "preference": 0.5, "history": 0.5}
    shared = (("a", ("subject", "history"), 1.0), ("b", (), 0.0), ("c", ("preference",), 0.5))
    assert policy.settle(SettleContext(terms, 9.0, shared), draw).payments == (("a", 1.0), ("b", 0.0), ("c", 0.5))


def test_posted_prices_follow_the_weights() -> None:
    policy = load(resolve("incentive", "posted:subject=3,preference=1,overbook=2"))
    terms = policy.terms(TermsContext(24.0, 24, ("subject", "preference")), draw)
    assert terms.rewards == {"subject": 1.5, "preference": 0.5}
    offers = (Offer("subject", "dog", 1.6, 0.2), Offer("preference", "tone", 0.9, 0.1))
    assert policy.respond(RespondContext(terms, offers), draw).items == ("dog",)


def test_posted_pays_in_full_or_not_at_all_in_a_drawn_order() -> None:
    policy = load(resolve("incentive", "posted"))
    terms = IncentiveTerms("posted", {"subject": 1.0}, "test")
    shared = tuple((f"user.{u}", ("subject",), 1.0) for u in range(6))
    settlement = policy.settle(SettleContext(terms, 2.5, shared), draw)
    assert sorted(credits for _, credits in settlement.payments) == [0, 0, 0, 0, 1, 1]
    lucky = tuple(user for user, rows in settlement.accepted if rows)
    assert lucky == tuple(user for user, credits in settlement.payments if credits)
    others = {
        tuple(u for u, c in policy.settle(SettleContext(terms, 2.5, shared), lambda n, s=s: keys.uniform(s, n)).payments if c)
        for s in range(9)
    }
    assert len(others) > 3


def test_posted_takes_of_each_kind_what_fits_in_the_order_named() -> None:
    """Budget 10 at prices 3 and 1: 7.5 for subjects, two of them; 2.5 for preferences, two of them."""
    policy = load(resolve("incentive", "posted"))
    terms = IncentiveTerms("posted", {"subject": 3.0, "preference": 1.0}, "test")
    shared = (("a", ("preference", "subject", "subject", "subject", "preference", "preference"), 0.0),)
    settlement = policy.settle(SettleContext(terms, 10.0, shared), draw)
    assert settlement.payments == (("a", 8.0),) and settlement.accepted == (("a", (0, 1, 2, 4)),)
    offers = (Offer("subject", "dear", 2.0, 0.0), Offer("preference", "tone", 0.5, 0.0), Offer("subject", "cheap", 1.0, 0.5))
    assert policy.respond(RespondContext(terms, offers), draw).items == ("cheap", "dear", "tone")


def test_auction_by_hand() -> None:
    """Singer's proportional share for equal values: 1, 2, 3, 9 and budget 9: the first three win and get min(9/3, 9)."""
    bids = [(1, 100), (2, 100), (3, 100), (9, 100)]
    assert winners(bids, 9) == [0, 1, 2]
    assert [threshold(bids, k, 9) for k in range(3)] == [3, 3, 3]
    # Budget 6: 3 > 6/3, so two win, and each is paid the loser's bid, min(6/2, 3).
    assert winners(bids, 6) == [0, 1] and [threshold(bids, k, 6) for k in range(2)] == [3, 3]


BIDS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 30)), min_size=1, max_size=6)


@given(BIDS, st.integers(0, 60))
def test_threshold_is_the_highest_winning_bid(bids, budget) -> None:
    for k in winners(bids, budget):
        paid = threshold(bids, k, budget)
        wins = [asked for asked in range(70) if k in winners([*bids[:k], (asked, bids[k][1]), *bids[k + 1 :]], budget)]
        assert wins == list(range(len(wins)))  # a lower bid never loses
        # a tie at the threshold itself may go either way
        assert paid in (wins[-1], wins[-1] + 1) and paid >= bids[k][0]


@given(BIDS, st.integers(0, 60))
def test_winners_fit_the_budget_share(bids, budget) -> None:
    won = winners(bids, budget)
    value = sum(bids[k][1] for k in won)
    paid = [threshold(bids, k, budget) for k in won]
    assert sum(paid) <= budget
    assert all(p <= Fraction(budget * bids[k][1], value) and p <= bids[k][1] for p, k in zip(paid, won, strict=True))


def test_auction_buys_more_than_posted_prices_where_costs_differ() -> None:
    offers = {f"user.{u:02d}": (Offer("subject", "item.0", 0.2 + 0.09 * u, 0.0),) for u in range(20)}
    bought = {}
    for name in EXACT:
        settlement = play(load(resolve("incentive", name)), offers, 10.0)
        bought[name] = sum(len(rows) for _, rows in settlement.accepted)
    assert bought["reverse-auction"] >= bought["posted"] > 0


def test_auction_accepts_gifts_without_a_price() -> None:
    policy = load(resolve("incentive", "reverse-auction"))
    terms = IncentiveTerms("reverse-auction", {"subject": 1.0}, "test")
    settlement = policy.settle(SettleContext(terms, 1.0, (("a", ("history",), 0.0), ("b", ("history",), 0.1))), draw)
    assert settlement.payments == (("a", 0.0), ("b", 0.0)) and settlement.accepted == (("a", (0,)), ("b", ()))


@given(st.integers(0, 10**9))
def test_micro_credits_survive_floats(n) -> None:
    assert micro_down(n / MICRO) == micro_up(n / MICRO) == n
