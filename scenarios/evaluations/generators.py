"""The four families of generators on the same held-out prompts and seeds: what the judges find, what it costs, how it varies.

A figure is named after its family (``vae_boxes_iou50_8``); ``diffusion_minus_vae_...`` are paired differences over scenes.
"""

import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from ...agents.models.loading import load_models, model_table
from ...agents.models.roles import Generate, Model, Picture
from ...agents.scenes.caption import caption
from ...agents.scenes.draw import draw
from ...agents.scenes.world import MAX_OBJECTS, Scene
from ...bus import keys
from . import Request
from .best_of import gains
from .scenes import held_out, run_all
from .score import Score, Skipped, mean

FAMILIES = {"diffusion": "generator", "vae": "generator@vae", "gan": "generator@gan", "flow": "generator@flow"}
"""Family -> the role that is asked."""
COMPARED = ("boxes_iou50_1_to_4", "boxes_iou50_8", "captions_classes_1_to_4", "psnr_db", "ssim", "image_alignment", "diversity")
DIFFERENCE = "minus_"
SEEDS = 4
"""Pictures of a prompt for its diversity."""
VARIED = 50
"""Most prompts that are drawn several times."""
REPEATS = 5


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """For every family.

    Returns:
        ``FAMILY_boxes_iou50_...``, ``FAMILY_captions_classes_...``: share of objects that the judge finds, as in `prompting`.
        ``FAMILY_psnr_db``, ``_ssim``, ``_image_alignment``: of pictures from boxes (1 to 4 objects) to the original.
        ``FAMILY_diversity``: root mean square difference of two pictures of one prompt with boxes, in levels of 255.
        ``FAMILY_wall_ms``, ``_gflop``: of one picture; ``_million_params``: weights of its own (the diffusion's hold the parts
        that the others use, too); ``flow_bits_per_dim``: `exact_bits`.
        ``diffusion_minus_FAMILY_FIGURE``: paired; ``FAMILY_best_of_N_...``: `best_of.gains`.
    """
    models, rows = load_models(request.profile), {row.role: row for row in model_table(request.profile)}
    few, many = held_out(request.scenes), eight(request.scenes)
    scores: dict[str, Score | Skipped] = {}
    samples: dict[str, Mapping[str, np.ndarray]] = {}
    for family, role in FAMILIES.items():
        if role not in rows or rows[role].problem:
            scores[family] = Skipped(rows[role].problem if role in rows else f"profile {request.profile} has no {role}")
            continue
        samples[family] = found = measured(models[role], few, many)
        scores |= {f"{family}_{figure}": mean(values) for figure, values in found.items()}
        scores[f"{family}_gflop"] = mean([models[role].flops(call) / 1e9 for call in prompts(few)])
        scores[f"{family}_million_params"] = mean([rows[role].params / 1e6])
        scores |= {f"{family}_{figure}": score for figure, score in gains(models[role], models["extractor"], many).items()}
    walls = walls_ms({family: models[FAMILIES[family]] for family in samples}, few)
    scores |= {f"{family}_wall_ms": mean(each) for family, each in walls.items()}
    if "flow" in samples:
        scores["flow_bits_per_dim"] = mean(exact_bits(models[FAMILIES["flow"]], few))
    for family in samples:
        if family != "diffusion" and "diffusion" in samples:
            for figure in COMPARED:
                difference = samples["diffusion"][figure] - samples[family][figure]
                scores[f"diffusion_{DIFFERENCE}{family}_{figure}"] = mean(difference)
    return scores


@cache
def eight(scenes: int) -> list[Scene]:
    """Held-out scenes of eight objects; those in which the last found no room are left out."""
    return [scene for scene in held_out(scenes, MAX_OBJECTS, MAX_OBJECTS) if len(scene.objects) == MAX_OBJECTS]


def prompts(scenes: Sequence[Scene], *, boxes: bool = True, candidate: int = 0) -> list[Generate]:
    """True prompts, the same for all families, with a seed for every candidate."""
    calls = []
    for index, scene in enumerate(scenes):
        text = caption(scene.background, [(thing.label, thing.colour, "") for thing in scene.objects])
        seed = keys.integer(1 << 62, "evaluation", "generators", index, candidate)
        calls.append(Generate(text, scene.background, scene.boxes() if boxes else [], seed))
    return calls


def pictures(model: Model, calls: Sequence[Generate]) -> list[bytes]:
    """What a generator makes of calls."""
    results: list[Picture] = run_all(model, calls)
    return [result.picture for result in results]


def measured(model: Model, few: list[Scene], many: list[Scene]) -> dict[str, np.ndarray]:
    """Figure -> one number a scene (or, for diversity, a scene of the first ones)."""
    from ..metrics.alignment import View, alignments
    from ..metrics.judging import recoveries
    from ..metrics.quality import psnr_db, ssim

    placed, crowded = pictures(model, prompts(few)), pictures(model, prompts(many))
    said = pictures(model, prompts(few, boxes=False))
    originals = [draw(scene).tobytes() for scene in few]

    def view(picture: bytes, scene: Scene) -> View:
        return View(picture, scene.background, scene.boxes())

    pairs = [(view(one, scene), view(two, scene)) for one, two, scene in zip(originals, placed, few, strict=True)]
    return {
        "boxes_iou50_1_to_4": np.array([each.iou50 for each in recoveries(_with_truth(few, placed))]),
        "boxes_iou50_8": np.array([each.iou50 for each in recoveries(_with_truth(many, crowded))]),
        "captions_classes_1_to_4": np.array([each.recovery for each in recoveries(_with_truth(few, said))]),
        "psnr_db": np.array([psnr_db(one, two) for one, two in zip(originals, placed, strict=True)]),
        "ssim": np.array([ssim(one, two) for one, two in zip(originals, placed, strict=True)]),
        "image_alignment": np.array([each.image for each in alignments(pairs)]),
        "diversity": diversity(model, few[:VARIED], placed[:VARIED]),
    }


def _with_truth(scenes: list[Scene], found: list[bytes]) -> list[tuple[Any, bytes]]:
    return [(scene.boxes(), picture) for scene, picture in zip(scenes, found, strict=True)]


def diversity(model: Model, scenes: list[Scene], first: list[bytes]) -> np.ndarray:
    """Root of the mean, over pairs of seeds and pixels, of the squared difference, for each scene."""
    others = [pictures(model, prompts(scenes, candidate=candidate)) for candidate in range(1, SEEDS)]
    drawn = np.array([[np.frombuffer(raw, np.uint8) for raw in each] for each in [first, *others]], np.float64)
    # the mean squared difference of two draws is twice their variance
    return np.asarray(np.sqrt(2 * drawn.var(axis=0, ddof=1).mean(axis=1)))


def walls_ms(models: Mapping[str, Model], scenes: list[Scene]) -> dict[str, np.ndarray]:
    """Wall time of a picture on one thread of this machine, of every model in turn, 5 rounds of a batch after a first one."""
    import torch

    torch.set_num_threads(1)
    walls: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(REPEATS + 1):
        for name, model in models.items():
            calls = [prompts(scenes)[index % len(scenes)] for index in range(model.batch)]
            started_s = time.perf_counter()
            model.run(calls)
            walls[name].append(1e3 * (time.perf_counter() - started_s) / len(calls))
    return {name: np.array(each[1:]) for name, each in walls.items()}


def exact_bits(model: Any, scenes: list[Scene]) -> np.ndarray:
    """-log2 p(latent | prompt) / 2048 of every scene by the flow: exact bits a dimension of its scaled latent, a density."""
    import torch

    from ...agents.models.tiny import autoencoder
    from ...agents.models.tiny.families.flow import bits_per_dim

    latents = autoencoder.encode(model.coder, np.stack([draw(scene) for scene in scenes]))
    with torch.inference_mode():
        nats = model.family.nats(latents, model.told(prompts(scenes)))
    return np.asarray(bits_per_dim(nats, latents[0].numel()).numpy(), np.float64)


def tables(results: Mapping[str, Score | Skipped]) -> list[list[dict[str, Any]]]:
    """The figures as ``semcast eval generators`` prints them: a row a figure and a column a family; then the differences."""
    rows: dict[str, dict[str, Any]] = {}
    rest = []
    for name, score in results.items():
        family, _, figure = name.partition("_")
        if isinstance(score, Skipped):
            continue
        if figure.startswith(DIFFERENCE):
            rest.append({"difference": name, "value": score.value, "low": score.low, "high": score.high, "n": score.n})
        else:
            rows.setdefault(figure, {})[family] = float(f"{score.value:.4g}")
    return [[{"figure": figure, **{family: row.get(family) for family in FAMILIES}} for figure, row in rows.items()], rest]
