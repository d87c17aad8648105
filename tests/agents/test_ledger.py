"""The ledger in a whole network: its blocks are real, everybody follows them, and nothing is paid or used without one."""

from functools import cache

import msgspec
import pytest
from semcast.agents.ledger import rounds_of, rules_of
from semcast.agents.settings import TrafficSettings
from semcast.agents.signatures import key_of
from semcast.agents.user import User
from semcast.bus.blocks import Attestation, Ballot, Proposal, SealedBlock
from semcast.bus.engine import Context
from semcast.bus.messages import Arrived, Downlink, Forwarded, Settlement, Uplink
from semcast.bus.records import AirRecord, Decision
from semcast.policies.incentive.ledger import VALIDATION, majority, verify
from semcast.policies.incentive.sharing import MICRO
from semcast.policies.registry import load, resolve

from .networks import Run, run, town, two_users

DPOS = resolve("incentive", "dpos")
SETTINGS = town(policies=(DPOS,))
RULES = rules_of(SETTINGS, load(DPOS))


@cache
def kept(workers: int = 1) -> Run:
    return run(SETTINGS, workers)


def recorded(result: Run) -> list[SealedBlock]:
    return [e.payload for e in result.sent(SealedBlock)]


def key(user: str) -> bytes:
    return key_of(SETTINGS.seed, user)


def test_a_block_is_sealed_every_round_and_the_chain_holds() -> None:
    blocks = recorded(kept())
    assert len(blocks) == rounds_of(SETTINGS.traffic) == 5
    assert verify([(one.block, tuple(one.seal)) for one in blocks], RULES, key) is None
    assert all(len(one.seal) >= majority(len(one.block.validators)) for one in blocks)
    assert len({one.block.validators for one in blocks}) > 1


@pytest.mark.parametrize("workers", [2, 4])
def test_the_ledger_does_not_depend_on_the_number_of_workers(workers: int) -> None:
    assert kept(workers).digest == kept().digest


def test_states_survive_serialisation() -> None:
    for agent in kept().agents.values():
        raw = msgspec.msgpack.encode(agent.state)
        assert msgspec.msgpack.decode(raw, type=type(agent.state)) == agent.state


def test_everybody_follows_the_chain_and_votes_in_its_own_interest() -> None:
    head = kept().agents["cloud.0"].state.ledger.tally
    for user in SETTINGS.users:
        state = kept().agents[user.id].state
        assert state.tally == head
        assert state.votes[0] == user.id and len(state.votes) == RULES.validators


def test_credits_of_the_ledger_are_what_users_are_paid_within_the_budget() -> None:
    stakes = kept().agents["cloud.0"].state.ledger.tally.stakes
    for user in SETTINGS.users:
        assert round(kept().agents[user.id].state.credits * MICRO) == stakes.get(user.id, 0)
    assert 0 < sum(stakes.values()) <= RULES.budget


def test_everything_about_the_ledger_crosses_the_charged_air() -> None:
    result = kept()
    said = [up.body for up in result.of(Uplink)] + [down.body for down in result.of(Downlink)]
    assert {Ballot, Proposal, Attestation, SealedBlock, Settlement} <= {type(body) for body in said}
    airs = [air for air in result.of(AirRecord) if air.purpose == "ledger"]
    assert {air.direction for air in airs} == {"up", "down"} and all(air.complex_symbols > 0 for air in airs)
    heard = sum(isinstance(arrived.body, SealedBlock) for arrived in result.of(Arrived))
    assert heard == len(SETTINGS.users) * rounds_of(SETTINGS.traffic)
    blocks = {down.body.block.number: down for down in result.of(Downlink) if isinstance(down.body, SealedBlock)}
    assert min(down.payload_bits for down in blocks.values()) > 256 * (1 + RULES.validators * 2 // 3)


def test_what_is_accepted_is_used_once_its_block_is_sealed() -> None:
    """And if no validator attests any, nothing is paid, and nobody's subject is used."""
    cloud = kept().agents["cloud.0"].state
    given = [e for one in recorded(kept()) for e in one.block.entries if e.contribution != VALIDATION]
    assert {subject.user for subject in cloud.subjects.values()} == {e.user for e in given if "subject" in e.contribution}
    silent = run(two_users(policies=(DPOS,)), change=lambda agent: setattr(agent, "got_proposal", lambda *_: None))
    state = silent.agents["cloud.0"].state
    assert state.ledger.taken and state.ledger.entries and not recorded(silent)
    assert not state.subjects and not any(silent.agents[user].state.credits for user in ("user.0", "user.1"))


def test_further_pictures_are_offered_at_a_price_and_settled_in_rounds() -> None:
    traffic = TrafficSettings(duration_s=10.0, start_s=2.0, rate_hz=2.0, subject_share=1.0, objects=(1, 2), feedback_sync_s=2.0)
    busy = run(two_users(policies=(DPOS,), traffic=traffic))
    asked = [d for d in busy.of(Decision) if d.verb == "respond" and d.context["offers"][0]["kind"] == "history"]
    assert asked and all(d.context["offers"][0]["cost"] < 0.5 / 4 for d in asked)
    entries = [e for one in recorded(busy) for e in one.block.entries if e.contribution == "history"]
    assert entries and all(e.credits > 0 for e in entries)
    cloud = busy.agents["cloud.0"].state
    assert any(len(subject.samples) > 4 for subject in cloud.subjects.values()) and not cloud.ledger.later


def test_who_misses_blocks_asks_for_them() -> None:
    """Half of the users are deaf to announcements of blocks 0 and 2; in the end all know the whole chain."""

    def deafen(agent: object) -> None:
        if isinstance(agent, User) and agent.id in ("user.0", "user.1", "user.2", "user.3"):
            hear, missed = agent.got_sealed_block, []

            def got_sealed_block(sealed: SealedBlock, message: Arrived, ctx: Context) -> None:
                if sealed.block.number in (0, 2) and sealed.block.number not in missed:
                    missed.append(sealed.block.number)
                else:
                    hear(sealed, message, ctx)

            agent.got_sealed_block = got_sealed_block  # type: ignore[method-assign]

    result = run(SETTINGS, change=deafen)
    assert len(recorded(result)) == rounds_of(SETTINGS.traffic)
    asked = [up for up in result.of(Uplink) if isinstance(up.body, Attestation) and not up.body.tag]
    assert {up.user for up in asked} == {"user.0", "user.1", "user.2", "user.3"}
    head = result.agents["cloud.0"].state.ledger.tally
    assert all(result.agents[user.id].state.tally == head for user in SETTINGS.users)


def test_other_incentives_keep_no_ledger() -> None:
    result = run(two_users())
    assert not recorded(result) and not [up for up in result.of(Uplink) if isinstance(up.body, Ballot)]
    assert rules_of(SETTINGS, load(resolve("incentive", "posted"))) is None


def test_a_ballot_that_no_block_could_hold_is_dropped() -> None:
    cloud = run(town(policies=(resolve("incentive", "dpos"),))).agents["cloud.0"]
    before = dict(cloud.state.ledger.ballots)
    for votes in (["user.0", "user.0"], ["user.ghost"], [f"user.{i}" for i in range(8)]):
        cloud.got_ballot(Ballot(votes), Forwarded("user.1", "bs.0", "", Ballot(votes)), None)
    assert cloud.state.ledger.ballots == before
