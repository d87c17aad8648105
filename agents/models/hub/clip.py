"""A published CLIP: features of pictures, objects and texts in one space."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from ..roles import PICTURE_SIDE, Box
from . import reading
from .settings import HubSettings
from .snapshot import Snapshot, digest

MARGIN = 1.1
"""An object is cut out this much wider and higher than its box."""


class Clip:
    """Unit vectors of length `size`; the cosine of two is their dot product. One at a time, so that none depends on others.

    `images`, `objects` and `texts` are those of `semcast.agents.models.clip_judge.ClipJudge`.
    """

    def __init__(self, snapshot: Snapshot, settings: HubSettings) -> None:
        self.name = snapshot.pick.short
        self.sha256 = digest([snapshot], settings.kept("clip"))
        self._network = reading.network(snapshot, settings)
        self._pixels = reading.processor(snapshot)
        self._words = reading.tokenizer(snapshot)
        self._device = settings.device
        self.size = int(self._network.config.projection_dim)

    def look(self, image: Image.Image) -> np.ndarray[Any, Any]:
        """Features of one picture, float32 (size,)."""
        with torch.inference_mode():
            return self._unit(self._network.get_image_features(pixel_values=self._seen(image)))

    def look_at(self, image: Image.Image, box: Box) -> np.ndarray[Any, Any]:
        """Features of what is in a box of a picture, float32 (size,)."""
        width, height = MARGIN * max(box.width, 1.0) / 2, MARGIN * max(box.height, 1.0) / 2
        left, top, right, bottom = box.cx - width, box.cy - height, box.cx + width, box.cy + height
        return self.look(image.crop((round(left), round(top), round(right), round(bottom))))

    def images(self, pictures: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Features of pictures, uint8 RGB (n, height, width, 3) -> float32 (n, size)."""
        return self._rows([self.look(Image.fromarray(picture)) for picture in pictures])

    def objects(self, pictures: np.ndarray[Any, Any], places: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Features of objects; `places` float (n, 4): cx, cy, width, height in pixels, one for each picture."""
        boxes = [Box("", "", cx, cy, width, height) for cx, cy, width, height in places.astype(np.float64).tolist()]
        found = [self.look_at(Image.fromarray(picture), box) for picture, box in zip(pictures, boxes, strict=True)]
        return self._rows(found)

    def texts(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        """Features of texts, float32 (n, size); what is beyond the checkpoint's length is cut."""
        found = []
        length = int(self._network.config.text_config.max_position_embeddings)
        for text in texts:
            tokens = self._words(text, truncation=True, max_length=length, return_tensors="pt").to(self._device)
            with torch.inference_mode():
                found.append(self._unit(self._network.get_text_features(**tokens)))
        return self._rows(found)

    @cached_property
    def flops(self) -> int:
        """Of one picture or object."""
        pixels = self._seen(Image.new("RGB", (PICTURE_SIDE, PICTURE_SIDE)))
        return reading.flops_of(lambda: self._network.get_image_features(pixel_values=pixels))

    def _seen(self, image: Image.Image) -> Tensor:
        pixels: Tensor = self._pixels(images=image, return_tensors="pt").pixel_values
        return pixels.to(self._device)

    def _unit(self, output: Any) -> np.ndarray[Any, Any]:
        vector: np.ndarray[Any, Any] = functional.normalize(output.pooler_output.float(), dim=1)[0].cpu().numpy()
        return vector

    def _rows(self, found: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
        return np.stack(found) if found else np.zeros((0, self.size), np.float32)
