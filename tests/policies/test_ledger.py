"""The ledger: elections by stake, what validators object to, and every tampering found at its block."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.bus import keys
from semcast.bus.blocks import Block, Entry
from semcast.policies.incentive.ledger import (
    GENESIS,
    VALIDATION,
    Broken,
    Ledger,
    Rules,
    Seal,
    Tally,
    advance,
    attest,
    attested,
    choose,
    elect,
    hash_of,
    majority,
    objection,
    propose,
    verify,
)
from semcast.policies.incentive.sharing import MICRO
from semcast.policies.registry import load, resolve

USERS = tuple(f"user.{u}" for u in range(6))
RULES = Rules(4, 50_000, 100 * MICRO)
Chain = list[tuple[Block, Seal]]


def key_of(user: str) -> bytes:
    return keys.digest(("test", user), 32)


def sealed(block: Block) -> tuple[Block, Seal]:
    return block, tuple((name, attest(block, key_of(name))) for name in block.validators)


@st.composite
def chains(draw) -> Chain:
    """Chains of up to 5 blocks as the rules make them, from ballots and contributions of all sorts."""
    tally, chain = Tally(), []
    for number in range(draw(st.integers(1, 5))):
        voters = USERS if number == 0 else draw(st.lists(st.sampled_from(USERS), unique=True, max_size=3))
        ballots = [(user, choose(user, tally, RULES.validators)) for user in voters]
        earned = draw(st.lists(st.tuples(st.sampled_from(USERS), st.integers(0, 2 * MICRO)), max_size=4))
        block = propose(tally, ballots, [Entry(user, "subject", credits) for user, credits in earned], RULES)
        assert objection(tally, block, RULES) == ""
        tally = advance(tally, block)
        chain.append(sealed(block))
    return chain


@given(chains())
def test_what_the_rules_make_holds(chain: Chain) -> None:
    assert verify(chain, RULES, key_of) is None
    assert chain[0][0].previous == GENESIS


CHANGES = ("user", "contribution", "credits", "drop", "add", "swap")


def tampered(block: Block, draw: st.DataObject) -> Block:
    """One entry changed, dropped, added or moved."""
    entries = list(block.entries)
    at = draw.draw(st.integers(0, len(entries) - 1))
    entry, how = entries[at], draw.draw(st.sampled_from(CHANGES))
    if how == "drop":
        del entries[at]
    elif how == "add":
        entries.insert(at, Entry("user.0", "subject", 1))
    elif how == "swap":
        entries.insert(draw.draw(st.integers(0, len(entries) - 1)), entries.pop(at))
    else:
        other = {"user": "user.9", "contribution": "history", "credits": entry.credits + draw.draw(st.integers(1, MICRO))}
        entries[at] = msgspec.structs.replace(entry, **{how: other[how]})
    return msgspec.structs.replace(block, entries=tuple(entries))


@settings(max_examples=300, deadline=None)
@given(chains(), st.data())
def test_tampering_with_any_entry_of_any_block_is_found_there(chain: Chain, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(chain) - 1))
    block, seal = chain[number]
    changed = tampered(block, data)
    broken = verify([*chain[:number], (changed, seal), *chain[number + 1 :]], RULES, key_of)
    assert (broken is not None and broken.number == number) if changed != block else broken is None


@settings(max_examples=200, deadline=None)
@given(chains(), st.data())
def test_who_makes_the_hashes_fit_again_lacks_the_keys(chain: Chain, data: st.DataObject) -> None:
    """From the changed block on all are chained anew, with the old attestations or such of other keys."""
    number, forged = data.draw(st.integers(0, len(chain) - 1)), data.draw(st.booleans())
    changed = msgspec.structs.replace(chain[number][0], entries=(Entry("user.0", "subject", 7), *chain[number][0].entries))
    made: Chain = list(chain[:number])
    previous = changed.previous
    for block, seal in [(changed, chain[number][1]), *chain[number + 1 :]]:
        block = msgspec.structs.replace(block, previous=previous)
        previous = hash_of(block)
        made.append((block, tuple((name, attest(block, bytes(32))) for name, _ in seal) if forged else seal))
    broken = verify(made, RULES, key_of)
    assert broken is not None and broken.number == number and "attest it" in broken.reason


@given(chains(), st.data())
def test_ballots_validators_and_missing_blocks_are_found(chain: Chain, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(chain) - 1))
    block, seal = chain[number]
    for change in ({"ballots": block.ballots[1:]}, {"validators": block.validators[::-1]}, {"number": number + 1}):
        changed = msgspec.structs.replace(block, **change)
        if changed != block:
            broken = verify([*chain[:number], (changed, seal), *chain[number + 1 :]], RULES, key_of)
            assert broken is not None and broken.number == number
    if number < len(chain) - 1:
        assert verify([*chain[:number], *chain[number + 1 :]], RULES, key_of) == Broken(
            number, f"its number is {number + 1}, {number} is due"
        )


@pytest.mark.parametrize("validators", range(1, 30))
def test_a_block_needs_more_than_two_thirds(validators: int) -> None:
    needed = majority(validators)
    assert 3 * needed > 2 * validators >= 3 * (needed - 1)
    assert majority(21) == 15  # as in EOSIO


def test_too_few_attestations_do_not_make_a_block() -> None:
    block = propose(Tally(), [(user, (user,)) for user in USERS], [], RULES)
    seal = sealed(block)[1]
    assert verify([(block, seal[:3])], RULES, key_of) is None
    assert "2 of its 4 validators attest it, 3 are needed" in verify([(block, seal[:2] + seal[:1] * 2)], RULES, key_of).reason
    foreign = (("user.9", attest(block, key_of("user.9"))), ("user.0", b"no hash"))
    assert attested(block, foreign, key_of) == ()


def test_election_by_hand() -> None:
    """Weights are stakes and one micro-credit; a ballot's whole weight goes to each whom it names."""
    tally = Tally(stakes={"a": 5, "b": 3, "c": 3}, ballots={"a": ("x", "y"), "b": ("y",), "c": ("z",)})
    assert elect(tally, (), 2) == ("y", "x")  # y: 6 + 4, x: 6, z: 4
    assert elect(tally, (("a", ("z",)),), 9) == ("z", "y")  # z: 6 + 4, y: 4; a ballot replaces the one before
    lots = {elect(Tally(head=bytes([n])), [(user, (user,)) for user in USERS], 1) for n in range(40)}
    assert len(lots) == len(USERS)  # nobody has earned anything: the lot decides, differently with every head


def test_users_vote_for_themselves_and_those_with_most_stake() -> None:
    tally = Tally(stakes={"a": 5, "b": 9, "c": 0, "me": 1})
    assert choose("me", tally, 3) == ("me", "b", "a") and choose("me", tally, 9) == ("me", "b", "a")
    assert choose("me", Tally(), 4) == ("me",)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"previous": b"x"}, "hash of the block before"),
        ({"ballots": (("b", ("b",)), ("a", ("a",)))}, "out of order"),
        ({"ballots": (("a", ("a", "a")),)}, "twice"),
        ({"ballots": (("a", tuple("abcde")),)}, "more than 4"),
        ({"validators": ("user.9",)}, "elected were"),
        ({"entries": (Entry("user.0", "subject", -1),)}, "takes credits away"),
        ({"entries": ()}, "fees are not 0.05"),
        ({"entries": (Entry("user.0", VALIDATION, 9),)}, "fees are not 0.05"),
    ],
)
def test_validators_object(change: dict[str, object], reason: str) -> None:
    block = propose(Tally(), [(user, (user,)) for user in USERS], [], RULES)
    assert reason in objection(Tally(), msgspec.structs.replace(block, **change), RULES)


def test_a_block_beyond_the_budget_is_refused() -> None:
    entries = [Entry("user.0", "subject", RULES.budget - 4 * RULES.fee)]
    ballots = [(user, (user,)) for user in USERS]
    assert objection(Tally(), propose(Tally(), ballots, entries, RULES), RULES) == ""
    spent = Tally(stakes={"user.5": 1})
    assert "exceed the budget of 100" in objection(spent, propose(spent, ballots, entries, RULES), RULES)


@given(st.integers(0, 50_000), st.floats(0, 1), st.integers(1, 9), st.integers(1, 40))
def test_fees_and_contributions_share_the_budget(thousandths: int, fee: float, validators: int, rounds: int) -> None:
    budget, ledger = thousandths / 1000, Ledger(validators, fee)
    rules = ledger.rules(budget, rounds)
    fees = rules.fee * validators * rounds
    left = round(ledger.for_contributions(budget) * MICRO)
    assert fees >= 0 and fees + left <= rules.budget == round(budget * MICRO)
    assert fees + left > rules.budget - validators * rounds - 1  # nothing is lost but what does not divide


def test_the_policy_brings_its_ledger() -> None:
    policy = load(resolve("incentive", "dpos:validators=3,fee=0.2"))
    assert policy.ledger == replace(policy.ledger, validators=3, fee=0.2)


@given(chains())
def test_a_seal_holds_nothing_but_attestations(chain: Chain) -> None:
    block, seal = chain[-1]
    for surplus in (("user.99", b"junk"), seal[0]):
        broken = verify([*chain[:-1], (block, (*seal, surplus))], RULES, key_of)
        assert broken is not None and broken.number == block.number
