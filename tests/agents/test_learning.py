"""Policies that learn or rehearse in a whole network: what it costs, what they hear, and that others are left alone."""

from functools import cache

import msgspec
import pytest
from semcast.agents.accounting import body_bits
from semcast.bus.messages import Downlink, Feedback, Forwarded, Reception, SeenThing, Uplink
from semcast.bus.records import AirRecord, Capture, Decision, Shown
from semcast.policies.registry import resolve

from .networks import Run, run, two_users


def playing(*policies: str, **changes) -> Run:
    specs = tuple(resolve(*policy.split("=", 1)) for policy in policies)
    traffic = msgspec.structs.replace(two_users().traffic, rate_hz=2.0)
    return run(two_users(policies=specs, traffic=traffic, **changes))


@cache
def learning() -> Run:
    return playing("noise=regression", "prompt=bandit", "encoder=bandit")


def test_nobody_looks_back_where_nobody_learns() -> None:
    result = playing()
    assert result.of(Feedback) == [] and all(up.body.seen is None for up in result.of(Uplink) if isinstance(up.body, Feedback))
    assert not [down for down in result.of(Downlink) if isinstance(down.body, Reception)]


@pytest.mark.parametrize("scheme", ["semcom", "aigc-scm"])
def test_nobody_looks_back_where_policies_of_prompts_are_not_asked(scheme: str) -> None:
    result = playing("noise=regression", "prompt=bandit", "encoder=bandit", scheme=scheme)
    assert result.of(Shown) and all(up.body.seen is None for up in result.of(Uplink) if isinstance(up.body, Feedback))
    assert not [down for down in result.of(Downlink) if isinstance(down.body, Reception)]


def test_senders_hear_what_receivers_saw_and_it_is_charged() -> None:
    result = learning()
    told = {down.body.request: down.body for down in result.of(Downlink) if isinstance(down.body, Reception)}
    assert set(told) == {capture.request for capture in result.of(Capture)}  # failed ones, too
    shown = {record.request for record in result.of(Shown)}
    assert any(reception.seen for request, reception in told.items() if request in shown)
    sent = [up.body for up in result.of(Uplink) if isinstance(up.body, Feedback)]
    assert {feedback.request for feedback in sent} == shown
    charged = {
        air.request: air.payload_bits for air in result.of(AirRecord) if air.purpose == "feedback" and air.direction == "down"
    }
    assert charged == {request: body_bits(reception) for request, reception in told.items() if request in charged}
    thing = SeenThing("dog", 1, 2, 3, 4)
    one, two = (body_bits(Feedback("user.0/1", 1.0, 1.0, 1, [thing] * number)) for number in (1, 2))
    assert two - one == 6 + 4 * 6 and one - body_bits(Feedback("user.0/1", 1.0, 1.0, 1)) == 4 + 6 + 4 * 6


def test_memory_is_in_the_agents_and_in_the_contexts() -> None:
    result = learning()
    memories = {name: agent.state.memory for name, agent in result.agents.items() if agent.state.memory}
    assert set(memories) == {"user.0", "user.1", "edge.0"}
    assert set(memories["user.0"]) == {"noise", "prompt"} and set(memories["edge.0"]) == {"encoder"}
    decisions = [decision for decision in result.of(Decision) if decision.policy_kind == "noise"]
    assert decisions[0].context["memory"] == {} and decisions[-1].context["memory"]


def test_learning_has_one_digest_for_any_number_of_workers() -> None:
    specs = tuple(resolve(kind, name) for kind, name in (("noise", "regression"), ("prompt", "bandit"), ("encoder", "bandit")))
    assert run(two_users(policies=specs), 2).digest == run(two_users(policies=specs), 1).digest


@pytest.mark.parametrize(("policy", "told"), [("self-consistency", "rehearsed"), ("oracle", "truth")])
def test_a_rehearsal_comes_before_the_prompt(policy: str, told: str) -> None:
    result = playing(f"noise={policy}")
    contexts = [decision.context for decision in result.of(Decision) if decision.policy_kind == "noise"]
    other = "truth" if told == "rehearsed" else "rehearsed"
    assert contexts and all(0 <= context[told] <= 1 and context[other] is None for context in contexts)
    plain = [decision.context for decision in playing().of(Decision) if decision.policy_kind == "noise"]
    assert all(context["rehearsed"] is None and context["truth"] is None for context in plain)


def test_only_a_privileged_encoder_policy_is_told_the_channel() -> None:
    def truths(policy: str) -> set[bool]:
        decisions = playing(f"encoder={policy}").of(Decision)
        return {decision.context["truth"] is None for decision in decisions if decision.policy_kind == "encoder"}

    assert truths("genie") == {False} and truths("argmax-quality") == {True}


def test_feedback_reaches_the_sender_by_another_edge() -> None:
    from .networks import town

    result = run(town(policies=(resolve("noise", "regression"),)))
    assert [message for message in result.of(Forwarded) if isinstance(message.body, Feedback)]
    heard = [agent for name, agent in result.agents.items() if name.startswith("user.") and agent.state.memory]
    assert len(heard) > 4
