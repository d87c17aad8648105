"""How good the models of a profile are, on scenes that no training has seen: each figure with its bootstrap interval."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from ..agents.models.loading import WEIGHTS, load_models
from ..agents.models.roles import Box, Extract, Extraction, Generate, Model, Picture
from ..agents.scenes.draw import draw
from ..agents.scenes.world import Scene, make_scene
from ..bus import keys
from .metrics.detection import matches

RESAMPLES = 2000
MAX_OBJECTS = 4
Figure = dict[str, float]
"""``value``, the 95 % interval ``low`` to ``high``, and the number of scenes ``n``."""


def evaluate(parts: Sequence[str], scenes: int, profile: str = "tiny") -> dict[str, Figure]:
    """Measure ``extractor``, ``generator`` and ``jscc`` (or some of them) on held-out scenes of up to 4 objects.

    Raises:
        Missing: A model's weights are not there.
    """
    measures: dict[str, Callable[[int, str], dict[str, Figure]]] = {"extractor": extractor, "generator": generator, "jscc": jscc}
    found: dict[str, Figure] = {}
    for part in parts:
        found |= measures[part](scenes, profile)
    return found


def held_out(scenes: int) -> list[Scene]:
    """The held-out scenes: their key is used nowhere else."""
    return [make_scene("evaluation", "held-out", i, count=(1, MAX_OBJECTS)) for i in range(scenes)]


def run_all(model: Model, arguments: Sequence[Any]) -> list[Any]:
    """Run a model over many arguments in its fixed batches, the last one filled up."""
    results: list[Any] = []
    for start in range(0, len(arguments), model.batch):
        batch = list(arguments[start : start + model.batch])
        results += model.run(batch + batch[-1:] * (model.batch - len(batch)))[: len(batch)]
    return results


def figure(values: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray]) -> Figure:
    """A statistic over scenes with its bootstrap interval.

    Args:
        values: One row a scene, shape (scenes, columns).
        statistic: Sums over scenes of shape (..., columns) -> values of shape (...).
    """
    n = len(values)
    rng = keys.generator("evaluation", "bootstrap", n)
    samples = statistic(rng.multinomial(n, [1 / n] * n, size=RESAMPLES) @ values)
    low, high = np.percentile(samples, (2.5, 97.5))
    return {"value": float(statistic(values.sum(axis=0))), "low": float(low), "high": float(high), "n": n}


def extractor(scenes: int, profile: str) -> dict[str, Figure]:
    """F1 of found boxes: right class and IoU of at least 0.5, each true object once; with colour, too, as a second figure."""
    world = held_out(scenes)
    model = load_models(profile, ["extractor"])["extractor"]
    found: list[Extraction] = run_all(model, [Extract(draw(scene).tobytes()) for scene in world])
    pairs = [(scene.boxes(), result.boxes) for scene, result in zip(world, found, strict=True)]
    coloured = [([_with_colour(box) for box in truth], [_with_colour(box) for box in seen]) for truth, seen in pairs]
    return {"extractor_f1": _f1_figure(pairs), "extractor_f1_with_colour": _f1_figure(coloured)}


def _with_colour(box: Box) -> Box:
    return msgspec.structs.replace(box, label=f"{box.colour} {box.label}")


def _f1_figure(pairs: Sequence[tuple[Sequence[Box], Sequence[Box]]]) -> Figure:
    counts = [(len(matches(truth, seen)), len(seen), len(truth)) for truth, seen in pairs]
    return figure(
        np.array(counts, dtype=float), lambda sums: np.asarray(2 * sums[..., 0] / np.maximum(1, sums[..., 1] + sums[..., 2]))
    )


def generator(scenes: int, profile: str) -> dict[str, Figure]:
    """Objects of the original that the judge finds in the picture generated from what the extractor saw (caption and boxes)."""
    from .metrics.judging import recoveries

    world = held_out(scenes)
    models = load_models(profile, ["extractor", "generator"])
    prompts: list[Extraction] = run_all(models["extractor"], [Extract(draw(scene).tobytes()) for scene in world])
    arguments = [
        Generate(prompt.caption, prompt.background, prompt.boxes, keys.integer(2**63, "evaluation", "generator", i))
        for i, prompt in enumerate(prompts)
    ]
    pictures: list[Picture] = run_all(models["generator"], arguments)
    pairs = [(scene.boxes(), picture.picture) for scene, picture in zip(world, pictures, strict=True)]
    found = recoveries(pairs)
    originals = recoveries([(scene.boxes(), draw(scene).tobytes()) for scene in world])
    return {
        "generator_object_recovery": _mean([score.recovery for score in found]),
        "generator_object_recovery_iou50": _mean([score.iou50 for score in found]),
        "judge_object_recovery_of_originals": _mean([score.recovery for score in originals]),
    }


def _mean(values: Sequence[float]) -> Figure:
    table = np.array([[value, 1.0] for value in values])
    return figure(table, lambda sums: np.asarray(sums[..., 0] / sums[..., 1]))


def jscc(scenes: int, profile: str) -> dict[str, Figure]:
    """PSNR gain of the codec library over its middle-SNR codec at both ends of the SNR range (dB, paired by scene)."""
    from ..agents.models.training.jscc_eval import library_against_middle

    found = {}
    for row in library_against_middle(WEIGHTS / "jscc", scenes):
        name = f"jscc_library_gain_db_cbr{row.cbr.denominator}_{row.channel}_{row.end}_snr"
        found[name] = {"value": row.gain_db, "low": row.low, "high": row.high, "n": row.n}
    return found
