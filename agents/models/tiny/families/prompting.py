"""What the families share with the diffusion generator, frozen: reading of prompts, layout, latent space, decoder.

So a family's own weights are small, train on cached latents within minutes, and the four differ in nothing but how a latent is
made of a prompt and a seed. A family belongs to the weights that it was trained on: its card holds their hashes.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from ..conditioner import REFERENCE_CHANNELS, Conditioner, Conditions

PAINTED = 48
POOLED = 64
MAP_CHANNELS = PAINTED + REFERENCE_CHANNELS


class Told(NamedTuple):
    """Prompts as the frozen conditioner reads them.

    Attributes:
        maps: (n, 57, 16, 16), the painted map and the collage of references.
        pooled: (n, 64), caption and background.
        sketch: (n, 8, 16, 16), the conditioner's own guess of the latent.
    """

    maps: Tensor
    pooled: Tensor
    sketch: Tensor


def told(conditioner: Conditioner, conditions: Conditions) -> Told:
    """Read prompts; no gradient reaches the conditioner."""
    with torch.no_grad():
        guide = conditioner(conditions)
        sketch = conditioner.sketch(guide.painted)
    maps = torch.cat([guide.painted, guide.reference.to(guide.painted.dtype)], dim=1)
    return Told(maps.contiguous(memory_format=torch.channels_last), guide.pooled, sketch)
