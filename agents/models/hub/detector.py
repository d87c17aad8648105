"""A published detector of the DETR family: labelled boxes of what a picture shows."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from PIL import Image

from ..roles import Box
from . import reading
from .labels import colour_of, label_of
from .settings import HubSettings
from .snapshot import Snapshot

THRESHOLD = 0.5
"""A box counts from this probability of its class on."""


class Detector:
    """Finds things of the classes that its checkpoint knows (COCO's, for the table's)."""

    def __init__(self, snapshot: Snapshot, settings: HubSettings) -> None:
        self._network = reading.network(snapshot, settings)
        self._pixels = reading.processor(snapshot)
        self._device = settings.device
        names = self._network.config.id2label
        self._labels = [label_of(names[number]) for number in range(len(names))]

    def find(self, images: Sequence[Image.Image]) -> list[list[Box]]:
        """Boxes of every picture in its own pixels, most certain first; places to 1/16 pixel, so that last bits decide little."""
        with torch.inference_mode():
            found = self._network(pixel_values=self._seen(images))
            chances = found.logits.softmax(-1)[..., :-1]  # the last class is "nothing"
            scores, classes = (part.cpu().numpy() for part in chances.max(-1))
            places = found.pred_boxes.cpu().numpy().astype(np.float64)
        return [self._boxes(*parts) for parts in zip(images, scores, classes, places, strict=True)]

    @cached_property
    def flops(self) -> int:
        """Of one picture of 64x64, scaled as the checkpoint wants it."""
        pixels = self._seen([Image.new("RGB", (64, 64))])
        return reading.flops_of(lambda: self._network(pixel_values=pixels))

    def _boxes(self, image: Image.Image, scores: np.ndarray, classes: np.ndarray, places: np.ndarray) -> list[Box]:
        pixels, boxes = np.asarray(image), []
        for number in np.argsort(-scores, kind="stable"):
            label = self._labels[classes[number]]
            if scores[number] < THRESHOLD or not label:
                continue
            share = np.clip(places[number], 0.0, 1.0) * (image.width, image.height, image.width, image.height)
            cx, cy, width, height = (round(16 * float(value)) / 16 for value in share)
            score = round(float(scores[number]), 3)
            boxes.append(Box(label, colour_of(pixels, cx, cy, width, height), cx, cy, max(width, 1.0), max(height, 1.0), score))
        return boxes

    def _seen(self, images: Sequence[Image.Image]) -> torch.Tensor:
        each = [self._pixels(images=image, return_tensors="pt").pixel_values for image in images]
        return torch.cat(each).to(self._device)
