"""Keyed batches of scenes with their truth as arrays, drawn on the fly: no step sees a scene twice."""

import io
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from ....bus import keys
from ...scenes.draw import draw
from ...scenes.vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS, Subject, random_marking
from ...scenes.world import MAX_OBJECTS, Scene, scene_of

MARKED_SHARE = 0.35
"""Chance of each of three objects of a training scene to bear a random marking."""


@dataclass(frozen=True)
class Truth:
    """What is in n pictures; unused places have ``present`` 0.

    Attributes:
        label: Class numbers, int64 (n, 8).
        colour: Colour numbers, int64 (n, 8).
        box: cx, cy, width, height in pixels, float32 (n, 8, 4).
        present: float32 (n, 8).
        background: int64 (n,).
    """

    label: Tensor
    colour: Tensor
    box: Tensor
    present: Tensor
    background: Tensor


@cache
def _stranger(index: int) -> Subject:
    """One of the training's own marked subjects; none of the catalog is among them."""
    label = LABELS[keys.integer(len(LABELS), "stranger", index, "label")]
    colour = COLOUR_NAMES[keys.integer(len(COLOUR_NAMES), "stranger", index, "colour")]
    return Subject(f"s{index}/{label}", label, colour, random_marking(colour, "stranger", index))


def training_scene(*key: keys.Key, low: int = 1, high: int = MAX_OBJECTS) -> Scene:
    """A scene for training: often with subjects whose markings are made up."""
    number = min(sum(keys.uniform(*key, "marked", i) < MARKED_SHARE for i in range(3)), high)
    strangers = tuple(_stranger(keys.integer(4000, *key, "stranger", i)) for i in range(number))
    return scene_of(strangers, low, high, *key)


def truth_of(scenes: list[Scene]) -> Truth:
    """Ground truth of scenes as arrays."""
    n = len(scenes)
    label, colour = np.zeros((2, n, MAX_OBJECTS), np.int64)
    box, present = np.ones((n, MAX_OBJECTS, 4), np.float32), np.zeros((n, MAX_OBJECTS), np.float32)
    for row, scene in enumerate(scenes):
        for column, thing in enumerate(scene.objects):
            label[row, column], colour[row, column] = LABELS.index(thing.label), COLOUR_NAMES.index(thing.colour)
            box[row, column] = thing.cx, thing.cy, thing.width, thing.height
            present[row, column] = 1
    ground = torch.tensor([BACKGROUND_NAMES.index(scene.background) for scene in scenes])
    return Truth(torch.from_numpy(label), torch.from_numpy(colour), torch.from_numpy(box), torch.from_numpy(present), ground)


def batch(size: int, *key: keys.Key, low: int = 1, high: int = MAX_OBJECTS) -> tuple[np.ndarray[Any, Any], Truth]:
    """Pictures uint8 (size, 64, 64, 3) and their truth."""
    scenes = [training_scene(*key, index, low=low, high=high) for index in range(size)]
    return np.stack([draw(scene) for scene in scenes]), truth_of(scenes)


def to_tensor(pictures: np.ndarray[Any, Any]) -> Tensor:
    """uint8 (n, 64, 64, 3) -> float32 (n, 3, 64, 64) in [-1, 1], channels last in memory."""
    return torch.from_numpy(pictures.astype(np.float32) / np.float32(127.5) - np.float32(1)).permute(0, 3, 1, 2)


def to_pixels(pictures: Tensor) -> np.ndarray[Any, Any]:
    """The way back: values outside [-1, 1] are cut."""
    return ((pictures.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).contiguous().numpy()


def flip(pictures: Tensor, truth: Truth) -> tuple[Tensor, Truth]:
    """Mirror the second half of a batch, left and right."""
    half = pictures.shape[0] // 2
    box = truth.box.clone()
    box[half:, :, 0] = 64 - box[half:, :, 0]
    mirrored = torch.cat([pictures[:half], pictures[half:].flip(3)])
    return mirrored, Truth(truth.label, truth.colour, box, truth.present, truth.background)


def light(pictures: Tensor, *key: keys.Key, strength: float = 0.06) -> Tensor:
    """Shift and stretch each picture's colours a little, and add fine noise."""
    rng = keys.generator(*key, "light")
    n = pictures.shape[0]
    gain = torch.from_numpy(rng.normal(1, strength, (n, 1, 1, 1)).astype(np.float32))
    shift = torch.from_numpy(rng.normal(0, strength, (n, 3, 1, 1)).astype(np.float32))
    level = torch.from_numpy((rng.random((n, 1, 1, 1)) ** 3 * strength * 2).astype(np.float32))
    grain = torch.from_numpy(rng.standard_normal(tuple(pictures.shape), dtype=np.float32))
    return pictures * gain + shift + level * grain


def wear(pictures: np.ndarray[Any, Any], *key: keys.Key) -> Tensor:
    """What received and generated pictures suffer: JPEG blocks, blur, coarse and fine noise, tints.

    Returns:
        float32 (n, 3, 64, 64), roughly in [-1, 1].
    """
    rng = keys.generator(*key, "wear")
    worn = pictures.copy()
    for row in np.flatnonzero(rng.random(len(worn)) < 0.25):
        stream = io.BytesIO()
        Image.fromarray(worn[row]).save(stream, "JPEG", quality=int(rng.integers(15, 80)))
        worn[row] = np.asarray(Image.open(stream))
    x = to_tensor(worn).contiguous(memory_format=torch.channels_last)
    sigma = torch.from_numpy(np.where(rng.random(len(worn)) < 0.5, rng.uniform(0.3, 1.3, len(worn)), 0.05).astype(np.float32))
    kernel = torch.exp(-(torch.arange(-2, 3).float()[None] ** 2) / (2 * sigma[:, None] ** 2))
    kernel = kernel / kernel.sum(dim=1, keepdim=True)
    for axis in (2, 3):
        pad = functional.pad(x, (0, 0, 2, 2) if axis == 2 else (2, 2, 0, 0), mode="replicate")
        x = sum(pad.narrow(axis, i, 64) * kernel[:, i, None, None, None] for i in range(5))  # type: ignore[assignment]
    coarse = torch.from_numpy(rng.standard_normal((len(worn), 3, 16, 16), dtype=np.float32))
    level = torch.from_numpy((rng.random((len(worn), 1, 1, 1)) ** 2 * 0.16).astype(np.float32))
    x = x + level * functional.interpolate(coarse, size=64, mode="bilinear", align_corners=False)
    return light(x, *key, strength=0.09)
