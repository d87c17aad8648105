"""What edges tell encoder policies, and what the policies learn from receivers, in a whole network."""

import msgspec
import pytest
from semcast.agents.settings import KnowledgeSettings
from semcast.bus.messages import Feedback, Uplink
from semcast.bus.records import AirRecord, Decision
from semcast.policies.registry import resolve

from .networks import Run, run, town, two_users


def with_encoder(settings, text):
    return msgspec.structs.replace(settings, policies=(*settings.policies, resolve("encoder", text)))


def contexts(result: Run) -> dict[str, dict]:
    return {decision.request: decision.context for decision in result.of(Decision) if decision.verb == "choose"}


def test_the_oracle_knows_the_snr_that_the_picture_meets() -> None:
    """To the coherence block that the header begins in, where nothing queues."""
    result = run(with_encoder(two_users(), "genie"))
    airs = {air.request: air for air in result.of(AirRecord) if air.purpose == "features" and air.queue_ns == 0}
    told = contexts(result)
    near = [abs(told[request]["truth"] - air.snr_db) < 0.01 for request, air in airs.items()]
    assert len(near) >= 4 and sum(near) > 0.7 * len(near)
    assert all(abs(told[request]["truth"] - air.snr_db) < 25.0 for request, air in airs.items())


@pytest.mark.parametrize("text", ["argmax-quality", "bandit"])
def test_nobody_else_is_told_the_truth(text: str) -> None:
    assert {context["truth"] for context in contexts(run(with_encoder(two_users(), text))).values()} == {None}


def test_csi_and_picture_age_before_the_symbols_are_on_the_air() -> None:
    result = run(two_users())
    settings = two_users()
    assert contexts(result)
    for context in contexts(result).values():
        assert context["lead_s"] == settings.latency_ms["edge>bs"] / 1e3
        assert context["waited_s"] > context["csi_age_s"] > 0
        assert all(0 < card["encode_s"] < 1e-3 and card["joules"] > 0 for card in context["codecs"])


def test_a_bandit_learns_at_edges_from_what_receivers_report() -> None:
    result = run(with_encoder(town(), "bandit"))
    edges = [agent for name, agent in result.agents.items() if name.startswith("edge.")]
    lessons = sum(sum(known[::2]) for edge in edges for known in edge.state.memory.get("encoder", {}).values())
    told = [up.body for up in result.of(Uplink) if isinstance(up.body, Feedback) and up.body.quality > 0]
    assert 0 < lessons <= len(told)
    later = [context["memory"] for context in contexts(result).values() if context["memory"]]
    assert later and not any(edge.state.chosen for edge in edges)
    assert run(with_encoder(town(), "bandit"), workers=3).digest == result.digest


def test_eviction_is_asked_when_a_store_is_full() -> None:
    bits = max(next(iter(run(two_users()).agents.values())).around.codec_bits.values())
    knowledge = KnowledgeSettings(privacy_cost=(0.1, 0.5), edge_storage_bits=2 * bits)
    settings = two_users(
        knowledge=knowledge, policies=(resolve("eviction", "greedy-dual"), resolve("encoder", "bandit:doubt_db=9"))
    )
    result = run(settings)
    asked = [decision for decision in result.of(Decision) if decision.verb == "evict"]
    assert asked and {decision.policy for decision in asked} == {"greedy-dual"}
    assert all(decision.choice["level"] > 0 for decision in asked)
    assert result.agents["edge.0"].state.store.level == asked[-1].choice["level"]


def test_a_named_codec_goes_up_whatever_the_policy_says_of_the_way_down() -> None:
    settings = two_users(scheme="semcom", codecs="adaptive", uplink_codec="adaptive-cbr12")
    result = run(with_encoder(settings, "fixed:codec=adaptive-cbr48"))
    airs = [air for air in result.of(AirRecord) if air.purpose == "features"]
    assert {(air.direction, air.scheme) for air in airs} == {("up", "jscc:adaptive-cbr12"), ("down", "jscc:adaptive-cbr48")}
