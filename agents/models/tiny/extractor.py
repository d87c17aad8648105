"""Role ``extractor``: a picture becomes boxes, background and a caption made from them; nothing of the truth is known here.

Boxes come from a small RT-DETR (`detr.py`). When the asker names its own subjects, every box is looked at closely
(`subjects.py`) and gets the name of the most similar subject above a threshold.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from msgspec.structs import replace
from torch import Tensor

from ...scenes.caption import caption
from ...scenes.draw import draw
from ...scenes.vocabulary import LABELS
from ...scenes.world import make_scene
from ..cards import Card, checked, read_card
from ..roles import Box, Extract, Extraction
from .detr import SceneDetector, find
from .pretrained import read
from .subjects import IDENTIFIER_SIZE, WEIGHTS_NAME, SubjectEye, full_batch

log = logging.getLogger(__name__)

PARTS = ("config.json", "model.safetensors", WEIGHTS_NAME)
Find = Callable[[Tensor, float], tuple[list[list[Box]], list[str]]]
"""Pictures float32 (n, 3, 64, 64) in [-1, 1] and the least score of a box -> boxes and background of each picture."""
LOOKS = 5
"""Boxes that a picture is reckoned to hold when the cost of looking at them is fixed."""


class TinyExtractor:
    """Detects, names and says. Implements `semcast.agents.models.roles.Model`."""

    role = "extractor"

    def __init__(self, card: Card, find: Find, eye: SubjectEye) -> None:
        self.name = str(card.data["name"])
        self.sha256 = card.sha256
        self.batch = int(card.data["batch"])
        self._flops = int(card.data["flops"])
        self._flops_per_look = int(card.data["flops_per_look"])
        self._threshold = float(card.data["threshold"])
        self._same = float(card.data["subject_threshold"])
        self._find = find
        self._eye = eye

    def group(self, arguments: Extract) -> str:
        """All calls may share a batch."""
        return ""

    def flops(self, arguments: Extract) -> int:
        """Of the detector, and of looking at `LOOKS` boxes where subjects are asked for (how many there are is not known)."""
        return self._flops + (LOOKS * self._flops_per_look if arguments.subjects else 0)

    def run(self, arguments: Sequence[Extract]) -> list[Extraction]:
        """Exactly `batch` pictures of 64x64; boxes most certain first, places to 1/16 pixel."""
        pictures = full_batch([call.picture for call in arguments], self.batch, self.name)
        with torch.inference_mode():
            found, grounds = self._find(pictures, self._threshold)
        return [self._extraction(call, boxes, ground) for call, boxes, ground in zip(arguments, found, grounds, strict=True)]

    def _extraction(self, call: Extract, boxes: list[Box], background: str) -> Extraction:
        named = self._recognise(call, boxes)
        return Extraction(caption(background, [(box.label, box.colour, box.subject) for box in named]), background, named)

    def _recognise(self, call: Extract, boxes: list[Box]) -> list[Box]:
        """Give the asker's subjects their names, best match first; a subject is in a picture at most once."""
        known = self._vectors(call.subjects)
        matches = []
        for index, box in enumerate(boxes):
            if known:
                look = self._eye.look(call.picture, box)
                # rounded, so that the last bits of a look decide nothing
                matches += [(-round(float(look @ vector), 3), name, index) for name, vector in known.items()]
        result = list(boxes)
        taken: list[str] = []
        for negative, name, index in sorted(matches):
            if -negative >= self._same and name not in taken and not result[index].subject:
                # the marking of a subject may hide its class from the detector; its name tells it
                result[index] = replace(result[index], label=name.split("/")[-1], subject=name)
                taken.append(name)
        return result

    def _vectors(self, subjects: Mapping[str, bytes]) -> dict[str, np.ndarray]:
        """Identifier vectors by name; one of a wrong length is left out and said so in the log."""
        known = {}
        for name, raw in sorted(subjects.items()):
            if name.split("/")[-1] not in LABELS:
                log.warning("subject %r is left out: its name must end in a class, such as mia/dog", name)
                continue
            vector = np.frombuffer(raw, dtype="<f4") if len(raw) == 4 * IDENTIFIER_SIZE else None
            if vector is None or not np.isfinite(vector).all():
                log.warning("identifier of %s is not %d finite float32 numbers and is left out", name, IDENTIFIER_SIZE)
                continue
            known[name] = vector
        return known


def load(folder: Path) -> TinyExtractor:
    """Read weights and card; their hashes are checked."""
    card = read_card(folder)
    for name in PARTS:
        checked(card, name)
    network = read(SceneDetector, folder).requires_grad_(False).to(memory_format=torch.channels_last)
    return TinyExtractor(card, partial(find, network), SubjectEye(folder / WEIGHTS_NAME))


def examples() -> list[Extract]:
    """Ten different calls, some with subjects."""
    from .personaliser import catalog

    known = catalog()
    owned = {name: known[name] for name in ("mia/dog", "leo/cat")}
    return [
        Extract(draw(make_scene("example", index, subjects=tuple(owned) if index % 2 else (), count=(2, 6))).tobytes(), owned)
        for index in range(10)
    ]
