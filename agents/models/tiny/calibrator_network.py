"""The calibrator's network: a damaged picture and what the knowledge base knows of it become a repaired picture.

Two scales (16x16 and 8x8, after a space-to-depth of 4), and one look at the whole picture: its mean features set a gain and a
shift of each colour, which mends tints, and modulate the coarse scale.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...scenes.vocabulary import BACKGROUND_NAMES
from .autoencoder import PATCH

SEEN = 8
"""Planes of a view: picture (3), lost (1), collage of references (3), where it shows something (1)."""
SNR_RANGE_DB = (-10.0, 30.0)
"""The receiver's SNR is told in this range; 30 dB or more says that noise is no matter."""


class View(NamedTuple):
    """What is known of n pictures.

    Attributes:
        picture: float32 (n, 3, 64, 64) about [-1, 1], repaired as far as `repair` does it without learning.
        lost: float32 (n, 1, 64, 64), 1 on lost tiles.
        collage: float32 (n, 3, 64, 64) in [-1, 1]: references laid into their boxes, zero elsewhere.
        shown: float32 (n, 1, 64, 64), 1 where the collage shows a reference.
        background: int64 (n,), background number + 1; 0 where it is not known.
        snr_db: float32 (n,), Es/N0 of the symbols that the picture was decoded from.
    """

    picture: Tensor
    lost: Tensor
    collage: Tensor
    shown: Tensor
    background: Tensor
    snr_db: Tensor


class Residual(nn.Module):
    """``x + f(x)``: two 3x3 convolutions; the second starts at zero."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, h, w) -> same shape."""
        hidden: Tensor = self.second(functional.silu(self.first(functional.silu(x))))
        return x + hidden


class CalibratorNetwork(nn.Module):
    """See the module.

    Args:
        fine: Channels at 16x16.
        coarse: Channels at 8x8.
    """

    def __init__(self, fine: int = 56, coarse: int = 70) -> None:
        super().__init__()
        self.stem = nn.Conv2d(SEEN * PATCH**2, fine, 1)
        self.before = nn.Sequential(Residual(fine), Residual(fine))
        self.down = nn.Conv2d(fine, coarse, 2, stride=2)
        self.known = nn.Embedding(len(BACKGROUND_NAMES) + 1, coarse)
        self.level = nn.Linear(1, coarse)
        self.whole = nn.Linear(coarse, 2 * coarse)
        self.tint = nn.Linear(coarse, 6)
        self.deep = nn.Sequential(Residual(coarse), Residual(coarse, 2))
        self.up = nn.ConvTranspose2d(coarse, fine, 2, stride=2)
        self.after = Residual(fine)
        self.head = nn.Conv2d(fine, 3 * PATCH**2, 1)
        for layer in (self.whole, self.tint, self.head):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, view: View) -> Tensor:
        """Repaired pictures, float32 (n, 3, 64, 64), nominally in [-1, 1]."""
        fine, about = self.features(view)
        gain, offset = self.tint(about)[:, :, None, None].float().chunk(2, dim=1)
        local = functional.pixel_shuffle(self.head(fine).float(), PATCH)
        repaired: Tensor = view.picture * (1 + gain) + offset + local
        return repaired

    def features(self, view: View) -> tuple[Tensor, Tensor]:
        """What the head reads, (n, fine, 16, 16), and what is said of the whole picture, (n, coarse)."""
        seen = torch.cat([view.picture, view.lost, view.collage, view.shown], dim=1)
        fine = self.before(self.stem(functional.pixel_unshuffle(seen, PATCH).contiguous(memory_format=torch.channels_last)))
        coarse = self.down(fine)
        low, high = SNR_RANGE_DB
        level = (view.snr_db.clamp(low, high) - low) / (high - low)
        about = functional.silu(coarse.mean(dim=(2, 3)) + self.known(view.background) + self.level(level[:, None]))
        scale, shift = self.whole(about)[:, :, None, None].chunk(2, dim=1)
        coarse = self.deep(coarse * (1 + scale) + shift)
        fine = self.after(fine + self.up(coarse))
        return functional.silu(fine), about
