"""Reference pictures: the cut-out of a subject is laid, resized, where the subject shall be drawn, and encoded beside the latent.

The denoiser sees the collage's latent on the cells that the boxes cover. A reference may show its subject the other way round;
`facing_away` tells.
"""

from collections.abc import Sequence

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor

from ..roles import PICTURE_SIDE, REFERENCE_SIDE
from . import autoencoder
from .conditioner import Conditioner, Conditions, places_in_boxes

_PARTS = 4
"""Samples a pixel and axis, averaged, so that fine patterns do not alias."""


def as_pixels(references: Sequence[bytes]) -> Tensor:
    """Cut-outs as float32 (n, 3, 32, 32) in [0, 255]."""
    pixels = np.frombuffer(b"".join(references), np.uint8).reshape(-1, REFERENCE_SIDE, REFERENCE_SIDE, 3)
    return torch.from_numpy(pixels.astype(np.float32)).permute(0, 3, 1, 2)


def collage(cutouts: Tensor, boxes: Tensor, used: Tensor) -> np.ndarray:
    """Lay cut-outs into their boxes on mid grey, the later ones in front.

    Args:
        cutouts: float32 (n, objects, 3, 32, 32) in [0, 255].
        boxes: float32 (n, objects, 4): cx, cy, width, height in pixels.
        used: float32 (n, objects), 1 where there is a cut-out.

    Returns:
        uint8 (n, 64, 64, 3).
    """
    n, objects = used.shape
    across = _weights(boxes[..., 0], boxes[..., 2]).unsqueeze(2)
    down = _weights(boxes[..., 1], boxes[..., 3]).unsqueeze(2)
    laid = torch.matmul(torch.matmul(down, cutouts), across.transpose(-1, -2))
    opacity = down.sum(dim=-1, keepdim=True) * across.sum(dim=-1).unsqueeze(-2) * used.view(n, objects, 1, 1, 1)
    canvas = torch.full((n, 3, PICTURE_SIDE, PICTURE_SIDE), 127.5)
    for index in range(objects):
        canvas = canvas * (1 - opacity[:, index]) + laid[:, index] * used[:, index].view(n, 1, 1, 1)
    return canvas.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def _weights(middle: Tensor, size: Tensor) -> Tensor:
    """Along one axis, what every pixel takes from the cut-out's 32: (n, objects, 64, 32); rows sum to the share in the box."""
    samples = (torch.arange(PICTURE_SIDE * _PARTS, dtype=torch.float32) + 0.5) / _PARTS
    place = ((samples - middle.unsqueeze(-1)) / size.unsqueeze(-1).clamp(min=1.0) + 0.5) * REFERENCE_SIDE
    inside = ((place >= 0) & (place < REFERENCE_SIDE)).float()
    near = (place - 0.5).clamp(0, REFERENCE_SIDE - 1)
    hats = (1 - (near.unsqueeze(-1) - torch.arange(REFERENCE_SIDE)).abs()).clamp(min=0) * inside.unsqueeze(-1)
    return hats.view(*hats.shape[:-2], PICTURE_SIDE, _PARTS, REFERENCE_SIDE).mean(dim=-2)


def referring(conditioner: Conditioner, model: AutoencoderKL, conditions: Conditions, cutouts: np.ndarray) -> Conditions:
    """The same conditions with the latents of their collages; a cut-out that faces the other way is mirrored first.

    Args:
        conditioner: Says how the objects face.
        model: Encodes the collages.
        conditions: Of n prompts; ``referred`` says which objects have a reference.
        cutouts: uint8 (n, objects, 32, 32, 3).
    """
    pixels = torch.from_numpy(cutouts.astype(np.float32)).permute(0, 1, 4, 2, 3)
    boxes, used = conditions.boxes, conditions.referred * conditions.present
    seen = autoencoder.encode(model, collage(pixels, boxes, used))
    away = facing_away(conditioner, conditions, seen)[:, :, None, None, None]
    turned = torch.where(away, pixels.flip(-1), pixels)
    return conditions._replace(references=autoencoder.encode(model, collage(turned, boxes, used)))


def facing_away(conditioner: Conditioner, conditions: Conditions, seen: Tensor) -> Tensor:
    """Which references show their object the other way round than the conditions want it: bool (n, objects).

    The conditioner's sketch of the prompt, as wanted and mirrored, is compared with the collage's latent on each object's cells.
    """
    cover = places_in_boxes(conditions.boxes, conditions.flips)[1]
    errors = []
    for flips in (conditions.flips, -conditions.flips):
        sketch = conditioner.sketch(conditioner(conditions._replace(flips=flips)).painted)
        errors.append(torch.matmul(cover, (sketch - seen).square().sum(dim=1).flatten(1).unsqueeze(-1)).squeeze(-1))
    return errors[1] < errors[0]
