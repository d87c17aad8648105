"""Boxes that the extractor finds in held-out scenes of 1 to 4 objects, and in those of up to 8."""

from collections.abc import Sequence

import msgspec
import numpy as np

from ...agents.models.loading import load_models
from ...agents.models.roles import Box, Extract, Extraction, Model
from ...agents.scenes.draw import draw
from ...agents.scenes.world import Scene
from ...bus import keys
from ..metrics.detection import matches
from ..metrics.precision import Pair, map50
from . import Request
from .scenes import held_out, run_all
from .score import Score, Skipped, ratio

MAP_RESAMPLES = 500
"""Bootstrap resamples of mAP50, which is no ratio of sums and takes longer."""


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """F1 of found boxes: right class and IoU of at least 0.5, each true object once; with colour, too, as a second figure.

    mAP50 (`metrics.precision`) of scenes of 1 to 8 objects, over the boxes that the role gives: those under its threshold are
    not there, so it is at most the detector's own. In ``with_colour`` every pair of colour and class is a class.
    """
    world = held_out(request.scenes)
    model = load_models(request.profile, ["extractor"])["extractor"]
    pairs, crowded = _pairs(model, world), _pairs(model, held_out(request.scenes, 1, 8))
    return {
        "extractor_f1": _f1(pairs),
        "extractor_f1_with_colour": _f1(_coloured(pairs)),
        "detector_map50": _map50(crowded),
        "detector_map50_with_colour": _map50(_coloured(crowded)),
    }


def _pairs(model: Model, world: Sequence[Scene]) -> list[Pair]:
    found: list[Extraction] = run_all(model, [Extract(draw(scene).tobytes()) for scene in world])
    return [(scene.boxes(), result.boxes) for scene, result in zip(world, found, strict=True)]


def _coloured(pairs: Sequence[Pair]) -> list[Pair]:
    return [([_with_colour(box) for box in truth], [_with_colour(box) for box in seen]) for truth, seen in pairs]


def _map50(pairs: Sequence[Pair]) -> Score:
    n = len(pairs)
    rng = keys.generator("evaluation", "bootstrap", n)
    low, high = np.nanpercentile(map50(pairs, rng.multinomial(n, [1 / n] * n, size=MAP_RESAMPLES)), (2.5, 97.5))
    return Score(float(map50(pairs)[0]), float(low), float(high), n)


def _with_colour(box: Box) -> Box:
    return msgspec.structs.replace(box, label=f"{box.colour} {box.label}")


def _f1(pairs: Sequence[Pair]) -> Score:
    counts = [(len(matches(truth, seen)), len(seen), len(truth)) for truth, seen in pairs]
    return ratio(
        np.array(counts, dtype=float), lambda sums: np.asarray(2 * sums[..., 0] / np.maximum(1, sums[..., 1] + sums[..., 2]))
    )
