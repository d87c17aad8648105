"""The networks of the photograph codec: one encoder and one decoder for all rates and signal-to-noise ratios.

Both halves are a linear transform code with two learned corrections. The linear path projects 16x16 blocks on their
principal components; the plan of the picture (`photo_plan`) says which of them are sent and with which gain, and the receiver's
factor is the Wiener one. Untrained, that is all. Convolutions at 1/4, 1/8 and 1/16 of the side then learn a gate for every
coefficient at every place and a residual. Every residual block hears rate and SNR (E. Perez et al., "FiLM", AAAI 2018),
and both halves see the plan.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .photo_plan import CHANNELS, CLASSES
from .photo_side import STRIDE

RATE_RANGE = (32.0, 256.0)
"""Mean real values a block that the networks tell apart, CBR 1/48 to 1/6; what lies outside counts as the nearest end."""
SNR_RANGE_DB = (-5.0, 20.0)
"""Likewise."""
Scales = Sequence[tuple[int, int]]
"""(width, residual blocks) at 1/4, 1/8 and 1/16 of the side."""
ENCODER_SCALES: Scales = ((64, 1), (128, 2), (192, 2))
DECODER_SCALES: Scales = ((64, 2), (128, 2), (192, 2))
CONDITION = 64
Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)


class Conditioned(nn.Module):
    """``x + gain * f(x)``: two 3x3 convolutions; scale and shift between them follow the condition."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.film = _zeroed(nn.Linear(CONDITION, 2 * width))
        self.gain = nn.Parameter(torch.full((1, width, 1, 1), 0.2))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(B, width, h, w) and (B, CONDITION) -> (B, width, h, w)."""
        scale, shift = self.film(condition)[:, :, None, None].chunk(2, 1)
        hidden = self.first(functional.silu(x)) * (1 + scale) + shift
        changed: Tensor = x + self.gain * self.second(functional.silu(hidden))
        return changed


class Stack(nn.Module):
    """Residual blocks in a row."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Conditioned(width) for _ in range(depth))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Same shapes as `Conditioned`."""
        for block in self.blocks:
            x = block(x, condition)
        return x


class Condition(nn.Module):
    """Rate and SNR as a vector."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, CONDITION), nn.SiLU(), nn.Linear(CONDITION, CONDITION), nn.SiLU())

    def forward(self, rate: Tensor, snr_db: Tensor) -> Tensor:
        """(B,) real values a position and (B,) SNR in dB -> (B, CONDITION)."""
        snr_db = snr_db.clamp(*SNR_RANGE_DB)
        found: Tensor = self.layers(torch.stack([torch.log2(rate.clamp(*RATE_RANGE) / 96), snr_db / 7.5 - 1], 1))
        return found


class Encoder(nn.Module):
    """Picture to coefficients, before the power is normalised."""

    variances: Tensor

    def __init__(self, scales: Scales = ENCODER_SCALES) -> None:
        super().__init__()
        (fine, n_fine), (middle, n_middle), (coarse, n_coarse) = scales
        self.condition = Condition()
        self.linear = nn.Conv2d(3, CHANNELS, STRIDE, STRIDE)
        self.register_buffer("variances", torch.ones(CLASSES, CHANNELS), persistent=False)
        self.stem = nn.Conv2d(48, fine, 3, padding=1)
        self.fine = Stack(fine, n_fine)
        self.to_middle = nn.Conv2d(fine, middle, 2, 2)
        self.middle = Stack(middle, n_middle)
        self.to_coarse = nn.Conv2d(middle, coarse, 2, 2)
        self.see_plan = _zeroed(nn.Conv2d(CHANNELS, coarse, 1))
        self.coarse = Stack(coarse, n_coarse)
        self.head = _zeroed(nn.Conv2d(coarse, 2 * CHANNELS, 1))

    def forward(self, picture: Tensor, classes: Tensor, gains: Tensor, rate: Tensor, snr_db: Tensor) -> Tensor:
        """Coefficients times gains.

        Args:
            picture: (B, 3, H, W) in [0, 1].
            classes: (B, h, w) int64, h = H / 16 and w = W / 16.
            gains: (B, CHANNELS, h, w) of the plan.
            rate: (B,) mean real values a block.
            snr_db: (B,).

        Returns:
            (B, CHANNELS, h, w), zero where nothing is sent.
        """
        x = picture - 0.5
        condition = self.condition(rate, snr_db)
        deviation = at_places(self.variances, classes).sqrt()
        hidden = self.fine(self.stem(functional.pixel_unshuffle(x, 4)), condition)
        hidden = self.middle(self.to_middle(hidden), condition)
        hidden = self.coarse(self.to_coarse(hidden) + self.see_plan(gains * deviation), condition)
        return _corrected(self.linear(x), self.head(functional.silu(hidden)), deviation) * gains


class Decoder(nn.Module):
    """Received coefficients to picture."""

    variances: Tensor

    def __init__(self, scales: Scales = DECODER_SCALES) -> None:
        super().__init__()
        (fine, n_fine), (middle, n_middle), (coarse, n_coarse) = scales
        self.condition = Condition()
        self.register_buffer("variances", torch.ones(CLASSES, CHANNELS), persistent=False)
        self.linear = nn.ConvTranspose2d(CHANNELS, 3, STRIDE, STRIDE)
        self.stem = nn.Conv2d(CHANNELS, coarse, 3, padding=1)
        self.see_plan = _zeroed(nn.Conv2d(CHANNELS, coarse, 1))
        self.coarse = Stack(coarse, n_coarse)
        self.gate = _zeroed(nn.Conv2d(coarse, 2 * CHANNELS, 1))
        self.to_middle = nn.ConvTranspose2d(coarse, middle, 2, 2)
        self.see_middle = nn.Conv2d(192, middle, 1)
        self.middle = Stack(middle, n_middle)
        self.to_fine = nn.ConvTranspose2d(middle, fine, 2, 2)
        self.see_fine = nn.Conv2d(48, fine, 3, padding=1)
        self.fine = Stack(fine, n_fine)
        self.head = _zeroed(nn.Conv2d(fine, 48, 3, padding=1))

    def forward(self, code: Tensor, classes: Tensor, gains: Tensor, noise: Tensor, rate: Tensor, snr_db: Tensor) -> Tensor:
        """Picture from what arrived.

        Args:
            code: (B, CHANNELS, h, w) received, zero where nothing was sent.
            classes: (B, h, w) int64.
            gains: (B, CHANNELS, h, w) of the plan.
            noise: (B,) variance of the noise of a received value.
            rate: (B,) mean real values a block.
            snr_db: (B,).

        Returns:
            (B, 3, 16 h, 16 w), nominally in [0, 1].
        """
        condition = self.condition(rate, snr_db)
        variance, noise = at_places(self.variances, classes), noise[:, None, None, None]
        factor = gains * variance / (gains.square() * variance + noise)
        doubt = (variance * (1 - gains * factor)).clamp_min(1e-9).sqrt()
        hidden = self.coarse(self.stem(code) + self.see_plan(doubt.log() / 2 + 2), condition)
        estimate = _corrected(code * factor, self.gate(functional.silu(hidden)), doubt)
        draft = self.linear(estimate)
        hidden = self.to_middle(hidden) + self.see_middle(functional.pixel_unshuffle(draft, 8))
        hidden = self.to_fine(self.middle(hidden, condition)) + self.see_fine(functional.pixel_unshuffle(draft, 4))
        detail = self.head(functional.silu(self.fine(hidden, condition)))
        picture: Tensor = draft.float() + functional.pixel_shuffle(detail, 4).float() + 0.5
        return picture


def at_places(table: Tensor, classes: Tensor) -> Tensor:
    """(CLASSES, CHANNELS) and (B, h, w) int64 -> (B, CHANNELS, h, w)."""
    return table[classes].permute(0, 3, 1, 2)


def _corrected(values: Tensor, corrections: Tensor, deviation: Tensor) -> Tensor:
    """Scale each coefficient by a factor in (e^-2, e^2) and add a residual in units of its deviation."""
    gate, residual = corrections.float().chunk(2, 1)
    return values.float() * torch.exp(2 * torch.tanh(gate / 2)) + residual * deviation


def _zeroed(layer: Layer) -> Layer:
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def start_linear(encoder: Encoder, decoder: Decoder, axes: np.ndarray, mean: np.ndarray, variances: np.ndarray) -> None:
    """Set both linear paths to the transform of 16x16 blocks.

    Args:
        encoder: Changed in place.
        decoder: Changed in place.
        axes: (CHANNELS, 768) principal axes of blocks (row, column, colour), values in [-0.5, 0.5], by falling variance.
        mean: (768,) mean block.
        variances: (CLASSES, CHANNELS) of the blocks of each class along the axes.
    """
    kernels = torch.from_numpy(axes.astype(np.float32)).reshape(CHANNELS, STRIDE, STRIDE, 3).permute(0, 3, 1, 2)
    with torch.no_grad():
        for half in (encoder, decoder):
            half.linear.weight.copy_(kernels)
            half.variances.copy_(torch.from_numpy(variances.astype(np.float32)))
        encoder.linear.bias.copy_(torch.from_numpy(-(axes @ mean).astype(np.float32)))  # type: ignore[union-attr]
        decoder.linear.bias.copy_(torch.from_numpy(mean.reshape(-1, 3).mean(0).astype(np.float32)))  # type: ignore[union-attr]
