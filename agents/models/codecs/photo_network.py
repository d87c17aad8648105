"""The networks of the photograph codec: one encoder and one decoder for all rates and signal-to-noise ratios.

Both halves are a linear transform code with two learned corrections. The linear path projects 16x16 blocks on their
principal components and spreads power over them by the closed form of `spread` (reverse water-filling for a sum of squared
errors: K.-H. Lee, D. P. Petersen, "Optimal linear coding for vector channels", IEEE Trans. Commun. 24(12), 1976), one set of
gains for each rate and SNR, interpolated between. Untrained, that is all. Convolutions at 1/4, 1/8 and 1/16 of the side then
learn a gate for every coefficient at every place (where in the picture power is worth most, and how the receiver should
undo it) and a residual. Every residual block hears rate and SNR (E. Perez et al., "FiLM", AAAI 2018).
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 16
"""Side in pixels of the block that one position of the code stands for."""
CHANNELS = 256
"""Most real values a position: 128 complex symbols a block of 768 values, CBR 1/6."""
RATE_NODES = (32, 48, 64, 96, 128, 192, 256)
"""Real values a position at CBR 1/48, 1/32, 1/24, 1/16, 1/12, 1/8 and 1/6, where the gains are tabled."""
SNR_NODES_DB = (-5.0, 0.0, 5.0, 10.0, 15.0, 20.0)
Scales = Sequence[tuple[int, int]]
"""(width, residual blocks) at 1/4, 1/8 and 1/16 of the side."""
SCALES: Scales = ((64, 1), (128, 2), (192, 1))
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
        snr_db = snr_db.clamp(SNR_NODES_DB[0], SNR_NODES_DB[-1])
        found: Tensor = self.layers(torch.stack([torch.log2(rate / 96), snr_db / 7.5 - 1], 1))
        return found


class Encoder(nn.Module):
    """Picture to coefficients, before the power is normalised."""

    deviation: Tensor

    def __init__(self, scales: Scales = SCALES) -> None:
        super().__init__()
        (fine, n_fine), (middle, n_middle), (coarse, n_coarse) = scales
        self.condition = Condition()
        self.linear = nn.Conv2d(3, CHANNELS, STRIDE, STRIDE)
        self.gains = nn.Parameter(torch.ones(len(RATE_NODES), len(SNR_NODES_DB), CHANNELS))
        self.register_buffer("deviation", torch.ones(CHANNELS))
        self.stem = nn.Conv2d(48, fine, 3, padding=1)
        self.fine = Stack(fine, n_fine)
        self.to_middle = nn.Conv2d(fine, middle, 2, 2)
        self.middle = Stack(middle, n_middle)
        self.to_coarse = nn.Conv2d(middle, coarse, 2, 2)
        self.coarse = Stack(coarse, n_coarse)
        self.head = _zeroed(nn.Conv2d(coarse, 2 * CHANNELS, 1))

    def forward(self, picture: Tensor, rate: Tensor, snr_db: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1], (B,) real values a position, (B,) SNR in dB -> (B, CHANNELS, H/16, W/16), by worth."""
        x = picture - 0.5
        condition = self.condition(rate, snr_db)
        hidden = self.fine(self.stem(functional.pixel_unshuffle(x, 4)), condition)
        hidden = self.middle(self.to_middle(hidden), condition)
        hidden = self.coarse(self.to_coarse(hidden), condition)
        code = _corrected(self.linear(x), self.head(functional.silu(hidden)), self.deviation)
        return code * between(self.gains, rate, snr_db)


class Decoder(nn.Module):
    """Received coefficients to picture."""

    deviation: Tensor

    def __init__(self, scales: Scales = SCALES) -> None:
        super().__init__()
        (fine, n_fine), (middle, n_middle), (coarse, n_coarse) = scales
        self.condition = Condition()
        self.gains = nn.Parameter(torch.ones(len(RATE_NODES), len(SNR_NODES_DB), CHANNELS))
        self.register_buffer("deviation", torch.ones(CHANNELS))
        self.linear = nn.ConvTranspose2d(CHANNELS, 3, STRIDE, STRIDE)
        self.stem = nn.Conv2d(CHANNELS, coarse, 3, padding=1)
        self.coarse = Stack(coarse, n_coarse)
        self.gate = _zeroed(nn.Conv2d(coarse, 2 * CHANNELS, 1))
        self.to_middle = nn.ConvTranspose2d(coarse, middle, 2, 2)
        self.see_middle = nn.Conv2d(192, middle, 1)
        self.middle = Stack(middle, n_middle)
        self.to_fine = nn.ConvTranspose2d(middle, fine, 2, 2)
        self.see_fine = nn.Conv2d(48, fine, 3, padding=1)
        self.fine = Stack(fine, n_fine)
        self.head = _zeroed(nn.Conv2d(fine, 48, 3, padding=1))

    def forward(self, code: Tensor, rate: Tensor, snr_db: Tensor) -> Tensor:
        """(B, CHANNELS, h, w) received, zero where nothing was sent -> (B, 3, 16 h, 16 w), nominally in [0, 1]."""
        condition = self.condition(rate, snr_db)
        hidden = self.coarse(self.stem(code), condition)
        estimate = code * between(self.gains, rate, snr_db)
        draft = self.linear(_corrected(estimate, self.gate(functional.silu(hidden)), self.deviation))
        hidden = self.to_middle(hidden) + self.see_middle(functional.pixel_unshuffle(draft, 8))
        hidden = self.to_fine(self.middle(hidden, condition)) + self.see_fine(functional.pixel_unshuffle(draft, 4))
        detail = self.head(functional.silu(self.fine(hidden, condition)))
        picture: Tensor = draft.float() + functional.pixel_shuffle(detail, 4).float() + 0.5
        return picture


def between(table: Tensor, rate: Tensor, snr_db: Tensor) -> Tensor:
    """Look up gains, linear in the log of the rate and in the SNR in dB, flat outside.

    Args:
        table: (rates, SNRs, CHANNELS) at `RATE_NODES` and `SNR_NODES_DB`.
        rate: (B,) real values a position.
        snr_db: (B,).

    Returns:
        (B, CHANNELS, 1, 1).
    """
    on_rate = _hats(torch.log2(rate), torch.log2(torch.tensor(RATE_NODES, dtype=torch.float32, device=rate.device)))
    on_snr = _hats(snr_db, torch.tensor(SNR_NODES_DB, device=rate.device))
    weights = on_rate[:, :, None, None] * on_snr[:, None, :, None]
    return (weights * table).sum(dim=(1, 2))[:, :, None, None]


def _hats(x: Tensor, nodes: Tensor) -> Tensor:
    """(B,) and rising (n,) -> (B, n) weights of a linear interpolation; each row sums to 1."""
    x = x.clamp(nodes[0], nodes[-1])[:, None]
    rising = (x - nodes[:-1]) / (nodes[1:] - nodes[:-1])
    up = torch.cat([torch.ones_like(x), rising], 1)
    down = torch.cat([1 - rising, torch.ones_like(x)], 1)
    return torch.minimum(up, down).clamp_min(0)


def _corrected(values: Tensor, corrections: Tensor, deviation: Tensor) -> Tensor:
    """Scale each coefficient by a factor in (e^-2, e^2) and add a residual in units of its deviation."""
    gate, residual = corrections.float().chunk(2, 1)
    return values.float() * torch.exp(2 * torch.tanh(gate / 2)) + residual * deviation[:, None, None]


def _zeroed(layer: Layer) -> Layer:
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def spread(variances: np.ndarray, sent: int, snr_db: float) -> np.ndarray:
    """Gains of the linear code of least squared error for independent values over real AWGN of mean power 1/2 a value.

    With p_i the power of value i and s the noise variance of a real dimension, the error sum l_i s / (p_i + s) is least
    under sum p_i = sent / 2 at p_i = max(0, m sqrt(l_i s) - s); m follows by bisection.

    Args:
        variances: l_i of all values, falling; the first ``sent`` are sent.
        sent: Number of values sent.
        snr_db: Es/N0 per complex symbol (two values).

    Returns:
        The factor of each value at the sender; zero beyond ``sent`` (and where it is not worth its power).
    """
    noise, used = 10 ** (-snr_db / 10) / 2, variances[:sent].astype(np.float64)
    low, high = 0.0, (sent / 2 + noise) / np.sqrt(used[0] * noise) + 1
    for _ in range(200):
        level = (low + high) / 2
        power = np.maximum(level * np.sqrt(used * noise) - noise, 0)
        low, high = (low, level) if power.sum() > sent / 2 else (level, high)
    gain = np.zeros(len(variances))
    gain[:sent] = np.sqrt(power / used)
    return gain


def wiener(gain: np.ndarray, variances: np.ndarray, snr_db: float) -> np.ndarray:
    """The receiver's factor of least squared error for values of these variances, sent with `gain`: g l / (g^2 l + s)."""
    return np.asarray(gain * variances / (gain**2 * variances + 10 ** (-snr_db / 10) / 2))


def start_linear(encoder: Encoder, decoder: Decoder, axes: np.ndarray, variances: np.ndarray, mean: np.ndarray) -> None:
    """Set both linear paths to the optimal linear code of 16x16 blocks.

    Args:
        encoder: Changed in place.
        decoder: Changed in place.
        axes: (CHANNELS, 768) principal axes of blocks (row, column, colour), values in [-0.5, 0.5], by falling variance.
        variances: (CHANNELS,) of the blocks along the axes.
        mean: (768,) mean block.
    """
    kernels = torch.from_numpy(axes.astype(np.float32)).reshape(CHANNELS, STRIDE, STRIDE, 3).permute(0, 3, 1, 2)
    deviation = torch.from_numpy(np.sqrt(variances).astype(np.float32))
    with torch.no_grad():
        for half in (encoder, decoder):
            half.linear.weight.copy_(kernels)
            half.deviation.copy_(deviation)
        encoder.linear.bias.copy_(torch.from_numpy(-(axes @ mean).astype(np.float32)))  # type: ignore[union-attr]
        decoder.linear.bias.copy_(torch.from_numpy(mean.reshape(-1, 3).mean(0).astype(np.float32)))  # type: ignore[union-attr]
        for i, sent in enumerate(RATE_NODES):
            for j, snr_db in enumerate(SNR_NODES_DB):
                least = np.where(np.arange(CHANNELS) < sent, 0.02 / np.sqrt(variances), 0)  # a dead value would never learn
                gain = np.maximum(spread(variances, sent, snr_db), least)
                encoder.gains[i, j] = torch.from_numpy(gain)
                decoder.gains[i, j] = torch.from_numpy(wiener(gain, variances, snr_db))
