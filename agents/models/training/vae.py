"""Training of the VAE family: the evidence lower bound of cached latents given their prompts (Kingma and Welling 2014;
conditional as by Sohn, Lee and Yan 2015, the decoder's variance learned as by Rybkin, Daniilidis and Levine 2021).

The posterior network is used in training alone; the decoder and the noise's unit normal prior are what generates.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..cards import Card
from ..tiny.autoencoder import LATENT_CHANNELS
from ..tiny.families.painter import NOISE_CHANNELS, Block, Painter, Stem
from ..tiny.families.prompting import Told
from .devices import CPU, drawn
from .families import HELD_OUT, Material, material, noise_of, spread
from .families_export import export
from .loop import Settings, fit

TEMPERATURE = 0.7
SETTINGS = Settings(rate=2e-3, weight_decay=1e-3, warm_steps=200, average=0.998, clip=1.0, save_every_s=120.0)


class Posterior(nn.Module):
    """Latent and prompt to mean and log variance of the noise that would have made it: (n, 8, 8, 8) each."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.stem = Stem(width)
        self.seen = nn.Conv2d(LATENT_CHANNELS, width, 3, padding=1)
        self.body = nn.Sequential(Block(width), nn.Conv2d(width, width, 3, stride=2, padding=1), Block(width), nn.SiLU())
        self.out = nn.Conv2d(width, 2 * NOISE_CHANNELS, 1)

    def forward(self, latents: Tensor, told: Told) -> tuple[Tensor, Tensor]:
        """Mean and log variance."""
        found = self.out(self.body(self.stem(told) + self.seen(latents - told.sketch)))
        mean, log_variance = found.float().chunk(2, dim=1)
        return mean, log_variance.clamp(-8, 4)


class Vae(nn.Module):
    """Posterior, decoder and the decoder's deviation a channel, to be optimised together."""

    def __init__(self) -> None:
        super().__init__()
        self.posterior, self.painter = Posterior(), Painter()
        self.log_deviation = nn.Parameter(torch.full((LATENT_CHANNELS,), -0.7))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def bound(self, latents: Tensor, told: Told, noise: Tensor) -> "Bound":
        """The negative lower bound for latents (n, 8, 16, 16) with unit normal `noise` (n, 8, 8, 8)."""
        mean, log_variance = self.posterior(latents, told)
        made = self.painter(told, mean + noise * torch.exp(log_variance / 2)).float()
        spread = self.log_deviation.view(1, -1, 1, 1)
        misfit = gaussian_nats(latents - made, spread).flatten(1).sum(dim=1)
        return Bound(misfit, divergence_nats(mean, log_variance).flatten(1).sum(dim=1))


class Bound(NamedTuple):
    """Nats a latent, (n,) each: what the decoder misses, and what the noise costs. Their sum bounds -log p(latent | prompt)."""

    misfit: Tensor
    divergence: Tensor


def gaussian_nats(error: Tensor, log_deviation: Tensor) -> Tensor:
    """-log N(error; 0, deviation^2), elementwise."""
    return 0.5 * (error * torch.exp(-log_deviation)).square() + log_deviation + 0.5 * float(np.log(2 * np.pi))


def divergence_nats(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)), elementwise."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def train(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``vae``; needs what recipe ``generator`` made."""
    given = material(folder, work)
    torch.manual_seed(0)
    network = Vae()

    def loss_of(step: int) -> Tensor:
        (latents, told), noise = drawn(lambda: (given.batch("vae", step), noise_of("vae", step)))
        bound = network.bound(latents, told, noise)
        return (bound.misfit + bound.divergence).mean() / latents[0].numel()

    progress = fit(network, loss_of, work / "vae", minutes, SETTINGS, device)
    notes = {"command": f"semcast train vae --minutes {minutes:g}", "training": progress}
    return export(folder, "vae", network.painter, given, TEMPERATURE, {**notes, "metrics": lambda: measure(network, given)})


def measure(network: Vae, given: Material) -> dict[str, float]:
    """The bound on held-out latents with whole prompts, and what of it the noise costs, in bits a dimension; `spread`."""
    latents, told = given.held_out()
    with torch.no_grad():
        bound = network.bound(latents, told, noise_of("vae", "held out", size=HELD_OUT))
    scale = latents[0].numel() * float(np.log(2))
    return {
        "bound_bits_per_dim": round(float((bound.misfit + bound.divergence).mean()) / scale, 4),
        "divergence_bits_per_dim": round(float(bound.divergence.mean()) / scale, 4),
        **spread(network.painter, told, latents, "vae", "held out"),
    }
