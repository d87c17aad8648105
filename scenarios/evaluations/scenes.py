"""Scenes that no training has seen, and how a model is run over many of them."""

from collections.abc import Sequence
from typing import Any

from ...agents.models.roles import Model
from ...agents.scenes.world import Scene, make_scene

MAX_OBJECTS = 4


def held_out(scenes: int, low: int = 1, high: int = MAX_OBJECTS) -> list[Scene]:
    """The held-out scenes of `low` to `high` objects: their key is used nowhere else."""
    return [make_scene("evaluation", "held-out", i, count=(low, high)) for i in range(scenes)]


def run_all(model: Model, arguments: Sequence[Any]) -> list[Any]:
    """Run a model over many arguments in its fixed batches, the last one filled up; all must be of one group."""
    results: list[Any] = []
    for start in range(0, len(arguments), model.batch):
        batch = list(arguments[start : start + model.batch])
        results += model.run(batch + batch[-1:] * (model.batch - len(batch)))[: len(batch)]
    return results
