"""How well personal subjects are shown: subjects that nobody was trained on, drawn with and without what their owners shared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from ...agents.models.loading import WEIGHTS, load_models
from ...agents.models.roles import Box, Branch, Generate, Model, ModelSet, Personalise, Picture
from ...agents.scenes.caption import caption
from ...agents.scenes.draw import draw
from ...agents.scenes.vocabulary import COLOUR_NAMES, LABELS, SUBJECTS, Subject, random_marking
from ...agents.scenes.world import Scene, scene_of
from ...bus import keys
from . import Request
from .scenes import run_all
from .score import Score, Skipped, mean

SHARED_PICTURES = 4


@dataclass(frozen=True)
class Case:
    """A subject: one held-out scene that shows it, and other pictures of it with its box in each."""

    subject: Subject
    scene: Scene
    shared: Personalise

    @property
    def box(self) -> Box:
        """Where the scene shows it."""
        return next(box for box in self.scene.boxes() if box.subject == self.subject.name)


def cases(number: int) -> list[Case]:
    """Held-out subjects with random markings; their keys are used nowhere else."""
    return [_case(index) for index in range(number)]


def _case(index: int) -> Case:
    key = ("evaluation", "subject", index)
    label = LABELS[keys.integer(len(LABELS), *key, "label")]
    colour = COLOUR_NAMES[keys.integer(len(COLOUR_NAMES), *key, "colour")]
    subject = Subject(f"stranger{index}/{label}", label, colour, random_marking(colour, *key))
    scenes = [_showing(subject, *key, "shared", number) for number in range(SHARED_PICTURES)]
    boxes = [next(box for box in scene.boxes() if box.subject == subject.name) for scene in scenes]
    shared = Personalise(subject.name, label, [draw(scene).tobytes() for scene in scenes], boxes)
    return Case(subject, _showing(subject, *key, "scene"), shared)


def catalog_cases(each: int) -> list[Case]:
    """Held-out scenes of the catalog's subjects, `each` of them, with what their owners share in a run."""
    from ...agents.models.training.branches import shared_by

    shared = {name: shared_by(name, WEIGHTS) for name in SUBJECTS}
    return [
        Case(subject, _showing(subject, "evaluation", "catalog", name, number), shared[name])
        for name, subject in SUBJECTS.items()
        for number in range(each)
    ]


def _showing(subject: Subject, *key: keys.Key) -> Scene:
    attempt = 0
    while True:  # a subject may find no room
        scene = scene_of((subject,), 1, 3, *key, attempt)
        if any(thing.subject == subject.name for thing in scene.objects):
            return scene
        attempt += 1


def drawn(model: Model, found: Sequence[Case], **parts: Sequence[Mapping[str, bytes]]) -> list[bytes]:
    """Every case's scene, generated from its true caption and boxes with some parts of its branch model."""
    calls = []
    for index, case in enumerate(found):
        said = caption(case.scene.background, [(thing.label, thing.colour, "") for thing in case.scene.objects])
        seed = keys.integer(1 << 62, "evaluation", "personalisation", index)
        call = Generate(said, case.scene.background, case.scene.boxes(), seed)
        calls.append(msgspec.structs.replace(call, **{name: dict(values[index]) for name, values in parts.items()}))
    pictures: list[Picture] = run_all(model, calls)
    return [picture.picture for picture in pictures]


def alignment(found: Sequence[Case], pictures: Sequence[bytes]) -> np.ndarray:
    """Object feature alignment of the subject, in the original and at its place in the picture, one a case."""
    from ..metrics.alignment import View, alignments

    pairs = [
        (View(draw(case.scene).tobytes(), case.scene.background, [case.box]), View(picture, case.scene.background, [case.box]))
        for case, picture in zip(found, pictures, strict=True)
    ]
    return np.array([found.objects for found in alignments(pairs)])


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """Object feature alignment of the subject by what it is drawn with; differences are paired.

    ``plain``: caption and boxes; ``identifier``: and the mean look; ``reference``: and a picture's cut-out (the history);
    ``adapter``: identifier and LoRA adapter, without a reference; ``branch``: all three. Strangers have no adapters; the
    catalog's subjects have theirs shipped.
    """
    models = load_models(request.profile, ["generator", "personaliser"])
    strangers = ways(models, cases(request.scenes))
    owned = ways(models, catalog_cases(max(request.scenes // len(SUBJECTS), 1)))
    scores: dict[str, Score | Skipped] = {f"stranger_alignment_{name}": mean(values) for name, values in strangers.items()}
    scores["stranger_alignment_gain_of_history"] = mean(strangers["reference"] - strangers["plain"])
    scores |= {f"catalog_alignment_{name}": mean(values) for name, values in owned.items()}
    scores["catalog_alignment_gain_of_adapter_alone"] = mean(owned["adapter"] - owned["identifier"])
    scores["catalog_alignment_gain_of_adapter_over_reference"] = mean(owned["branch"] - owned["reference"])
    scores["catalog_alignment_gain_of_history"] = mean(owned["branch"] - owned["plain"])
    return scores


def ways(models: ModelSet, found: Sequence[Case]) -> dict[str, np.ndarray]:
    """Alignment of every case by each way of drawing it; ``adapter`` and ``branch`` only where all have adapters."""
    branches: list[Branch] = run_all(models["personaliser"], [case.shared for case in found])
    parts = {
        "subjects": [{branch.subject: branch.identifier} for branch in branches],
        "references": [{branch.subject: branch.reference} for branch in branches],
        "adapters": [{branch.subject: branch.adapter} for branch in branches],
    }
    chosen: dict[str, tuple[str, ...]] = {"plain": (), "identifier": ("subjects",), "reference": ("subjects", "references")}
    if all(branch.adapter for branch in branches):
        chosen |= {"adapter": ("subjects", "adapters"), "branch": ("subjects", "references", "adapters")}
    return {
        name: alignment(found, drawn(models["generator"], found, **{part: parts[part] for part in used}))
        for name, used in chosen.items()
    }
