"""The networks: a conditional VAE with latents in layers, the codec trained end to end with its channel, the two judges.

VAE: Kingma and Welling 2014; with a condition, Sohn, Lee and Yan 2015. A pixel is a count of 0 to 16, so the decoder's
distribution is Binomial(16, p). The decoder is told which latents it has: prefixes by layers, as in nested dropout (Rippel,
Gelbart and Adams 2014), or any subset. Each of these submodels has its own lower bound, and their mean is what training raises.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from .data import CLASSES, PIXELS, SIDE, WHITE
from .prompts import LATENTS, LAYERS

JOINT_REALS = 44
"""Reals that the end-to-end codec sends for a picture: as many channel uses as the modular one's latents and label together."""


def _layers(*widths: int) -> nn.Sequential:
    """Fully connected layers with SiLU between them."""
    parts: list[nn.Module] = []
    for before, after in zip(widths, widths[1:], strict=False):
        parts += [nn.Linear(before, after), nn.SiLU()]
    return nn.Sequential(*parts[:-1])


class Bound(NamedTuple):
    """Nats a picture, ``(n,)`` each: what the decoder misses, and what the latents cost.

    The expectation of their sum over the noise is at least -log p(picture | label).
    """

    misfit: Tensor
    divergence: Tensor


class Vae(nn.Module):
    """Sender: reader of labels and posterior of the latents. Receiver: decoder."""

    deviation: Tensor
    """Of the posterior means over the training pictures, ``(LATENTS,)``: they are sent divided by it."""

    def __init__(self, width: int = 96) -> None:
        super().__init__()
        self.reader = _layers(PIXELS, 64, CLASSES)
        self.posterior = _layers(PIXELS + CLASSES, width, width, 2 * LATENTS)
        self.decoder = _layers(LATENTS + LATENTS + CLASSES + 1, width, width, PIXELS)
        self.straight_in, self.straight_out = nn.Linear(PIXELS, LATENTS, bias=False), nn.Linear(LATENTS, PIXELS, bias=False)
        self.register_buffer("deviation", torch.ones(LATENTS))

    def read(self, x: Tensor) -> Tensor:
        """Scores ``(n, 10)`` of the classes of pictures ``(n, 64)`` of levels in [0, 1]."""
        scores: Tensor = self.reader(x)
        return scores

    def encode(self, x: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the latents, ``(n, LATENTS)`` each."""
        mean, log_variance = self.posterior(torch.cat([x, one_hot(labels, CLASSES)], 1)).chunk(2, dim=1)
        return mean + self.straight_in(x), log_variance.clamp(-8, 4)

    def decode(self, latents: Tensor, known: Tensor, labels: Tensor) -> Tensor:
        """Logits of p ``(n, 64)``.

        Args:
            latents: ``(n, LATENTS)``; what is not known is not looked at.
            known: 1 where a latent came, else 0, ``(n, LATENTS)``.
            labels: 0 to 9, or 10 where the label did not come, ``(n,)``.
        """
        came = latents * known
        bent: Tensor = self.decoder(torch.cat([came, known, one_hot(labels, CLASSES + 1)], 1))
        straight: Tensor = self.straight_out(came)
        return bent + straight

    def bound(self, x: Tensor, labels: Tensor, told: Tensor, known: Tensor, noise: Tensor) -> Bound:
        """Negative lower bound of the submodel with the `known` latents and the label `told` to the decoder (10: none).

        Args:
            x: Levels in [0, 1], ``(n, 64)``.
            labels: What they show, as the encoder knows.
            told: What the decoder is told.
            known: ``(n, LATENTS)``.
            noise: Unit normal, ``(n, LATENTS)``.
        """
        mean, log_variance = self.encode(x, labels)
        logits = self.decode(mean + noise * torch.exp(log_variance / 2), known, told)
        return Bound(binomial_nats(x, logits).sum(1), (divergence_nats(mean, log_variance) * known).sum(1))


def one_hot(labels: Tensor, classes: int) -> Tensor:
    """``(n, classes)`` of float32."""
    return functional.one_hot(labels, classes).float()


def binomial_nats(x: Tensor, logits: Tensor) -> Tensor:
    """-log Binomial(16 x; 16, sigmoid(logits)), elementwise, for levels `x` in [0, 1]; between levels by the gamma function."""
    count = x * WHITE
    ways = math.lgamma(WHITE + 1) - torch.lgamma(count + 1) - torch.lgamma(WHITE - count + 1)
    return WHITE * functional.binary_cross_entropy_with_logits(logits, x, reduction="none") - ways


def divergence_nats(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)), elementwise."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


class Joint(nn.Module):
    """Encoder and decoder of analogue symbols, trained end to end with the channel (DeepJSCC; Bourtsoulatze et al. 2019).

    The decoder is told the SNR.
    """

    def __init__(self, width: int = 96) -> None:
        super().__init__()
        self.encoder = _layers(PIXELS, width, width, JOINT_REALS)
        self.decoder = _layers(JOINT_REALS + 1, width, width, PIXELS)
        self.straight_in, self.straight_out = (
            nn.Linear(PIXELS, JOINT_REALS, bias=False),
            nn.Linear(JOINT_REALS, PIXELS, bias=False),
        )

    def send(self, x: Tensor) -> Tensor:
        """Reals ``(n, JOINT_REALS)`` of pictures; their power is made one over a page afterwards."""
        reals: Tensor = self.encoder(x) + self.straight_in(x)
        return reals

    def receive(self, reals: Tensor, snr_db: Tensor) -> Tensor:
        """Logits ``(n, 64)`` from equalised reals of unit variance before noise, and the SNR ``(n, 1)`` in dB."""
        bent: Tensor = self.decoder(torch.cat([reals, snr_db / 10], 1))
        straight: Tensor = self.straight_out(reals)
        return bent + straight


class DigitJudge(nn.Module):
    """Classifier of the measurements: convolutions. Never seen by any other network."""

    FEATURES = 32

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.SiLU(), nn.Conv2d(12, 24, 3, stride=2, padding=1), nn.SiLU(),
            nn.Flatten(), nn.Linear(24 * SIDE * SIDE // 4, self.FEATURES), nn.SiLU(),
        )  # fmt: skip
        self.head = nn.Linear(self.FEATURES, CLASSES)

    def features(self, x: Tensor) -> Tensor:
        """``(n, 32)`` of pictures ``(n, 64)`` in [0, 1]: what alignment compares."""
        found: Tensor = self.trunk(x.view(-1, 1, SIDE, SIDE))
        return found

    def forward(self, x: Tensor) -> Tensor:
        """Scores ``(n, 10)``."""
        scores: Tensor = self.head(self.features(x))
        return scores


class Verifier(nn.Module):
    """The second judge, at the receiver: fully connected, trained on other pictures than the first, made worse in part."""

    def __init__(self) -> None:
        super().__init__()
        self.body = _layers(PIXELS, 64, 32, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Scores ``(n, 10)`` of pictures ``(n, 64)`` in [0, 1]."""
        scores: Tensor = self.body(x)
        return scores


def known_of(layers: Tensor) -> Tensor:
    """Which latents are known if whole layers are: ``(n, number of layers)`` of 0 and 1 -> ``(n, LATENTS)``."""
    sizes = torch.tensor([layer.latents for layer in LAYERS])
    return torch.repeat_interleave(layers, sizes, dim=1)
