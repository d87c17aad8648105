"""Training of the GAN family: a painter against a discriminator that is told the same prompt and is not shipped.

Relativistic, non-saturating losses with zero-centred gradient penalties on real and made latents (Huang et al. 2024, after
Jolicoeur-Martineau 2018 and Mescheder, Geiger and Nowozin 2018). A second term keeps the mean right and the noise in use: the
L1 error of the mean of two pictures, less their own spread, weighted such that at its optimum the spread is the posterior's if
that is normal (Bendel, Ahmad and Schniter 2023, "A Regularized Conditional GAN for Posterior Sampling").
"""

from functools import partial
from math import pi, sqrt
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from ..cards import CARD_NAME, Card, checked, read_card
from ..codecs.quantised import dequantise
from ..tiny.autoencoder import LATENT_CHANNELS
from ..tiny.families.model import WEIGHTS_FILE
from ..tiny.families.painter import Painter, Stem
from ..tiny.families.prompting import Told
from .devices import CPU, drawn
from .families import Material, material, noise_of, spread
from .families_export import export
from .loop import Settings, fit

# both play at once, in one optimiser without momentum
SETTINGS = Settings(rate=8e-4, weight_decay=0.0, warm_steps=50, betas=(0.0, 0.99), average=0.998, clip=5.0, save_every_s=120.0)
BATCH = 8
TEMPERATURE = 0.7
ADVERSARY = 0.2
"""Weight of the discriminator's word against one nat of L1."""
PENALTY = 0.5
PENALTY_EVERY = 4
"""Steps from one gradient penalty to the next; its weight is multiplied accordingly."""
SPREAD = sqrt(2 / (pi * 2 * 3)) * sqrt(pi / (2 * 2 * 1))
"""Weight of the spread's reward for two pictures: beta of the paper times the factor of its estimate of the deviation."""


class Discriminator(nn.Module):
    """Latents and prompts to one score for every 4x4 region of cells: (n, 1, 4, 4), higher for real ones."""

    def __init__(self, widths: tuple[int, int, int] = (64, 96, 128)) -> None:
        super().__init__()
        first, second, third = widths
        self.stem = Stem(first)
        self.seen = nn.Conv2d(LATENT_CHANNELS, first, 3, padding=1)
        layers: list[nn.Module] = []
        for before, after, stride in ((first, first, 1), (first, second, 2), (second, second, 1), (second, third, 2)):
            layers += [nn.LeakyReLU(0.2), nn.Conv2d(before, after, 3, stride=stride, padding=1)]
        self.body = nn.Sequential(*layers, nn.LeakyReLU(0.2), nn.Conv2d(third, third, 3, padding=1), nn.LeakyReLU(0.2))
        self.score = nn.Conv2d(third, 1, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):  # without norms, torch's own start would let differences vanish on their way
                nn.init.kaiming_normal_(layer.weight, a=0.2)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, latents: Tensor, told: Told) -> Tensor:
        """Scores."""
        return torch.as_tensor(self.score(self.body(self.stem(told) + self.seen(latents)))).float()


class Gan(nn.Module):
    """Both players."""

    def __init__(self) -> None:
        super().__init__()
        self.painter, self.discriminator = Painter(), Discriminator()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def loss(self, latents: Tensor, told: Told, noise: Tensor, *, penalised: bool) -> Tensor:
        """The sum of both players' losses; each reaches the weights of its own player alone.

        Args:
            latents: Real ones, (n, 8, 16, 16).
            told: Their prompts.
            noise: Unit normal, (2 n, 8, 8, 8): two pictures of every prompt.
            penalised: Whether this step has the gradient penalty.
        """
        twice = Told(*(torch.cat([part, part]) for part in told))
        first, second = self.painter(twice, noise).float().chunk(2)
        fixed = {name: value.detach() for name, value in self.discriminator.named_parameters()}
        with torch.no_grad():
            real = self.discriminator(latents, told)
        fooled = functional_call(self.discriminator, fixed, (first, told))
        mean = (first + second) / 2
        matching = (latents - mean).abs().mean() - SPREAD * ((first - mean).abs() + (second - mean).abs()).mean()
        paints = matching + ADVERSARY * functional.softplus(real - fooled).mean()
        made = first.detach()
        judges = functional.softplus(self.discriminator(made, told) - self.discriminator(latents, told)).mean()
        if penalised:
            judges = judges + PENALTY_EVERY * PENALTY / 2 * (self._penalty(latents, told) + self._penalty(made, told))
        return torch.as_tensor(paints + judges)

    def _penalty(self, latents: Tensor, told: Told) -> Tensor:
        """Mean squared gradient of the score with respect to latents, on a quarter of the batch, in full precision."""
        few = max(len(latents) // 4, 1)
        with torch.autocast(latents.device.type, enabled=False):
            at = latents[:few].clone().requires_grad_()
            score = self.discriminator(at, Told(*(part[:few].float() for part in told)))
            (slope,) = torch.autograd.grad(score.mean(dim=(1, 2, 3)).sum(), at, create_graph=True)
        return slope.square().flatten(1).sum(dim=1).mean()


def train(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``gan``; needs what recipe ``generator`` made."""
    given = material(folder, work)
    torch.manual_seed(0)
    network = Gan()
    started = start_from(network.painter, folder.parent / "vae")

    def loss_of(step: int) -> Tensor:
        (latents, told), noise = drawn(lambda: (given.batch("gan", step, size=BATCH), noise_of("gan", step, size=2 * BATCH)))
        return network.loss(latents, told, noise, penalised=step % PENALTY_EVERY == 0)

    progress = fit(network, loss_of, work / "gan", minutes, SETTINGS, device)
    notes = {"command": f"semcast train gan --minutes {minutes:g}", "training": {**progress, **started}}
    metrics = partial(measure, network.painter, given)
    return export(folder, "gan", network.painter, given, TEMPERATURE, {**notes, "metrics": metrics})


def start_from(painter: Painter, folder: Path) -> dict[str, str]:
    """Take over the VAE's decoder in `folder`, if there is one, so that the play is about how things look and not where they are.

    Returns:
        What the card says of it.
    """
    if not (folder / CARD_NAME).is_file():
        return {}
    card = read_card(folder)
    painter.load_state_dict(dequantise(load_file(checked(card, WEIGHTS_FILE))))
    return {"started_from": f"vae {card.sha256}"}


def measure(painter: Painter, given: Material) -> dict[str, float]:
    """See `families.spread`, on held-out scenes with whole prompts."""
    latents, told = given.held_out()
    return spread(painter, told, latents, "gan", "held out")
