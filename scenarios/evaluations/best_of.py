"""Best of n: what is gained where an extractor picks one of several candidates (`agents.selection`), as the cloud does."""

import numpy as np

from ...agents.models.roles import Extract, Extraction, Model
from ...agents.scenes.world import Scene
from ...agents.selection import agreement, asked_by
from .scenes import run_all
from .score import Score, mean

NUMBERS = (2, 4)


def gains(generator: Model, extractor: Model, scenes: list[Scene]) -> dict[str, Score]:
    """On scenes of eight objects with true boxes.

    Returns:
        ``best_of_N_iou50_8``: what the report's judge finds in the picked pictures; ``best_of_N_gain_iou50_8``: what that is more
        than in the first candidates, paired; ``best_of_N_gflop``: the cost, N drawings and N looks.
    """
    from ..metrics.judging import recoveries
    from .generators import pictures, prompts

    calls = [prompts(scenes, candidate=candidate) for candidate in range(max(NUMBERS))]
    drawn = [pictures(generator, each) for each in calls]
    values = []
    for asked, candidates in zip(calls, drawn, strict=True):
        looks: list[Extraction] = run_all(extractor, [Extract(picture) for picture in candidates])
        values.append([agreement(asked_by(call), look) for call, look in zip(asked, looks, strict=True)])
    agreements = np.array(values)
    judged = [recoveries([(scene.boxes(), raw) for scene, raw in zip(scenes, each, strict=True)]) for each in drawn]
    shares = np.array([[score.iou50 for score in each] for each in judged])
    cost = generator.flops(calls[0][0]) + extractor.flops(Extract(drawn[0][0]))
    found: dict[str, Score] = {}
    for number in NUMBERS:
        chosen = np.argmax(agreements[:number], axis=0)
        picked = shares[chosen, np.arange(len(scenes))]
        found[f"best_of_{number}_iou50_8"] = mean(picked)
        found[f"best_of_{number}_gain_iou50_8"] = mean(picked - shares[0])
        found[f"best_of_{number}_gflop"] = mean(np.full(2, number * cost / 1e9))
    return found
