"""What small devices run: every variant of a user's models against the whole one, in size, FLOPs, latency and quality.

``semcast eval devices`` prints one line a model. Quality is measured on the same held-out scenes, differences are paired. Latency
is wall time of this machine with one thread, the models taking turns batch by batch; simulated time follows from FLOPs alone.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import msgspec
import numpy as np

from ...agents.models.loading import PROFILES, load_models, model_table
from ...agents.models.roles import Decode, Encode, Extract, Extraction, Generate, Model, Picture
from ...agents.scenes.caption import caption
from ...agents.scenes.draw import draw
from ...agents.scenes.world import MAX_OBJECTS, Scene
from ...bus import keys
from ..metrics.detection import matches
from . import Request
from .calibration import psnr_db
from .scenes import held_out, run_all
from .score import Score, Skipped, mean

VARIANTS = ("int8", "small")
"""Variants that are made for small devices; others are families of generators."""
ROUNDS = 9
COLUMNS = ("download_mb", "memory_mb", "mflops", "wall_ms")


Measure = Callable[[Model, Sequence[Scene], Sequence[Scene]], dict[str, np.ndarray]]
"""Model, scenes of up to 4 objects, scenes of 8 -> quality name -> one value a scene; higher is better."""


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """For every model that users run and that has variants for small devices.

    Returns:
        ``MODEL/download_mb`` (file of the weights), ``.../memory_mb`` (weights in use), ``.../mflops`` (one typical call, 8-bit
        operations counted as half), ``.../wall_ms`` (one call in a full batch), the role's qualities, and for variants each
        quality's change ``.../QUALITY_change``, paired by scene.
    """
    few, many = held_out(request.scenes), held_out(request.scenes, MAX_OBJECTS, MAX_OBJECTS)
    many = [scene for scene in many if len(scene.objects) == MAX_OBJECTS]
    found: dict[str, Score | Skipped] = {}
    for role, measure in ROLES.items():
        names = [role, *(name for name in (f"{role}@{variant}" for variant in VARIANTS) if name in PROFILES["tiny"])]
        models = load_models("tiny", names)
        walls = _walls({name: models[name] for name in names})
        whole: dict[str, np.ndarray] = {}
        for name in names:
            found |= _costs(name, walls[name])
            qualities = measure(models[name], few, many)
            found |= {f"{name}/{quality}": mean(values) for quality, values in qualities.items()}
            whole = whole or qualities
            if name != role:
                found |= {f"{name}/{quality}_change": mean(qualities[quality] - whole[quality]) for quality in whole}
    return found


def tables(found: Mapping[str, Score | Skipped]) -> list[list[dict[str, Any]]]:
    """For each role one row a model: its costs, its qualities, and their changes with intervals."""
    rows: dict[str, dict[str, Any]] = {}
    for name, score in found.items():
        model, _, figure = name.partition("/")
        row = rows.setdefault(model, {"model": model})
        if isinstance(score, Skipped):
            continue
        if figure.endswith("_change"):
            quality = figure.removesuffix("_change")
            row[quality] += f" ({score.value:+.3f} [{score.low:+.3f}, {score.high:+.3f}])"
        else:
            row[figure] = round(score.value, 2) if figure in COLUMNS else f"{score.value:.3f}"
    return [[row for model, row in rows.items() if model.partition("@")[0] == role] for role in ROLES]


def _costs(name: str, walls_ms: np.ndarray) -> dict[str, Score | Skipped]:
    row = next(row for row in model_table() if row.role == name)
    exact = {"download_mb": row.weights_bytes / 1e6, "memory_mb": row.memory_bytes / 1e6, "mflops": row.flops / 1e6}
    costs: dict[str, Score | Skipped] = {f"{name}/{what}": Score(value, value, value, 1) for what, value in exact.items()}
    return costs | {f"{name}/wall_ms": mean(walls_ms)}


def _walls(models: Mapping[str, Model]) -> dict[str, np.ndarray]:
    """Milliseconds of a call in each of `ROUNDS` full batches; before these each model has run once."""
    import torch

    torch.set_num_threads(1)
    walls: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(ROUNDS + 1):
        for name, model in models.items():
            calls = _examples(name)
            batch = [calls[index % len(calls)] for index in range(model.batch)]
            started_s = time.perf_counter()
            model.run(batch)
            walls[name].append(1e3 * (time.perf_counter() - started_s) / model.batch)
    return {name: np.array(found[1:]) for name, found in walls.items()}


def _examples(name: str) -> list[Any]:
    source = PROFILES["tiny"][name]
    found: list[Any] = getattr(import_module(f"...agents.models.{source.module}", __package__), source.examples)()
    return [msgspec.structs.replace(call, steps=8) if isinstance(call, Generate) else call for call in found]


def _extraction(model: Model, few: Sequence[Scene], many: Sequence[Scene]) -> dict[str, np.ndarray]:
    """F1 of boxes (class, IoU 0.5) a scene, with up to 4 and with 8 objects."""
    return {f"f1_{name}": _f1(model, scenes) for name, scenes in (("1_to_4", few), ("8", many))}


def _f1(model: Model, scenes: Sequence[Scene]) -> np.ndarray:
    seen: list[Extraction] = run_all(model, [Extract(draw(scene).tobytes()) for scene in scenes])
    truths = [scene.boxes() for scene in scenes]
    return np.array(
        [2 * len(matches(truth, one.boxes)) / (len(truth) + len(one.boxes)) for truth, one in zip(truths, seen, strict=True)]
    )


def _generation(model: Model, few: Sequence[Scene], many: Sequence[Scene]) -> dict[str, np.ndarray]:
    """Objects in place (IoU 0.5) by the judge's detector, with up to 4 and with 8 objects, from true captions and boxes; image

    feature alignment with the drawn scene.
    """
    from ..metrics.alignment import View, alignments
    from ..metrics.judging import recoveries

    found, drawn = {}, []
    for name, scenes in (("1_to_4", few), ("8", many)):
        pictures: list[Picture] = run_all(model, [_prompt(scene, index) for index, scene in enumerate(scenes)])
        scores = recoveries([(scene.boxes(), picture.picture) for scene, picture in zip(scenes, pictures, strict=True)])
        found[f"in_place_{name}"] = np.array([score.iou50 for score in scores])
        drawn += [
            (View(draw(s).tobytes(), s.background, []), View(p.picture, s.background, []))
            for s, p in zip(scenes, pictures, strict=True)
        ]
    found["alignment"] = np.array([each.image for each in alignments(drawn)])
    return found


def _prompt(scene: Scene, index: int) -> Generate:
    text = caption(scene.background, [(thing.label, thing.colour, "") for thing in scene.objects])
    return Generate(text, scene.background, scene.boxes(), keys.integer(1 << 62, "evaluation", "devices", index))


def _decoding(model: Model, few: Sequence[Scene], many: Sequence[Scene]) -> dict[str, np.ndarray]:
    """PSNR in dB of pictures decoded after AWGN at the SNR that their codec is made for, CBR 1/12."""
    encoder = load_models("tiny", ["jscc_encoder"])["jscc_encoder"]
    pictures = [draw(scene) for scene in few]
    found = {}
    for codec, snr_db in (("snr01-cbr12", 1.0), ("snr07-cbr12", 7.0), ("snr13-cbr12", 13.0)):
        calls = []
        for index, sent in enumerate(run_all(encoder, [Encode(picture.tobytes(), codec) for picture in pictures])):
            symbols = np.frombuffer(sent.symbols, "<c8")
            noise = keys.complex_normal(len(symbols), "evaluation", "devices", codec, index) * 10 ** (-snr_db / 20)
            calls.append(Decode((symbols + noise).astype("<c8").tobytes(), codec, snr_db))
        decoded = [np.frombuffer(result.picture, np.uint8).reshape(64, 64, 3) for result in run_all(model, calls)]
        found[f"psnr_db_at_{snr_db:g}db"] = psnr_db(np.stack(pictures), np.stack(decoded))
    return found


ROLES: Mapping[str, Measure] = {"extractor": _extraction, "generator": _generation, "jscc_decoder": _decoding}
"""Roles that have variants for small devices."""
