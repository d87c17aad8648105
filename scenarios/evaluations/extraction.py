"""Boxes that the extractor finds in held-out scenes of 1 to 4 objects."""

from collections.abc import Sequence

import msgspec
import numpy as np

from ...agents.models.loading import load_models
from ...agents.models.roles import Box, Extract, Extraction
from ...agents.scenes.draw import draw
from ..metrics.detection import matches
from . import Request
from .scenes import held_out, run_all
from .score import Score, Skipped, ratio


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """F1 of found boxes: right class and IoU of at least 0.5, each true object once; with colour, too, as a second figure."""
    world = held_out(request.scenes)
    model = load_models(request.profile, ["extractor"])["extractor"]
    found: list[Extraction] = run_all(model, [Extract(draw(scene).tobytes()) for scene in world])
    pairs = [(scene.boxes(), result.boxes) for scene, result in zip(world, found, strict=True)]
    coloured = [([_with_colour(box) for box in truth], [_with_colour(box) for box in seen]) for truth, seen in pairs]
    return {"extractor_f1": _f1(pairs), "extractor_f1_with_colour": _f1(coloured)}


def _with_colour(box: Box) -> Box:
    return msgspec.structs.replace(box, label=f"{box.colour} {box.label}")


def _f1(pairs: Sequence[tuple[Sequence[Box], Sequence[Box]]]) -> Score:
    counts = [(len(matches(truth, seen)), len(seen), len(truth)) for truth, seen in pairs]
    return ratio(
        np.array(counts, dtype=float), lambda sums: np.asarray(2 * sums[..., 0] / np.maximum(1, sums[..., 1] + sums[..., 2]))
    )
