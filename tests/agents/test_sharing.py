"""Sharing levels on the records of whole runs: what a user did not share never leaves its agent, whatever the incentive."""

from functools import cache

import msgspec
import pytest
from msgspec import structs
from semcast.agents.knowledge.items import CLOUD, OWN
from semcast.agents.knowledge.retrieval import as_vector
from semcast.agents.pictures import ALBUM_PICTURES
from semcast.agents.settings import KnowledgeSettings, TrafficSettings
from semcast.bus.messages import Arrived, BranchReady, Delta, Share, SharedItem, Uplink
from semcast.bus.records import Decision
from semcast.policies.registry import BUILT_IN, resolve

from .networks import CODEC, Run, run, town
from .secrets import Record, leaks, secrets_of

INCENTIVES = tuple(BUILT_IN["incentive"])
TIGHT = ("posted:overbook=6", "contract:overbook=6", "reverse-auction:reserve=12", "dpos:overbook=6")
"""Offers are more than the budget pays for."""
TRAFFIC = TrafficSettings(duration_s=8.0, start_s=2.0, rate_hz=1.0, subject_share=0.7, objects=(1, 2), feedback_sync_s=2.0)


@cache
def played(incentive: str, dearest: float) -> Run:
    knowledge = KnowledgeSettings(privacy_cost=(0.2, dearest), budget=8.0)
    return run(
        town(policies=(resolve("incentive", incentive), resolve("prompt", "budget")), knowledge=knowledge, traffic=TRAFFIC)
    )


def records(result: Run) -> list[Record]:
    return [(envelope, CODEC.encode(envelope), private) for envelope, private in result.records]


@pytest.mark.parametrize("incentive", INCENTIVES)
def test_what_is_not_shared_is_in_no_message(incentive: str) -> None:
    """Vectors, pictures and whose they are; costs are so that some users decline to share their subjects."""
    written = records(played(incentive, 6.0))
    secrets = secrets_of(written)
    assert len(secrets.vectors) > 8 and len(secrets.pictures) > 60 and secrets.subjects
    assert list(leaks(written, secrets)) == []


def test_a_leak_would_be_found() -> None:
    """A declined vector as it is and as float16, a picture, and a subject among what is shared."""
    written = records(played("none", 6.0))
    secrets = secrets_of(written)
    envelope = next(e for e, _, _ in written if isinstance(e.payload, Uplink) and isinstance(e.payload.body, Share))
    vector = next(iter(secrets.vectors.values()))[0]
    picture = next(iter(secrets.pictures.values()))[0]
    for stolen in (vector, as_vector(vector).astype("<f2").tobytes(), picture):
        assert len(list(leaks([(envelope, b"x" + stolen + b"x", False)], secrets))) >= 1
        assert list(leaks([(envelope, b"x" + stolen + b"x", True)], secrets)) == []
    user, names = next(iter(secrets.subjects.items()))
    body = Share(user, [SharedItem("subject", names[0], "dog", b"")], 0.0)
    told = structs.replace(envelope, payload=structs.replace(envelope.payload, body=body))
    assert len(list(leaks([(told, CODEC.encode(told), False)], secrets))) == 1


@pytest.mark.parametrize("incentive", TIGHT)
def test_what_a_settlement_refused_is_deleted_at_the_cloud(incentive: str) -> None:
    result = played(incentive, 2.0)
    shares = {up.body.user: up.body for up in result.of(Uplink) if isinstance(up.body, Share)}
    settle = next(d for d in result.of(Decision) if d.verb == "settle" and d.about == "settle")
    accepted = dict(settle.choice["accepted"])
    refused = [item for user, rows in accepted.items() for i, item in enumerate(shares[user].items) if i not in rows]
    used = [item for user, rows in accepted.items() for i, item in enumerate(shares[user].items) if i in rows]
    kept = msgspec.msgpack.encode(result.agents["cloud.0"].state)
    assert refused and used
    assert not any(raw in kept for item in refused for raw in (item.vector, *item.pictures) if raw)
    assert all(raw in kept for item in used for raw in (item.vector, *item.pictures))


@pytest.mark.parametrize("incentive", INCENTIVES)
def test_levels_rise_only_for_what_was_bought_or_is_worth_telling(incentive: str) -> None:
    result = played(incentive, 6.0)
    for decision, user in ((e.payload, e.source) for e in result.sent(Decision) if e.payload.verb == "respond"):
        kb = result.agents[user].state.kb
        for offer in decision.context["offers"]:
            kind, _, name = offer["name"].partition(":")
            item = kb.get(kind, name)
            if item is None or kind == "history":
                continue
            bought = offer["name"] in decision.choice["items"] and (kind != "subject" or name in result.agents[user].state.known)
            worth_telling = kind == "subject" and offer["cost"] / ALBUM_PICTURES <= offer["utility"]
            assert item.sharing == (CLOUD if bought or worth_telling else OWN)


def test_what_is_learned_of_a_subject_goes_to_its_owner_alone() -> None:
    traffic = structs.replace(TRAFFIC, subject_share=1.0, rate_hz=2.0)
    settings = town(policies=(resolve("incentive", "posted"),), traffic=traffic)
    owner = {name: user.id for user in settings.users for name in user.subjects}
    told = [(e.destination, e.payload.body) for e in run(settings).sent(Arrived)]
    ready = [(user, body.subject) for user, body in told if isinstance(body, BranchReady)]
    refined = [(user, name) for user, body in told if isinstance(body, Delta) for name in body.identifiers]
    assert ready and refined and all(owner[name] == user for user, name in ready + refined)
