"""Training of the subject network: views of one subject close together, twins with other markings far apart."""

import logging
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from ....bus import keys
from ...scenes.draw import draw
from ...scenes.vocabulary import COLOUR_NAMES, LABELS, SUBJECTS, Subject, random_marking
from ...scenes.world import make_scene, scene_of
from ..cards import Card, write_card
from ..roles import Box
from ..tiny.subjects import IDENTIFIER_SIZE, WEIGHTS_NAME, IdentifierNetwork, SubjectEye, crop
from .devices import CPU, drawn
from .loop import Settings, fit

log = logging.getLogger(__name__)

VIEWS, MEMBERS = 8, 4
SHARED_PICTURES = 5
"""Pictures from which a catalog subject's identifier is made."""


def family(*key: keys.Key) -> tuple[Subject, ...]:
    """Three marked twins and a plain one: equal class and colour, so that only the marking tells them apart."""
    label = LABELS[keys.integer(len(LABELS), *key, "label")]
    colour = COLOUR_NAMES[keys.integer(len(COLOUR_NAMES), *key, "colour")]
    marked = [Subject(f"twin{i}/{label}", label, colour, random_marking(colour, *key, i)) for i in range(MEMBERS - 1)]
    return (*marked, Subject(f"plain/{label}", label, colour, None))


def views(members: tuple[Subject, ...], *key: keys.Key, count: int = VIEWS) -> tuple[np.ndarray, np.ndarray]:
    """Draw scenes that hold all the members.

    Returns:
        Pictures uint8 (count, 64, 64, 3) and boxes float32 (count, members, 4).
    """
    pictures = np.zeros((count, 64, 64, 3), np.uint8)
    boxes = np.zeros((count, len(members), 4), np.float32)
    for row in range(count):
        attempt = 0
        while True:  # a member may find no room
            scene = scene_of(members, len(members), len(members), *key, row, attempt)
            found = {thing.subject: thing for thing in scene.objects}
            if all(member.name in found for member in members):
                break
            attempt += 1
        pictures[row] = draw(scene)
        for column, member in enumerate(members):
            thing = found[member.name]
            boxes[row, column] = thing.cx, thing.cy, thing.width, thing.height
    return pictures, boxes


class Families:
    """Drawn families, kept in memory: pictures (families, views, ...) and boxes."""

    def __init__(self, number: int, *key: keys.Key) -> None:
        drawn = []
        self.names: list[int] = []
        for index in range(number):
            members = family(*key, index)
            drawn.append(views(members, *key, index))
            plain = LABELS.index(members[0].label) * len(COLOUR_NAMES) + COLOUR_NAMES.index(members[0].colour)
            self.names += [-1 - (index * MEMBERS + i) for i in range(MEMBERS - 1)] + [plain]
        self.pictures = np.stack([pictures for pictures, _ in drawn])
        self.boxes = np.stack([boxes for _, boxes in drawn])

    def batch(self, families: int, *key: keys.Key) -> tuple[Tensor, Tensor]:
        """Two views of all members of some families, with jittered boxes and light.

        Returns:
            Crops (families * MEMBERS * 2, 3, 24, 24) and the subject number of each.
        """
        rng = keys.generator(*key)
        chosen = rng.choice(len(self.pictures), families, replace=False)
        crops, names = [], []
        for _ in range(2):
            view = rng.integers(0, VIEWS, (families, MEMBERS))
            rows = np.repeat(chosen, MEMBERS)
            columns = np.tile(np.arange(MEMBERS), families)
            pixels = torch.from_numpy(self.pictures[rows, view.ravel()].astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)
            places = torch.from_numpy(self.boxes[rows, view.ravel(), columns]).clone()
            shift = torch.from_numpy(rng.normal(0, 0.05, places.shape).astype(np.float32))
            places[:, :2] += shift[:, :2] * places[:, 2:]
            places[:, 2:] *= torch.exp(shift[:, 2:])
            light = torch.from_numpy(rng.normal(0, 0.05, (len(rows), 3, 1, 1)).astype(np.float32))
            grain = torch.from_numpy(rng.standard_normal((len(rows), 3, 24, 24), dtype=np.float32)) * 0.04
            crops.append(crop(pixels.contiguous(), places) + light + grain)
            names += [self.names[row * MEMBERS + column] for row, column in zip(rows, columns, strict=True)]
        return torch.cat(crops), torch.tensor(names)


def contrast(vectors: Tensor, names: Tensor, temperature: float = 0.1) -> Tensor:
    """Supervised contrastive loss (Khosla et al. 2020, L_out) of unit vectors (n, k) with subject numbers (n,)."""
    logits = vectors.float() @ vectors.float().T / temperature
    itself = torch.eye(len(names), dtype=torch.bool)
    logits = logits.masked_fill(itself, -1e9)
    same = (names[:, None] == names[None, :]) & ~itself
    log_share = logits - logits.logsumexp(dim=1, keepdim=True)
    return -((log_share * same).sum(dim=1) / same.sum(dim=1).clamp(min=1)).mean()


def evaluate(eye: SubjectEye, families: int = 60) -> dict[str, float]:
    """On unseen families: how often the identifier from 4 views picks the right one of 4 twins, similarities, and a threshold."""
    right, total, own, other = 0, 0, [], []
    for index in range(families):
        pictures, boxes = views(family("held out", index), "held out", index)
        looks = np.stack([[eye.look(pictures[v].tobytes(), _box(boxes[v, m])) for m in range(MEMBERS)] for v in range(VIEWS)])
        known = looks[:4].sum(axis=0)
        known /= np.linalg.norm(known, axis=-1, keepdims=True)
        near = looks[4:] @ known.T  # (views, member seen, member known)
        right += int((near.argmax(-1) == np.arange(MEMBERS)).sum())
        total += near.shape[0] * MEMBERS
        mask = np.eye(MEMBERS, dtype=bool)
        own += list(near[:, mask].ravel())
        other += list(near[:, ~mask].ravel())
    threshold = round(float(np.quantile(own, 0.01)), 2)  # so that a subject's own views are missed once in a hundred
    return {
        "twin_accuracy": round(right / total, 4), "threshold": threshold,
        "twin_false_share": round(float(np.mean(np.array(other) >= threshold)), 4),
        "own_similarity": round(float(np.mean(own)), 3), "twin_similarity": round(float(np.mean(other)), 3),
    }  # fmt: skip


def _box(place: np.ndarray) -> Box:
    cx, cy, width, height = (float(value) for value in place)
    return Box("", "", cx, cy, width, height)


def catalog_identifiers(eye: SubjectEye) -> dict[str, np.ndarray]:
    """Identifier vectors of the catalog's subjects, from pictures that only this function draws."""
    result = {}
    for name in SUBJECTS:
        scenes = [make_scene("catalog", name, index, count=(1, 3), subjects=(name,)) for index in range(SHARED_PICTURES)]
        boxes = [next(box for box in scene.boxes() if box.subject == name) for scene in scenes]
        result[name] = eye.identifier([draw(scene).tobytes() for scene in scenes], boxes)
    return result


def train(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``personaliser``: train, measure, make the catalog's identifiers, write weights and card to `folder`."""
    data = Families(900, "subjects", "training")
    log.info("drew %d families", len(data.pictures))
    torch.manual_seed(11)
    network = IdentifierNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def loss(step: int) -> Tensor:
        crops, names = drawn(lambda: data.batch(20, "subjects", "batch", step))
        return contrast(network(crops.contiguous(memory_format=torch.channels_last)), names)

    progress = fit(network, loss, work / "personaliser", minutes, Settings(rate=2e-3), device)
    return export(network, folder, minutes, progress)


def export(network: IdentifierNetwork, folder: Path, minutes: float, progress: dict[str, float]) -> Card:
    """Write half-precision weights, the catalog's identifiers and the card."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.half().contiguous() for name, value in network.state_dict().items()}, folder / WEIGHTS_NAME)
    eye = SubjectEye(folder / WEIGHTS_NAME)
    metrics = evaluate(eye)
    log.info("personaliser: %s", metrics)
    save_arrays(catalog_identifiers(eye), folder / "catalog.safetensors")
    copy = folder.parent / "extractor" / WEIGHTS_NAME
    if copy.is_file() and copy.read_bytes() != (folder / WEIGHTS_NAME).read_bytes():
        log.warning("the extractor still compares with the old looks (%s): run `semcast train extractor` again", copy)
    crops = torch.zeros(1, 3, 24, 24)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(crops)
    return write_card(folder, {
        "name": "tiny-personaliser", "roles": ["personaliser"], "params": sum(p.numel() for p in network.parameters()),
        "flops": SHARED_PICTURES * counter.get_total_flops(), "flops_per_crop": counter.get_total_flops(), "batch": 2,
        "recipe": "personaliser", "command": f"semcast train personaliser --minutes {minutes:g}",
        "identifier_size": IDENTIFIER_SIZE, "threshold": metrics["threshold"], "training": progress, "metrics": metrics,
        "files": [WEIGHTS_NAME, "catalog.safetensors"],
    })  # fmt: skip
