"""Looks of personal subjects: a crop becomes an identifier vector; near vectors mean the same subject.

The network saw random markings on all classes, never the catalog's subjects: it tells apart subjects that nobody trained it on.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from ....bus.errors import BadInput
from ..cards import checked, read_card
from ..roles import PICTURE_SIDE, Box

IDENTIFIER_SIZE = 48
"""Length of an identifier vector, float32, unit norm."""
CROP_SIDE = 24
MARGIN = 1.1
"""A crop is the box, enlarged by this factor about its centre."""
WEIGHTS_NAME = "identifier.safetensors"


class IdentifierNetwork(nn.Module):
    """Crops (n, 3, 24, 24) in [-1, 1] -> unit vectors (n, IDENTIFIER_SIZE)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1), nn.GroupNorm(4, 32), nn.SiLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.GroupNorm(8, 64), nn.SiLU(),
            nn.Conv2d(64, 64, 3, padding=1), nn.GroupNorm(8, 64), nn.SiLU(),
            nn.Conv2d(64, 96, 3, stride=2, padding=1), nn.GroupNorm(8, 96), nn.SiLU(),
            nn.Conv2d(96, 96, 3, padding=1), nn.GroupNorm(8, 96), nn.SiLU(),
            nn.Conv2d(96, 16, 1), nn.Flatten(),
        )  # fmt: skip
        self.out = nn.Sequential(nn.Linear(16 * 36, 128), nn.SiLU(), nn.Linear(128, IDENTIFIER_SIZE))

    def forward(self, crops: Tensor) -> Tensor:
        vectors: Tensor = self.out(self.layers(crops))
        return functional.normalize(vectors.float(), dim=1)


def crop(pictures: Tensor, places: Tensor, side: int = CROP_SIDE) -> Tensor:
    """Cut boxes out of pictures, bilinearly resized.

    Args:
        pictures: float32 (n, 3, 64, 64).
        places: float32 (n, 4): cx, cy, width, height in pixels, one box a picture.
        side: Of a crop, in pixels.

    Returns:
        float32 (n, 3, side, side).
    """
    steps = (torch.arange(side, dtype=torch.float32) + 0.5) / side - 0.5
    x = places[:, 0:1] + MARGIN * places[:, 2:3] * steps
    y = places[:, 1:2] + MARGIN * places[:, 3:4] * steps
    grid = torch.stack([x[:, None, :].expand(-1, side, -1), y[:, :, None].expand(-1, -1, side)], dim=-1) * (2 / PICTURE_SIDE) - 1
    return functional.grid_sample(pictures, grid, mode="bilinear", padding_mode="border", align_corners=False)


def as_tensor(pictures: Sequence[bytes]) -> Tensor:
    """uint8 RGB pictures -> float32 (n, 3, 64, 64) in [-1, 1]."""
    pixels = np.frombuffer(b"".join(pictures), dtype=np.uint8).reshape(-1, PICTURE_SIDE, PICTURE_SIDE, 3)
    return torch.from_numpy(pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)).permute(0, 3, 1, 2).contiguous()


def full_batch(pictures: Sequence[bytes], batch: int, name: str) -> Tensor:
    """As `as_tensor`, channels last in memory, of exactly ``batch`` pictures of 64x64 for the model ``name``.

    Raises:
        BadInput: There are more or fewer, or one has another size.
    """
    if len(pictures) != batch:
        raise BadInput(f"{name}: a batch of {len(pictures)}, not {batch}", "fill it up with the last call")
    for picture in pictures:
        if len(picture) != PICTURE_SIDE * PICTURE_SIDE * 3:
            raise BadInput(f"{name}: a picture of {len(picture)} bytes", "give uint8 RGB of 64x64 pixels, 12288 bytes")
    return as_tensor(pictures).contiguous(memory_format=torch.channels_last)


class SubjectEye:
    """The network in use: one crop at a time, so that a vector never depends on other crops."""

    def __init__(self, weights: Path) -> None:
        self.network = IdentifierNetwork()
        self.network.load_state_dict({name: value.float() for name, value in load_file(weights).items()})
        self.network.eval()

    def look(self, picture: bytes, box: Box) -> np.ndarray:
        """Unit vector, float32 (IDENTIFIER_SIZE,), of what is in the box."""
        place = torch.tensor([[box.cx, box.cy, box.width, box.height]], dtype=torch.float32)
        with torch.inference_mode():
            vector: np.ndarray = self.network(crop(as_tensor([picture]), place))[0].numpy()
        return vector

    def identifier(self, pictures: Sequence[bytes], boxes: Sequence[Box]) -> np.ndarray:
        """Mean look over the pictures of one subject, at unit norm, float32 (IDENTIFIER_SIZE,)."""
        total = np.sum([self.look(p, b) for p, b in zip(pictures, boxes, strict=True)], axis=0, dtype=np.float64)
        return np.asarray(total / max(float(np.linalg.norm(total)), 1e-9), dtype=np.float32)


@cache
def shipped(folder: Path) -> SubjectEye:
    """The eye whose weights lie in `folder` (hash checked), read once."""
    return SubjectEye(checked(read_card(folder), WEIGHTS_NAME))


def identifier(pictures: Sequence[bytes], boxes: Sequence[Box]) -> np.ndarray:
    """Identifier vector of a subject from pictures of it (uint8 RGB bytes) and its box in each, with the shipped weights."""
    from ..loading import WEIGHTS

    return shipped(WEIGHTS / "personaliser").identifier(pictures, boxes)
