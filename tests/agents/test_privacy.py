"""Differential privacy in a whole network: true vectors stay at home, releases are counted from what was really sent."""

from functools import cache

import numpy as np
import pytest
from semcast.agents.knowledge.privacy import composed
from semcast.agents.knowledge.retrieval import as_vector, to_float16
from semcast.agents.settings import KnowledgeSettings, TrafficSettings
from semcast.bus.messages import Uplink
from semcast.bus.records import KbRecord
from semcast.policies.registry import resolve
from semcast.scenarios.metrics.privacy import privacy_results, told_vectors

from .networks import CODEC, Run, run, town

TRAFFIC = TrafficSettings(duration_s=8.0, start_s=2.0, rate_hz=1.0, subject_share=0.9, objects=(1, 2), feedback_sync_s=2.0)


@cache
def played(epsilon: float) -> Run:
    """So little budget that some offers are refused: then prompts carry identifiers."""
    knowledge = KnowledgeSettings(privacy_cost=(0.1, 0.5), budget=4.0, privacy_epsilon=epsilon)
    policies = (resolve("prompt", "fixed:parts=all"), resolve("incentive", "posted:overbook=4"))
    return run(town(knowledge=knowledge, traffic=TRAFFIC, policies=policies))


def told(result: Run) -> dict[str, set[bytes]]:
    sent: dict[str, set[bytes]] = {}
    for up in result.of(Uplink):
        sent.setdefault(up.user, set()).update(told_vectors(up.body))
    return {user: vectors for user, vectors in sent.items() if vectors}


def own_vectors(result: Run) -> dict[str, list[bytes]]:
    """User -> embeddings of its preferences and identifiers of its subjects, as float16 leaves them."""
    found: dict[str, list[bytes]] = {}
    for envelope in result.sent(KbRecord):
        record, user = envelope.payload, envelope.source
        if user.startswith("user.") and record.item_kind in ("preference", "subject"):
            vectors = [record.data] if record.item_kind == "subject" else [record.vector]
            found.setdefault(user, []).extend(to_float16(vector) for vector in vectors if vector)
    return found


def test_without_epsilon_vectors_are_told_as_they_are() -> None:
    own = own_vectors(played(0.0))
    sent = told(played(0.0))
    assert sent and all(vector in own[user] for user, vectors in sent.items() for vector in vectors)


@pytest.mark.parametrize("epsilon", [2.0, 500.0])
def test_with_epsilon_no_true_vector_is_told(epsilon: float) -> None:
    result = played(epsilon)
    own, sent = own_vectors(result), told(result)
    assert {len(vectors) for vectors in sent.values()} >= {1, 2}
    assert not any(vector in own[user] for user, vectors in sent.items() for vector in vectors)
    taken = [agent for name, agent in result.agents.items() if name == "cloud.0"][0].state.kb.of_kind("preference")
    assert all(item.vector in sent[item.name] for item in taken)
    said = [CODEC.encode(up) for up in result.sent(Uplink)]
    halves = [as_vector(vector).astype("<f2").tobytes() for vectors in own.values() for vector in vectors]
    assert not any(half in raw for half in halves for raw in said)


def test_more_epsilon_is_less_noise() -> None:
    def likeness(epsilon: float) -> float:
        own, sent = own_vectors(played(epsilon)), told(played(epsilon))
        pairs = [(v, [w for w in own[user] if len(w) == len(v)]) for user, vectors in sent.items() for v in sorted(vectors)]
        return float(np.mean([max(float(as_vector(v) @ as_vector(w)) for w in true) for v, true in pairs]))

    assert likeness(2.0) < likeness(500.0) < 0.999 < likeness(0.0)


def test_releases_of_a_user_compose() -> None:
    sent, knowledge = told(played(2.0)), played(2.0).agents["cloud.0"].settings.knowledge
    found = privacy_results(sent, knowledge)
    most = max(len(vectors) for vectors in sent.values())
    assert found["privacy_releases"] == sum(len(vectors) for vectors in sent.values())
    assert found["privacy_releases_per_user_max"] == most >= 2
    assert 2.0 < found["privacy_epsilon_per_user_max"] == composed(2.0, 1e-5, most) < 2.0 * most
    assert privacy_results(sent, KnowledgeSettings()) == {}
