"""Object detection on a 16x16 grid: what a network says of every cell, and how boxes are read from it.

A cell that holds an object's centre says how sure it is, class, colour, where the centre lies in it and how large the object is
(after CenterNet, Zhou et al. 2019, with one heat map and a class beside it, since classes are many and pictures small).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...scenes.vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS
from ..boxes import iou
from ..roles import PICTURE_SIDE, Box

GRID = 16
CELL = PICTURE_SIDE // GRID
MEAN_SIDE = 18.0
"""Sizes are said as the logarithm of their ratio to this, in pixels."""
MAX_BOXES = 12
OVERLAP = 0.55
"""Of two boxes with a larger intersection over union the less certain one is dropped."""
_SPLIT = (1, len(LABELS), len(COLOUR_NAMES), 2, 2)


@dataclass(frozen=True)
class Maps:
    """A network's output for n pictures, float32.

    Attributes:
        heat: Logit of holding a centre, (n, 16, 16).
        label: Class logits, (n, classes, 16, 16).
        colour: Colour logits, (n, colours, 16, 16).
        shift: Centre minus the cell's middle, in cells, x then y, (n, 2, 16, 16).
        size: log(width / MEAN_SIDE), log(height / MEAN_SIDE), (n, 2, 16, 16).
        background: Logits, (n, backgrounds).
    """

    heat: Tensor
    label: Tensor
    colour: Tensor
    shift: Tensor
    size: Tensor
    background: Tensor


class Residual(nn.Module):
    """Two 3x3 convolutions and their input."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation, bias=False), nn.BatchNorm2d(width), nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return functional.silu(x + self.layers(x))


def _down(inner: int, outer: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inner, outer, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(outer), nn.SiLU())


class Head(nn.Module):
    """Features (n, width, 16, 16) -> `Maps`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cells = nn.Conv2d(width, sum(_SPLIT), 1)
        self.ground = nn.Linear(width, len(BACKGROUND_NAMES))
        with torch.no_grad():
            self.cells.bias[0] = -4.0  # type: ignore[index]  # few cells hold a centre

    def forward(self, features: Tensor) -> Maps:
        heat, label, colour, shift, size = self.cells(features).float().split(_SPLIT, dim=1)
        return Maps(heat[:, 0], label, colour, shift, size, self.ground(features.mean(dim=(2, 3))).float())


class Trunk(nn.Module):
    """An hourglass: context is gathered at 8x8 and joined to details at 16x16. Detector and captioner look through it.

    Args:
        width: Channels at 16x16; 3/8 of it (rounded down) at 32x32, twice as many at 8x8.
    """

    width = 64

    def __init__(self, width: int = width) -> None:
        super().__init__()
        self.width = width
        first, deep = 3 * width // 8, 2 * width
        self.stem = nn.Sequential(_down(3, first), Residual(first), _down(first, width), Residual(width))
        self.deep = nn.Sequential(_down(width, deep), Residual(deep), Residual(deep))
        self.up = nn.Sequential(nn.Conv2d(deep, width, 1, bias=False), nn.BatchNorm2d(width))
        self.join = nn.Sequential(Residual(width), Residual(width))

    def features(self, pictures: Tensor) -> Tensor:
        """Pictures (n, 3, 64, 64) in [-1, 1] -> features (n, width, 16, 16)."""
        fine = self.stem(pictures)
        context = functional.interpolate(self.up(self.deep(fine)), scale_factor=2.0, mode="nearest")
        features: Tensor = self.join(functional.silu(fine + context))
        return features


class ExtractorNetwork(Trunk):
    """The trunk, and a head that reads every cell."""

    def __init__(self, width: int = Trunk.width) -> None:
        super().__init__(width)
        self.head = Head(width)

    def forward(self, pictures: Tensor) -> Maps:
        """Pictures (n, 3, 64, 64) in [-1, 1] -> `Maps`."""
        maps: Maps = self.head(self.features(pictures))
        return maps


class JudgeNetwork(nn.Module):
    """A plain tower of one scale: 4x4 pixels become a cell at once, and context comes from dilated convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.PixelUnshuffle(2), nn.Conv2d(12, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.SiLU()
        )
        self.tower = nn.Sequential(
            nn.PixelUnshuffle(2), nn.Conv2d(128, 80, 3, padding=1, bias=False), nn.BatchNorm2d(80), nn.SiLU(),
            Residual(80), Residual(80, 2), Residual(80, 3), Residual(80),
        )  # fmt: skip
        self.head = Head(80)

    def forward(self, pictures: Tensor) -> Maps:
        """Pictures (n, 3, 64, 64) in [-1, 1] -> `Maps`."""
        maps: Maps = self.head(self.tower(self.stem(pictures)))
        return maps


def read_boxes(maps: Maps, threshold: float) -> list[list[Box]]:
    """Boxes of each picture, most certain first; places to 1/16 pixel and scores to 1/1000, so that last bits do not matter."""
    heat = torch.sigmoid(maps.heat)
    peaks = (heat >= threshold) & (heat == functional.max_pool2d(heat[:, None], 3, 1, 1)[:, 0])
    result = []
    for row in range(heat.shape[0]):
        found = [_box(maps, heat, row, int(y), int(x)) for y, x in torch.nonzero(peaks[row])]
        found.sort(key=lambda box: (-box.score, box.cy, box.cx))
        result.append(distinct(found)[:MAX_BOXES])
    return result


def distinct(boxes: Sequence[Box]) -> list[Box]:
    """Boxes in their order, without those that overlap an earlier one by more than `OVERLAP`."""
    kept: list[Box] = []
    for box in boxes:
        if all(iou(box, other) <= OVERLAP for other in kept):
            kept.append(box)
    return kept


def _box(maps: Maps, heat: Tensor, row: int, y: int, x: int) -> Box:
    def sixteenth(value: float) -> float:
        return round(value * 16) / 16

    shift, size = maps.shift[row, :, y, x], maps.size[row, :, y, x].clamp(-2, 2).exp() * MEAN_SIDE
    return Box(
        label=LABELS[int(maps.label[row, :, y, x].argmax())],
        colour=COLOUR_NAMES[int(maps.colour[row, :, y, x].argmax())],
        cx=sixteenth(min(max((x + 0.5 + float(shift[0])) * CELL, 0.0), float(PICTURE_SIDE))),
        cy=sixteenth(min(max((y + 0.5 + float(shift[1])) * CELL, 0.0), float(PICTURE_SIDE))),
        width=sixteenth(float(size[0])),
        height=sixteenth(float(size[1])),
        score=round(float(heat[row, y, x]), 3),
    )


def backgrounds(maps: Maps) -> Sequence[str]:
    """Most likely background of each picture."""
    return [BACKGROUND_NAMES[int(index)] for index in maps.background.argmax(dim=1)]
