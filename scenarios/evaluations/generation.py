"""Pictures generated from what the extractor saw in held-out scenes of 1 to 4 objects."""

from ...agents.models.loading import load_models
from ...agents.models.roles import Extract, Extraction, Generate, Picture
from ...agents.scenes.draw import draw
from ...bus import keys
from . import Request
from .scenes import held_out, run_all
from .score import Score, Skipped, mean


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """Share of the original's objects that the judge finds in the picture generated from caption and boxes."""
    from ..metrics.judging import recoveries

    world = held_out(request.scenes)
    models = load_models(request.profile, ["extractor", "generator"])
    prompts: list[Extraction] = run_all(models["extractor"], [Extract(draw(scene).tobytes()) for scene in world])
    arguments = [
        Generate(prompt.caption, prompt.background, prompt.boxes, keys.integer(2**63, "evaluation", "generator", i))
        for i, prompt in enumerate(prompts)
    ]
    pictures: list[Picture] = run_all(models["generator"], arguments)
    found = recoveries([(scene.boxes(), picture.picture) for scene, picture in zip(world, pictures, strict=True)])
    originals = recoveries([(scene.boxes(), draw(scene).tobytes()) for scene in world])
    return {
        "generator_object_recovery": mean([score.recovery for score in found]),
        "generator_object_recovery_iou50": mean([score.iou50 for score in found]),
        "judge_object_recovery_of_originals": mean([score.recovery for score in originals]),
    }
