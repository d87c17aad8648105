"""What training a detector takes: dense targets, their loss, scores on held-out scenes; and the judge, which no agent uses."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from ..boxes import iou
from ..cards import Card, write_card
from ..roles import Box
from ..tiny.detector import (
    CELL,
    GRID,
    MEAN_SIDE,
    JudgeNetwork,
    Maps,
    backgrounds,
    read_boxes,
)
from .data import Truth, batch, flip, to_pixels, to_tensor, wear
from .devices import CPU, drawn
from .loop import Settings, fit

log = logging.getLogger(__name__)

BATCH = 48
BLOCK = 8
"""The fixed batch in use."""


def targets(truth: Truth) -> tuple[Tensor, Tensor, Tensor]:
    """Heat map, and for every cell the object it speaks of.

    Returns:
        Wanted heat (n, 16, 16): 1 in the cell of a centre, falling to 0 about it. Index of the nearest object (n, 16, 16).
        Weight (n, 16, 16): 1 near a centre, where class, colour and box are learned, else 0.
    """
    middle = (torch.arange(GRID).float() + 0.5) * CELL
    cx, cy, width, height = (value[:, :, None, None] for value in truth.box.unbind(2))
    x, y = middle[None, None, None, :], middle[None, None, :, None]
    gone = (1 - truth.present)[:, :, None, None] * 1e6
    near = ((x - cx) / width) ** 2 + ((y - cy) / height) ** 2 + gone  # 0 at the centre, 0.25 at the rim
    distance, index = near.min(dim=1)
    home = ((x - cx).abs() <= CELL / 2) & ((y - cy).abs() <= CELL / 2) & (truth.present[:, :, None, None] > 0)
    soft = torch.exp(-(((x - cx) ** 2 + (y - cy) ** 2) / (2 * 3.0**2))) * truth.present[:, :, None, None]
    heat = torch.where(home.any(dim=1), torch.ones(()), soft.amax(dim=1).clamp(max=0.95))
    return heat, index, ((distance < 0.05) | home.any(dim=1)).float()


def detection_loss(maps: Maps, truth: Truth) -> Tensor:
    """Penalty-reduced focal loss of the heat, cross entropy of class, colour and background, L1 of place and size."""
    heat, index, weight = targets(truth)
    chance = torch.sigmoid(maps.heat).clamp(1e-4, 1 - 1e-4)
    hit = (heat == 1).float()
    focal = -hit * (1 - chance) ** 2 * chance.log() - (1 - hit) * (1 - heat) ** 4 * chance**2 * (1 - chance).log()
    number = hit.sum().clamp(min=1)
    share = weight / weight.sum().clamp(min=1)
    flat = index.flatten(1)
    label = functional.cross_entropy(maps.label, truth.label.gather(1, flat).view_as(index), reduction="none")
    colour = functional.cross_entropy(maps.colour, truth.colour.gather(1, flat).view_as(index), reduction="none")
    box = truth.box.gather(1, flat[:, :, None].expand(-1, -1, 4)).view(*index.shape, 4).permute(0, 3, 1, 2)
    middle = torch.arange(GRID).float() + 0.5
    grid = torch.stack([middle[None].expand(GRID, -1), middle[:, None].expand(-1, GRID)])
    place = (maps.shift - (box[:, :2] / CELL - grid)).abs().sum(dim=1)
    size = (maps.size - (box[:, 2:] / MEAN_SIDE).log()).abs().sum(dim=1)
    ground = functional.cross_entropy(maps.background, truth.background)
    cells = (share * (label + 0.7 * colour + place + 2 * size)).sum()
    return focal.sum() / number + cells + 0.2 * ground


Found = tuple[list[list[Box]], list[str]]
"""Boxes and background of each picture."""
Find = Callable[[np.ndarray[Any, Any], float], Found]
"""Pictures uint8 (n, 64, 64, 3) and the least score of a box -> what was found."""


def in_blocks(pictures: np.ndarray[Any, Any], read: Callable[[Tensor], Found]) -> Found:
    """Read uint8 (n, 64, 64, 3) in blocks of `BLOCK` filled up with the last picture."""
    boxes: list[list[Box]] = []
    grounds: list[str] = []
    for start in range(0, len(pictures), BLOCK):
        part = pictures[start : start + BLOCK]
        filled = np.concatenate([part, np.repeat(part[-1:], BLOCK - len(part), axis=0)])
        with torch.inference_mode():
            found, said = read(to_tensor(filled).contiguous(memory_format=torch.channels_last))
        boxes += found[: len(part)]
        grounds += said[: len(part)]
    return boxes, grounds


def finder(network: nn.Module) -> Find:
    """How a network of `Maps` in eval mode finds."""

    def find(pictures: np.ndarray[Any, Any], threshold: float) -> Found:
        def read(x: Tensor) -> Found:
            maps = network(x)
            return read_boxes(maps, threshold), list(backgrounds(maps))

        return in_blocks(pictures, read)

    return find


def score(found: list[list[Box]], wanted: list[list[Box]]) -> dict[str, float]:
    """Pooled F1 (class and IoU 0.5, one box for one object), and the share of matched boxes of the right colour."""
    hits = colours = 0
    for seen, true in zip(found, wanted, strict=True):
        free = list(true)
        for box in seen:
            good = [other for other in free if other.label == box.label and iou(box, other) >= 0.5]
            if good:
                best = max(good, key=lambda other: iou(box, other))
                free.remove(best)
                hits += 1
                colours += best.colour == box.colour
    total = sum(map(len, found)) + sum(map(len, wanted))
    return {"f1": round(2 * hits / max(total, 1), 4), "colour": round(colours / max(hits, 1), 4)}


def held_out(low: int, high: int, number: int = 400) -> tuple[np.ndarray[Any, Any], list[list[Box]], list[str]]:
    """Pictures of scenes that training never draws, with true boxes and backgrounds."""
    from ...scenes.draw import draw
    from ...scenes.world import make_scene

    scenes = [make_scene("held out", low, high, index, count=(low, high)) for index in range(number)]
    return np.stack([draw(s) for s in scenes]), [s.boxes() for s in scenes], [s.background for s in scenes]


def measure(find: Find, worn: bool = False) -> dict[str, float]:
    """F1 on held-out scenes of up to 4 and of 5 to 8 objects at the best of a few thresholds (chosen on other scenes).

    Args:
        find: What is measured.
        worn: Choose the threshold on worn pictures, and measure on those too.
    """
    tuning = batch(160, "detector", "tuning", high=6)
    truth = [_true_boxes(tuning[1], row) for row in range(len(tuning[0]))]
    if worn:
        tuning = (to_pixels(wear(tuning[0], "detector", "tuning")), tuning[1])
    levels = tuple(0.05 * step for step in range(5, 18))
    scores = [score(find(tuning[0], level)[0], truth)["f1"] for level in levels]
    threshold = levels[int(np.argmax(scores))]
    result = {"threshold": threshold}
    for low, high in ((1, 4), (5, 8)):
        pictures, wanted, grounds = held_out(low, high)
        found, said = find(pictures, threshold)
        values = score(found, wanted)
        result[f"f1_{low}_to_{high}"] = values["f1"]
        result[f"colour_{low}_to_{high}"] = values["colour"]
        result[f"background_{low}_to_{high}"] = float(np.mean([a == b for a, b in zip(said, grounds, strict=True)]))
        if worn:
            pictures = to_pixels(wear(pictures, "held out", low))
            result[f"worn_f1_{low}_to_{high}"] = score(find(pictures, threshold)[0], wanted)["f1"]
    return result


def _true_boxes(truth: Truth, row: int) -> list[Box]:
    from ...scenes.vocabulary import COLOUR_NAMES, LABELS

    return [
        Box(LABELS[int(truth.label[row, i])], COLOUR_NAMES[int(truth.colour[row, i])], *truth.box[row, i].tolist())
        for i in range(int(truth.present[row].sum()))
    ]


def _worn(step: int) -> tuple[Tensor, Truth]:
    pictures, truth = batch(BATCH, "judge", step)
    return flip(wear(pictures, "judge", step), truth)


def train_judge(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``judge``: other network, seed and pictures (worn ones) than the extractor's."""
    torch.manual_seed(22)
    network = JudgeNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def loss(step: int) -> Tensor:
        x, truth = drawn(lambda: _worn(step))
        return detection_loss(network(x.contiguous(memory_format=torch.channels_last)), truth)

    progress = fit(network, loss, work / "judge", minutes, Settings(rate=2.0e-3), device)
    folder.mkdir(parents=True, exist_ok=True)
    kept = {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in network.state_dict().items()}
    save_file(kept, folder / "model.safetensors")
    network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in kept.items()})  # measure what will be read
    metrics = measure(finder(network), worn=True)
    log.info("judge: %s", metrics)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, 64, 64))
    data = {
        "name": "tiny-judge", "roles": [], "params": sum(p.numel() for p in network.parameters()),
        "flops": counter.get_total_flops(), "recipe": "judge", "batch": BLOCK,
        "command": f"semcast train judge --minutes {minutes:g}", "threshold": metrics.pop("threshold"),
        "training": progress, "metrics": metrics, "files": ["model.safetensors"],
    }  # fmt: skip
    return write_card(folder, data)
