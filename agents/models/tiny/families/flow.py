"""The flow family: a conditional normalising flow over latents, with exact likelihood and exact inverse.

Glow (Kingma and Dhariwal 2018) steps (activation normalisation, an invertible 1x1 convolution, an affine coupling as in RealNVP,
Dinh, Sohl-Dickstein and Bengio 2017), every coupling told the prompt, at 16x16 cells and, squeezed to four times the channels,
at 8x8. The first layer shifts and scales each number by what the prompt lets expect; with it alone the flow is a conditional
normal.

Forward: latent x -> noise u with log |det du/dx|, so log p(x | prompt) = log N(u; 0, I) + log |det|. Inverse: noise -> latent.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..autoencoder import LATENT_CHANNELS
from .model import FamilyGenerator, examples, load_family
from .painter import GROUPS, Block, Stem
from .prompting import Told

__all__ = ["Flow", "bits_per_dim", "examples", "load"]

LOG_SCALE = 2.0
"""Most that a coupling stretches a number, as a natural logarithm."""


class Coupling(nn.Module):
    """Half of the channels are scaled and shifted by what a small network makes of the other half and of the prompt."""

    def __init__(self, channels: int, told: int, hidden: int) -> None:
        super().__init__()
        self.kept = channels // 2
        moved = channels - self.kept
        self.read = nn.Conv2d(self.kept + told, hidden, 3, padding=1)
        self.mix = nn.Conv2d(hidden, hidden, 1)
        self.out = nn.Conv2d(hidden, 2 * moved, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def _terms(self, kept: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        hidden = functional.silu(self.read(torch.cat([kept, features], dim=1)))
        shift, raw = self.out(functional.silu(self.mix(hidden))).float().chunk(2, dim=1)
        return shift, LOG_SCALE * torch.tanh(raw / LOG_SCALE)

    def forward(self, x: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """To noise: (n, channels, side, side) and the log determinant (n,)."""
        kept, moved = x[:, : self.kept], x[:, self.kept :]
        shift, log_scale = self._terms(kept, features)
        return torch.cat([kept, (moved + shift) * log_scale.exp()], dim=1), log_scale.flatten(1).sum(dim=1)

    def inverse(self, u: Tensor, features: Tensor) -> Tensor:
        """To latents."""
        kept, moved = u[:, : self.kept], u[:, self.kept :]
        shift, log_scale = self._terms(kept, features)
        return torch.cat([kept, moved * torch.exp(-log_scale) - shift], dim=1)


class Mixing(nn.Module):
    """Activation normalisation and an invertible 1x1 convolution in one: W = P L (U + diag(sign e^d)), and a shift."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        rotation = torch.linalg.qr(torch.randn(channels, channels))[0]
        permutation, lower, upper = torch.linalg.lu(rotation)
        diagonal = upper.diagonal()
        self.permutation: Tensor
        self.sign: Tensor
        self.register_buffer("permutation", permutation)
        self.register_buffer("sign", diagonal.sign())
        self.lower = nn.Parameter(lower)
        self.upper = nn.Parameter(upper)
        self.log_diagonal = nn.Parameter(diagonal.abs().log())
        self.shift = nn.Parameter(torch.zeros(channels))

    def matrix(self) -> Tensor:
        """W, (channels, channels)."""
        lower = self.lower.tril(-1) + torch.eye(len(self.shift))
        upper = self.upper.triu(1) + torch.diag(self.sign * self.log_diagonal.exp())
        return torch.as_tensor(self.permutation @ lower @ upper)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """To noise, and the log determinant (one number for all samples)."""
        with torch.autocast(x.device.type, enabled=False):
            mixed = functional.conv2d(x + self.shift.view(1, -1, 1, 1), self.matrix()[:, :, None, None])
        return mixed, self.log_diagonal.sum() * (x.shape[2] * x.shape[3])

    def inverse(self, u: Tensor) -> Tensor:
        """To latents."""
        with torch.autocast(u.device.type, enabled=False):
            return functional.conv2d(u, torch.linalg.inv(self.matrix())[:, :, None, None]) - self.shift.view(1, -1, 1, 1)


class Step(nn.Module):
    """Mixing, then coupling."""

    def __init__(self, channels: int, told: int, hidden: int) -> None:
        super().__init__()
        self.mixing, self.coupling = Mixing(channels), Coupling(channels, told, hidden)

    def forward(self, x: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """To noise."""
        x, mixed = self.mixing(x)
        x, coupled = self.coupling(x, features)
        return x, mixed + coupled

    def inverse(self, u: Tensor, features: Tensor) -> Tensor:
        """To latents."""
        return torch.as_tensor(self.mixing.inverse(self.coupling.inverse(u, features)))


class Flow(nn.Module):
    """See the module.

    Args:
        fine: Steps at 16x16 cells. ``coarse``: steps at 8x8.
        hidden: Width of the couplings' networks at 16x16 and at 8x8.
        told: Width of the prompt's features.
    """

    def __init__(self, fine: int = 4, coarse: int = 4, hidden: tuple[int, int] = (48, 64), told: int = 48) -> None:
        super().__init__()
        self.stem = nn.Sequential(Stem(told), Block(told), Block(told), nn.GroupNorm(GROUPS, told), nn.SiLU())
        self.expected = nn.Conv2d(told, 2 * LATENT_CHANNELS, 3, padding=1)
        self.down = nn.Conv2d(told, told, 3, stride=2, padding=1)
        self.fine = nn.ModuleList(Step(LATENT_CHANNELS, told, hidden[0]) for _ in range(fine))
        self.coarse = nn.ModuleList(Step(4 * LATENT_CHANNELS, told, hidden[1]) for _ in range(coarse))
        nn.init.zeros_(self.expected.weight)
        nn.init.zeros_(self.expected.bias)  # type: ignore[arg-type]

    def forward(self, latents: Tensor, told: Told) -> tuple[Tensor, Tensor]:
        """Latents (n, 8, 16, 16) to noise (n, 32, 8, 8), and log |det| (n,)."""
        features, shift, log_scale = self._read(told)
        x = (latents - shift) * torch.exp(-log_scale)
        total = -log_scale.flatten(1).sum(dim=1)
        for step in self.fine:
            x, change = step(x, features)
            total = total + change
        x, features = functional.pixel_unshuffle(x, 2), self.down(features)
        for step in self.coarse:
            x, change = step(x, features)
            total = total + change
        return x, total

    def inverse(self, noise: Tensor, told: Told) -> Tensor:
        """Noise (n, 32, 8, 8) to latents (n, 8, 16, 16)."""
        features, shift, log_scale = self._read(told)
        narrow, u = self.down(features), noise
        for step in reversed(list(self.coarse)):
            u = step.inverse(u, narrow)  # type: ignore[operator]
        u = functional.pixel_shuffle(u, 2)
        for step in reversed(list(self.fine)):
            u = step.inverse(u, features)  # type: ignore[operator]
        return u * log_scale.exp() + shift

    def paint(self, told: Told, noise: Tensor) -> Tensor:
        """See `model.Family`."""
        return self.inverse(functional.pixel_unshuffle(noise, 2), told)

    def _read(self, told: Told) -> tuple[Tensor, Tensor, Tensor]:
        """Features of the prompt, expected latent and its log deviation."""
        features = self.stem(told)
        shift, raw = self.expected(features).float().chunk(2, dim=1)
        return features, told.sketch.float() + shift, LOG_SCALE * torch.tanh(raw / LOG_SCALE) - 1.0

    def nats(self, latents: Tensor, told: Told) -> Tensor:
        """-log p(latents | prompts), exact, (n,)."""
        noise, determinant = self(latents, told)
        surprise = 0.5 * (noise.square() + np.log(2 * np.pi)).flatten(1).sum(dim=1)
        return torch.as_tensor(surprise - determinant)


def bits_per_dim(nats: Tensor, dimensions: int) -> Tensor:
    """Nats a sample -> bits a dimension."""
    return nats / (dimensions * float(np.log(2)))


def load(folder: Path) -> FamilyGenerator:
    """Read the model; see `load_family`."""
    return load_family(folder, Flow())
