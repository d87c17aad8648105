"""How private shared vectors are: what a run's messages released of every user, and the epsilon of all releases together."""

from collections.abc import Collection, Mapping
from typing import Any

from ...agents.knowledge.privacy import composed
from ...agents.prompt_codec import IDENTIFIERS, decode
from ...agents.settings import KnowledgeSettings


def told_vectors(body: Any) -> list[bytes]:
    """Vectors in a body that goes up: embeddings and identifiers, also those in a prompt's code; float32 bytes."""
    kind = body.__struct_config__.tag
    if kind in ("share", "knowledge"):
        return [item.vector for item in body.items if item.vector]
    if kind == "prompt" and IDENTIFIERS in body.parts:
        return list(decode(body.data).identifiers.values())
    return []


def privacy_results(told: Mapping[str, Collection[bytes]], knowledge: KnowledgeSettings) -> dict[str, float]:
    """Results of a run with noise on shared vectors; empty without.

    A release is a different vector: one that is sent again is no further one. All releases of one user compose
    (``agents.knowledge.privacy.composed``) to ``privacy_epsilon_per_user_max`` at the same delta.

    Args:
        told: User -> the different vectors that it sent.
        knowledge: The scenario's settings.
    """
    epsilon, delta = knowledge.privacy_epsilon, knowledge.privacy_delta
    if epsilon <= 0.0:
        return {}
    most = max((len(vectors) for vectors in told.values()), default=0)
    return {
        "privacy_epsilon_per_release": epsilon,
        "privacy_delta": delta,
        "privacy_releases": float(sum(len(vectors) for vectors in told.values())),
        "privacy_releases_per_user_max": float(most),
        "privacy_epsilon_per_user_max": composed(epsilon, delta, most),
    }
