"""Sentences of the captioner about held-out scenes, read back as multisets of (class, colour)."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ...agents.models.loading import PROFILES, load_models
from ...agents.models.roles import Extract, Extraction, Model
from ...agents.scenes.caption import parse
from ...agents.scenes.draw import draw
from ...agents.scenes.world import Scene
from ...bus.errors import BadInput
from . import Request
from .scenes import held_out, run_all
from .score import Score, Skipped, ratio

SETS = {"1_to_4": (1, 4), "at_8": (8, 8)}
"""Name of a set of scenes -> fewest and most objects asked for (a crowded scene may hold fewer)."""


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """F1 = 2 |said & true| / (|said| + |true|) over all scenes, & of multisets of (class, colour).

    A sentence that does not parse says nothing. With it the share of scenes in which nothing is wrong, background included.
    """
    names = {f"caption_{what}_{name}" for name in SETS for what in ("f1", "exact")}
    if "captioner" not in PROFILES.get(request.profile, {}):
        return {name: Skipped(f"profile {request.profile} has no captioner for scenes") for name in sorted(names)}
    model = load_models(request.profile, ["captioner"])["captioner"]
    scores: dict[str, Score | Skipped] = {}
    for name, (low, high) in SETS.items():
        rows = counts(model, held_out(request.scenes, low, high))
        scores[f"caption_f1_{name}"] = ratio(rows, lambda sums: np.asarray(2 * sums[..., 0] / np.maximum(1, sums[..., 1])))
        scores[f"caption_exact_{name}"] = ratio(rows, lambda sums: np.asarray(sums[..., 2] / sums[..., 3]))
    return scores


def counts(model: Model, scenes: Sequence[Scene]) -> np.ndarray:
    """One row a scene: things said and true, |said| + |true|, 1 if nothing is wrong, 1."""
    results: list[Extraction] = run_all(model, [Extract(draw(scene).tobytes()) for scene in scenes])
    return np.array([_row(scene, result.caption) for scene, result in zip(scenes, results, strict=True)], dtype=float)


def _row(scene: Scene, text: str) -> tuple[int, int, bool, int]:
    true = Counter((thing.label, thing.colour) for thing in scene.objects)
    try:
        read = parse(text)
    except BadInput:
        return 0, true.total(), False, 1
    said = Counter((label, colour) for label, colour, _ in read.objects)
    return (said & true).total(), said.total() + true.total(), said == true and read.background == scene.background, 1
