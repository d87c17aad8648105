"""Prompt and noise to a latent in one pass: the network of the VAE's decoder and of the GAN's generator.

Two resolutions (16x16 and 8x8 cells), residual blocks. What it puts out is added to the conditioner's sketch, the latent
that the prompt alone lets expect. VAE and GAN differ in how it is trained, not in what it is.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..autoencoder import LATENT_CHANNELS, LATENT_SIDE
from .prompting import MAP_CHANNELS, POOLED, Told

NOISE_CHANNELS = 8
NOISE_SIDE = LATENT_SIDE // 2
GROUPS = 8


class Block(nn.Module):
    """x + conv(silu(norm(conv(silu(norm(x)))))), 3x3, of one width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(GROUPS, width), nn.GroupNorm(GROUPS, width)
        self.conv1, self.conv2 = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, side, side) to the same shape."""
        hidden = self.conv1(functional.silu(self.norm1(x)))
        moved: Tensor = x + self.conv2(functional.silu(self.norm2(hidden)))
        return moved


class Stem(nn.Module):
    """What is told, as features of the 16x16 cells: the maps, and caption and background added to every cell."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.maps = nn.Conv2d(MAP_CHANNELS, width, 3, padding=1)
        self.pooled = nn.Linear(POOLED, width)

    def forward(self, told: Told) -> Tensor:
        """(n, width, 16, 16)."""
        features: Tensor = self.maps(told.maps) + self.pooled(told.pooled)[:, :, None, None]
        return features


class Painter(nn.Module):
    """See the module.

    Args:
        fine: Width at 16x16 cells.
        coarse: Width at 8x8 cells, where the noise enters.
    """

    def __init__(self, fine: int = 64, coarse: int = 88) -> None:
        super().__init__()
        self.stem = Stem(fine)
        self.enter = Block(fine)
        self.down = nn.Conv2d(fine, coarse, 3, stride=2, padding=1)
        self.noise = nn.Conv2d(NOISE_CHANNELS, coarse, 1)
        self.middle = Block(coarse)
        self.up = nn.Conv2d(coarse, fine, 1)
        self.leave = nn.Sequential(Block(fine), Block(fine), nn.GroupNorm(GROUPS, fine), nn.SiLU())
        self.out = nn.Conv2d(fine, LATENT_CHANNELS, 3, padding=1)
        nn.init.zeros_(self.out.weight)

    def forward(self, told: Told, noise: Tensor) -> Tensor:
        """Latents (n, 8, 16, 16) of prompts and unit normal noise (n, 8, 8, 8)."""
        wide = self.enter(self.stem(told))
        narrow = self.middle(self.down(wide) + self.noise(noise))
        joined = wide + functional.interpolate(self.up(narrow), scale_factor=2.0, mode="nearest")
        latents: Tensor = told.sketch + self.out(self.leave(joined))
        return latents

    def paint(self, told: Told, noise: Tensor) -> Tensor:
        """See `model.Family`; of the starting noise a corner is read."""
        return torch.as_tensor(self(told, coarse_noise(noise)))


def coarse_noise(noise: Tensor) -> Tensor:
    """The corner of a starting noise (n, 8, 16, 16) that a painter reads: (n, 8, 8, 8). It stays unit normal."""
    return torch.clone(noise[:, :, :NOISE_SIDE, :NOISE_SIDE])
