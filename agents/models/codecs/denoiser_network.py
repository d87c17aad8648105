"""A diffusion model over received JSCC features: it estimates what was sent, at any noise level, and is run a few steps down.

Equalised symbols over AWGN are the sent ones plus noise of known variance: just what diffusion adds in training. A receiver
enters the reverse process where its own noise is, and walks down from there (preconditioning after Karras et al. 2022, steps
after DDIM, Song et al. 2021).
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

SIGNAL_VARIANCE = 0.5
"""Of one real value of a unit-power complex symbol."""
FREQUENCIES = 8
STEP_RATIO = 0.5
"""Noise level (standard deviation) after a step over that before it."""


class Block(nn.Module):
    """``x + f(x)`` with two 3x3 convolutions, scaled and shifted by the condition."""

    def __init__(self, width: int, condition: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.film = nn.Linear(condition, 2 * width)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(B, width, h, w) and (B, condition) -> (B, width, h, w)."""
        hidden = self.first(functional.silu(self.norm(x)))
        scale, shift = self.film(condition)[:, :, None, None].chunk(2, dim=1)
        hidden = self.second(functional.silu(hidden * (1 + scale) + shift))
        return torch.as_tensor(x + hidden)


class DenoiserNetwork(nn.Module):
    """One trunk for a library of codecs; each has its own way in and out.

    Args:
        channels: Codec name -> real values per position of its code.
        width: Of the trunk.
        depth: Blocks of the trunk.
    """

    def __init__(self, channels: Mapping[str, int], width: int = 96, depth: int = 4) -> None:
        super().__init__()
        self.channels = dict(channels)
        condition = 2 * FREQUENCIES
        self.enter = nn.ModuleDict({name: nn.Conv2d(size, width, 3, padding=1) for name, size in channels.items()})
        self.leave = nn.ModuleDict({name: nn.Conv2d(width, size, 3, padding=1) for name, size in channels.items()})
        self.condition = nn.Sequential(nn.Linear(condition, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.blocks = nn.ModuleList(Block(width, width) for _ in range(depth))
        self.norm = nn.GroupNorm(8, width)
        for layer in self.leave.values():  # the untrained network is the scalar Wiener filter
            nn.init.zeros_(layer.weight)  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, code: Tensor, noise_std: Tensor, codec: str) -> Tensor:
        """Estimate of the sent values.

        Args:
            code: (B, channels, h, w): sent values plus noise.
            noise_std: (B,): standard deviation of the noise of one real value.
            codec: Name.
        """
        power, noise = SIGNAL_VARIANCE, (noise_std**2)[:, None, None, None]
        wiener = power / (power + noise)
        spread = torch.sqrt(wiener * noise)  # standard deviation of what the Wiener filter leaves
        return wiener * code + spread * self.residual(code / torch.sqrt(power + noise), noise_std, codec)

    def residual(self, code: Tensor, noise_std: Tensor, codec: str) -> Tensor:
        """What the scalar Wiener filter misses, at unit scale, from the code at unit variance."""
        octaves = torch.log2(noise_std)[:, None] * math.pi / 4 * torch.arange(1, FREQUENCIES + 1)
        condition = self.condition(torch.cat([torch.sin(octaves), torch.cos(octaves)], dim=1))
        x = self.enter[codec](code)
        for block in self.blocks:
            x = block(x, condition)
        return torch.as_tensor(self.leave[codec](functional.silu(self.norm(x))))

    def denoise(self, code: Tensor, noise_std: Tensor, codec: str, steps: int) -> Tensor:
        """Walk `steps` down from the noise level that the code has; the last estimate is the result. No step: the code itself."""
        for step in range(steps):
            level = noise_std * STEP_RATIO**step
            estimate = self(code, level, codec)
            if step == steps - 1:
                return torch.as_tensor(estimate)
            code = estimate + STEP_RATIO * (code - estimate)
        return code

    def step_flops(self, codec: str, positions: int) -> int:
        """Floating-point operations of one estimate of a code of `positions` places (convolutions; a multiply-add is two)."""
        layers: Sequence[nn.Module] = [self.enter[codec], self.leave[codec], *self.blocks.modules()]
        weights = sum(layer.weight.numel() for layer in layers if isinstance(layer, nn.Conv2d))
        return 2 * weights * positions


def noise_std(snr_db: Tensor) -> Tensor:
    """Standard deviation of the noise of one real value of unit-power symbols at Es/N0 of `snr_db`: sqrt(N0 / 2)."""
    return torch.sqrt(SIGNAL_VARIANCE * torch.pow(10.0, -snr_db / 10))
