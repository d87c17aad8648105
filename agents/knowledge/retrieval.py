"""Finding items by meaning: cosine similarity of MiniLM embeddings."""

from collections.abc import Iterable

import numpy as np

from .items import KbItem


def as_vector(raw: bytes) -> np.ndarray:
    """Little-endian float32 bytes -> vector."""
    return np.frombuffer(raw, dtype="<f4")


def nearest(query: bytes, items: Iterable[KbItem], count: int = 1) -> list[tuple[float, KbItem]]:
    """The items most similar to a query.

    Args:
        query: Unit-norm float32 embedding.
        items: Candidates; those without an embedding are passed over.
        count: How many to return at most.

    Returns:
        (cosine similarity in [-1, 1], item), best first; equal ones in the order given.
    """
    held = [item for item in items if item.vector]
    if not held or not query:
        return []
    matrix = np.stack([as_vector(item.vector) for item in held]).astype(np.float64)
    scores = matrix @ as_vector(query).astype(np.float64)
    order = np.argsort(-scores, kind="stable")[:count]
    return [(float(min(max(scores[i], -1.0), 1.0)), held[i]) for i in order]


def to_float16(vector: bytes) -> bytes:
    """Float32 bytes -> the float32 bytes of what is left after a trip as float16 (how vectors travel)."""
    return as_vector(vector).astype("<f2").astype("<f4").tobytes()
