"""Looks of personal subjects as vectors: measured ones of the catalog, and for all else what their class and colour fix."""

from functools import lru_cache

import numpy as np

from ....bus import keys
from ...sketches import Thing
from .store import Stored

SIZE = 48
"""Length of an identifier vector, float32, unit norm."""


def catalog(stored: Stored) -> dict[str, bytes]:
    """The identifier of every subject of the catalog (name -> little-endian float32)."""
    return {name: np.frombuffer(vector, "<f2").astype("<f4").tobytes() for name, vector in stored.table.looks.items()}


def look(stored: Stored, thing: Thing) -> np.ndarray:
    """The vector of a thing that a picture shows, float32 of unit norm."""
    if thing.subject in stored.table.looks:
        vector = np.frombuffer(stored.table.looks[thing.subject], "<f2").astype(np.float32)
    else:
        vector = keys.generator("table", "look", thing.label, thing.colour).standard_normal(SIZE, dtype=np.float32)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def alike(stored: Stored, name: str, vector: bytes) -> float:
    """Cosine of an identifier vector to the look of the subject of a name; 0 if one of them is none."""
    return _alike(stored.table.looks.get(name, b""), vector)


@lru_cache(maxsize=1 << 10)
def _alike(look: bytes, vector: bytes) -> float:
    if not look or len(vector) != 4 * SIZE:
        return 0.0
    a, b = np.frombuffer(look, "<f2").astype(np.float64), np.frombuffer(vector, "<f4").astype(np.float64)
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if np.isfinite(b).all() and length else 0.0
