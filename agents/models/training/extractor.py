"""Training of the extractor in two stages: the trunk under a heat map, then RT-DETR over the frozen trunk."""

import json
import logging
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from ....bus import keys
from ..cards import Card, checked, read_card, write_card
from ..loading import WEIGHTS
from ..roles import Box
from ..tiny.captioner import load_trunk
from ..tiny.detector import ExtractorNetwork
from ..tiny.detr import SceneDetector, build, find, set_trunk
from ..tiny.pretrained import write
from ..tiny.subjects import WEIGHTS_NAME
from .data import Truth, batch, flip, light, to_tensor
from .detectors import BATCH, detection_loss, in_blocks, measure
from .devices import CPU, drawn
from .loop import Settings, fit

log = logging.getLogger(__name__)

TRUNK_SHARE = 0.4
"""Share of the minutes that the first stage takes."""
PICTURES = 24
"""Pictures of a step of the second stage."""


def pretrain_trunk(work: Path, minutes: float, device: str = CPU) -> Path:
    """First stage: the trunk learns under dense supervision of every cell (`detectors.detection_loss`)."""
    torch.manual_seed(21)
    network = ExtractorNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def loss(step: int) -> Tensor:
        x, truth = drawn(lambda: _lit(BATCH, "extractor", step))
        return detection_loss(network(x.contiguous(memory_format=torch.channels_last)), truth)

    progress = fit(network, loss, work / "heat-map", minutes, Settings(rate=2.0e-3), device)
    log.info("trunk: %s", progress)
    path = work / "trunk.safetensors"
    save_file({k: v.contiguous() for k, v in network.state_dict().items() if not k.startswith("head.")}, path)
    return path


def _lit(number: int, *key: keys.Key) -> tuple[Tensor, Truth]:
    """Pictures of a step (number, 3, 64, 64), half of them mirrored, under other lights, and their truth."""
    pictures, truth = batch(number, *key)
    return flip(light(to_tensor(pictures), *key), truth)


def _spent(work: Path) -> dict[str, float]:
    """Steps and minutes of the first stage, as far as its folder is still there."""
    try:
        progress = json.loads((work / "progress.json").read_text())
    except OSError:
        return {}
    return {"steps": progress["steps"], "minutes": round(progress["elapsed_s"] / 60, 2)}


def targets_of(truth: Truth) -> list[dict[str, Tensor]]:
    """The truth as `SceneDetector.loss` takes it."""
    rows = []
    for row in range(len(truth.label)):
        number = int(truth.present[row].sum())
        rows.append(
            {
                "class_labels": truth.label[row, :number],
                "colours": truth.colour[row, :number],
                "boxes": truth.box[row, :number] / 64,
            }
        )
    return rows


def train(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``extractor``; the subject network is the personaliser's, beside `folder` or else the package's."""
    beside = folder.parent / "personaliser"
    personaliser = read_card(beside if beside.is_dir() else WEIGHTS / "personaliser")
    eye = checked(personaliser, WEIGHTS_NAME)
    trunk = work / "trunk.safetensors"
    if not trunk.is_file():
        trunk = pretrain_trunk(work, TRUNK_SHARE * minutes, device)
    torch.manual_seed(23)
    network = build()
    set_trunk(network, load_trunk(trunk))
    network.model.freeze_backbone()

    def loss(step: int) -> Tensor:
        x, truth = drawn(lambda: _lit(PICTURES, "detector", step))
        torch.manual_seed(step)  # denoising queries draw from torch's own stream
        return network.loss(x, targets_of(truth), truth.background)

    settings = Settings(rate=2e-3, average=0.998, clip=1.0, weight_decay=1e-3)
    progress = fit(network, loss, work / "detector", (1 - TRUNK_SHARE) * minutes, settings, device)
    progress["trunk"] = _spent(work / "heat-map")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS_NAME).write_bytes(eye.read_bytes())
    more = {"subject_threshold": personaliser.data["threshold"], "flops_per_look": personaliser.data["flops_per_crop"]}
    return export(network, folder, minutes, progress, more)


def export(network: SceneDetector, folder: Path, minutes: float, progress: dict[str, object], more: dict[str, object]) -> Card:
    """Write the weights in half precision and the card; what is measured is what will be read."""
    write(network, folder)

    def found(pictures: np.ndarray, threshold: float) -> tuple[list[list[Box]], list[str]]:
        return in_blocks(pictures, lambda x: find(network, x, threshold))

    metrics = measure(found)
    log.info("extractor: %s", metrics)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.see(torch.zeros(1, 3, 64, 64))
    data = {
        "name": "tiny-extractor", "roles": ["extractor"], "params": sum(p.numel() for p in network.parameters()),
        "flops": counter.get_total_flops(), "recipe": "extractor",
        "batch": 1,  # a device extracts one picture at a time
        "command": f"semcast train extractor --minutes {minutes:g}", "threshold": metrics.pop("threshold"), **more,
        "training": progress, "metrics": metrics, "files": ["config.json", "model.safetensors", WEIGHTS_NAME],
    }  # fmt: skip
    return write_card(folder, data)
