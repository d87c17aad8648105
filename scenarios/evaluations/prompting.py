"""What a generator makes of true prompts: boxes and captions against captions alone, for few objects and for eight."""

import numpy as np

from ...agents.models.loading import load_models
from ...agents.models.roles import Generate, Model, Picture
from ...agents.scenes.caption import caption
from ...agents.scenes.world import MAX_OBJECTS, Scene
from ...bus import keys
from . import Request
from .scenes import held_out, run_all
from .score import Score, Skipped, mean


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """Objects that the judge finds: with boxes at their place (IoU of at least 0.5), with captions alone by class.

    Of the scenes for eight objects those are left out in which the last found no room.
    """
    model = load_models(request.profile, ["generator"])["generator"]
    few = held_out(request.scenes)
    many = [scene for scene in held_out(request.scenes, MAX_OBJECTS, MAX_OBJECTS) if len(scene.objects) == MAX_OBJECTS]
    placed, said = _recovery(model, few, boxes=True), _recovery(model, few, boxes=False)
    return {
        "generator_boxes_iou50_1_to_4": mean(placed[:, 1]),
        "generator_boxes_iou50_8": mean(_recovery(model, many, boxes=True)[:, 1]),
        "generator_captions_classes_1_to_4": mean(said[:, 0]),
        "generator_boxes_over_captions_iou50": mean(placed[:, 1] - said[:, 1]),
    }


def _recovery(model: Model, scenes: list[Scene], *, boxes: bool) -> np.ndarray:
    """Share of the objects found by class and at their place, of every scene: (scenes, 2)."""
    from ..metrics.judging import recoveries

    calls = []
    for index, scene in enumerate(scenes):
        text = caption(scene.background, [(thing.label, thing.colour, "") for thing in scene.objects])
        places = scene.boxes() if boxes else []
        calls.append(Generate(text, scene.background, places, keys.integer(1 << 62, "evaluation", "prompting", index)))
    pictures: list[Picture] = run_all(model, calls)
    found = recoveries([(scene.boxes(), picture.picture) for scene, picture in zip(scenes, pictures, strict=True)])
    return np.array([(score.recovery, score.iou50) for score in found])
