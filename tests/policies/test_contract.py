"""The contract menu: each type finds its own entry best, nobody is forced, and no other menu brings the cloud more."""

from itertools import product
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.bus import keys
from semcast.policies.incentive.contract import STEP, Contract, Parameters, menu, paid_for
from semcast.policies.incentive.sharing import MICRO
from semcast.policies.protocols import IncentiveTerms, Offer, RespondContext, SettleContext, TermsContext

KINDS = ("subject", "preference")
worths = st.floats(0, 20)
parameters = st.builds(
    Parameters,
    types=st.integers(1, 6),
    cheapest=st.floats(0.05, 0.5),
    dearest=st.floats(0.5, 3.0),
    largest=st.integers(2, 16).map(lambda n: n * STEP),
)


def draw(name: str) -> float:
    return keys.uniform("test", name)


def profit(cost: float, entry: tuple[float, int]) -> float:
    return entry[1] / MICRO - cost * entry[0]


@settings(max_examples=500)
@given(parameters, worths)
def test_no_type_gains_by_taking_another_contract_or_none(own: Parameters, worth: float) -> None:
    """To a micro-credit a type, which is how payments are rounded."""
    entries = menu(worth, own.costs, own.largest)
    for cost, mine in zip(own.costs, entries, strict=True):
        assert profit(cost, mine) >= -1e-9
        assert all(profit(cost, mine) >= profit(cost, other) - 1e-6 * own.types for other in entries)
    assert profit(own.costs[-1], entries[-1]) <= 1e-6  # the most careful type is left with nothing
    sizes = [size for size, _ in entries]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("worth", [0.3, 1.0, 2.2, 5.0])
def test_no_other_menu_brings_more(worth: float) -> None:
    """Against all menus of falling sizes, each with the least payments that make it incentive compatible (brute force)."""
    costs, grid = (0.2, 0.6, 1.0), [STEP * n for n in range(7)]

    def least_payments(sizes: tuple[float, ...]) -> list[float]:
        return [
            cost * size + sum((costs[j + 1] - costs[j]) * sizes[j + 1] for j in range(k, 2))
            for k, (cost, size) in enumerate(zip(costs, sizes, strict=True))
        ]

    def brings(sizes: tuple[float, ...], payments: list[float]) -> float:
        return sum(worth * sqrt(size) - payment for size, payment in zip(sizes, payments, strict=True)) / 3

    best = max(brings(s, least_payments(s)) for s in product(grid, repeat=3) if s[0] >= s[1] >= s[2])
    entries = menu(worth, costs, 3.0)
    assert brings(tuple(s for s, _ in entries), [p / MICRO for _, p in entries]) == pytest.approx(best, abs=1e-5)


@settings(max_examples=50, deadline=None)
@given(parameters, st.floats(0, 50), st.integers(1, 30))
def test_the_expected_payments_are_the_budget_and_no_more(own: Parameters, budget: float, users: int) -> None:
    policy = Contract(own)
    terms = policy.terms(TermsContext(budget, users, KINDS), draw)
    worth = terms.rewards["subject"]
    expected = [sum(p for _, p in menu(w, own.costs, own.largest)) / own.types * users / MICRO for w in (worth, worth + 2e-6)]
    assert expected[0] <= budget + 1e-9
    assert expected[1] > budget - 1e-6 or worth > 1e5  # a little more worth would break it; or all sizes are the largest


def test_a_user_shares_what_leaves_it_most() -> None:
    """Against all subsets."""
    policy = Contract(Parameters())
    terms = policy.terms(TermsContext(20.0, 5, KINDS), draw)
    entries = menu(terms.rewards["subject"], policy.parameters.costs, policy.parameters.largest)
    for trial in range(40):
        offers = tuple(
            Offer(
                ("subject", "preference", "history")[i % 3], f"i{i}", 3 * draw(f"{trial} cost {i}"), draw(f"{trial} gain {i}") / 2
            )
            for i in range(6)
        )
        response = policy.respond(RespondContext(terms, offers), draw)

        def left(chosen: list[Offer]) -> float:
            size = sum(policy.parameters.size(offer.kind) for offer in chosen)
            return paid_for(size, entries) / MICRO - sum(offer.cost - offer.utility for offer in chosen)

        subsets = [[o for o, there in zip(offers, row, strict=True) if there] for row in product((0, 1), repeat=6)]
        taken = [offer for offer in offers if offer.name in response.items]
        assert left(taken) == pytest.approx(max(left(subset) for subset in subsets), abs=1e-9)


def test_paid_in_full_or_not_used_in_a_drawn_order() -> None:
    policy = Contract(Parameters())
    terms = IncentiveTerms("contract", {"subject": 2.0}, "test")
    entries = menu(2.0, policy.parameters.costs, 8.0)
    one, most = paid_for(3.0, entries) / MICRO, max(payment for _, payment in entries) / MICRO
    assert most > one > 0
    shared = tuple((f"user.{u}", ("subject",), 99.0) for u in range(5))
    settlement = policy.settle(SettleContext(terms, most + 1.5 * one, shared), draw)  # the third could ask for more than is left
    assert sorted(credits for _, credits in settlement.payments) == [0, 0, 0, one, one]
    assert [bool(rows) for _, rows in settlement.accepted or ()] == [credits > 0 for _, credits in settlement.payments]


@pytest.mark.parametrize(
    "wrong", [{"types": 0}, {"cheapest": 0.0}, {"dearest": 0.05}, {"subject": 0.3}, {"largest": 0.0}, {"overbook": -1.0}]
)
def test_parameters_are_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Parameters(**wrong)  # type: ignore[arg-type]
