"""Invented outcomes of comparisons whose truth is known."""

from collections.abc import Mapping

import numpy as np
from semcast.bus import keys
from semcast.scenarios.comparison.cells import Cell, columns


def cell(point: str, seed: int, requests: list[str], **given: list[float] | list[float | None]) -> Cell:
    """A cell whose other columns are ones."""
    values = {name: list(given.get(name, [1.0] * len(requests))) for name in columns()}
    return Cell(point, seed, "", tuple(requests), values, {})


def clustered(key: str, seeds: int, requests: int, between: float, within: float) -> tuple[np.ndarray, np.ndarray]:
    """Values of mean 0 with a part that each seed's requests share: (values, seed of each request)."""
    rng = keys.generator("test", key)
    shared = between * rng.standard_normal(seeds)
    values = np.repeat(shared, requests) + within * rng.standard_normal(seeds * requests)
    return values, np.repeat(np.arange(seeds), requests)


def cells_of(point: str, columns_of: Mapping[str, np.ndarray], seeds: list[int]) -> list[Cell]:
    """A point's cells from columns of shape (seeds, requests)."""
    found = []
    for s, seed in enumerate(seeds):
        rows = {name: [float(value) for value in values[s]] for name, values in columns_of.items()}
        found.append(cell(point, seed, [f"u/{i}" for i in range(len(next(iter(rows.values()))))], **rows))
    return found
