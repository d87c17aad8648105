"""Training of the photograph codec: recipe ``jscc-photos``. It needs a folder of photographs; the product does not."""

import logging
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ....bus import keys
from ..cards import Card
from ..codecs.photo_network import CHANNELS, RATE_NODES, STRIDE, Decoder, Encoder, start_linear
from .loop import Settings, fit
from .photos_data import Photo, block_statistics, crops, read_photos
from .photos_export import export

log = logging.getLogger(__name__)

SETTINGS = Settings(rate=1e-3, weight_decay=1e-4, average=0.999, clip=1.0, save_every_s=300.0)
SNR_DB = (-1.0, 16.0)
USUAL_RATE = 96
"""Real values a position at CBR 1/16: half of all training pictures are sent at this rate."""
KNEE = 5e-4
"""Squared error (33 dB) below which a picture counts less and less; above it the loss is the mean PSNR."""


class Codec(nn.Module):
    """Encoder, channel and decoder, for training."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()

    def forward(self, pictures: Tensor, rate: Tensor, snr_db: Tensor, noise: Tensor) -> Tensor:
        """Send pictures of several tiles each; power is normalised over all tiles of a picture, never over the batch.

        Args:
            pictures: (B * tiles, 3, H, W) in [0, 1].
            rate: (B,) real values a position, whole numbers.
            snr_db: (B,) Es/N0 per complex symbol.
            noise: (B * tiles, CHANNELS, H/16, W/16) of unit variance.

        Returns:
            (B * tiles, 3, H, W).
        """
        n = len(rate)
        tiles = len(pictures) // n
        rates, snrs_db = (values.repeat_interleave(tiles) for values in (rate, snr_db))
        sent = (torch.arange(CHANNELS, device=rate.device) < rates[:, None]).float()[:, :, None, None]
        code = self.encoder(pictures, rates, snrs_db) * sent
        places = tiles * code.shape[2] * code.shape[3]
        energy = code.reshape(n, -1).square().sum(1) / (rate / 2 * places)
        scale = energy.clamp_min(1e-12).sqrt().repeat_interleave(tiles)[:, None, None, None]
        spread_noise = noise * (10 ** (-snrs_db / 20) * 0.5**0.5)[:, None, None, None]
        picture: Tensor = self.decoder((code / scale + spread_noise) * sent * scale, rates, snrs_db)
        return picture


def loss(codec: Codec, photos: list[Photo], step: int) -> Tensor:
    """Mean over pictures of the log of the squared error, on the keyed batch of `step`.

    Of four steps, three have 4 photographs with 2 crops of 128 pixels, one has 2 with a crop of 256.
    """
    groups, tiles, side = (2, 1, 256) if step % 4 == 3 else (4, 2, 128)
    raw = crops(photos, groups, tiles, side, "train", step)
    pictures = torch.from_numpy(raw).permute(0, 3, 1, 2).float() / 255
    rng = keys.generator("photos", "channel", step)
    snr_db = torch.from_numpy(rng.uniform(*SNR_DB, groups).astype(np.float32))
    rate = torch.from_numpy(_rates(rng, groups))
    noise = torch.from_numpy(rng.standard_normal((groups * tiles, CHANNELS, side // STRIDE, side // STRIDE), dtype=np.float32))
    restored = codec(pictures, rate, snr_db, noise)
    errors = (restored - pictures).square().reshape(groups, -1).mean(1)
    return torch.log(errors + KNEE).mean()


def _rates(rng: np.random.Generator, n: int) -> np.ndarray:
    """Half the usual rate, a quarter of the tabled ones, a quarter anything even between the least and the largest."""
    kind = rng.random(n)
    tabled = rng.choice(RATE_NODES, n)
    even = 2 * rng.integers(RATE_NODES[0] // 2, CHANNELS // 2 + 1, n)
    return np.where(kind < 0.5, USUAL_RATE, np.where(kind < 0.75, tabled, even)).astype(np.float32)


def train(folder: Path, work: Path, minutes: float, photos: Path | None = None) -> Card:
    """Recipe ``jscc-photos``: train on the photographs below `photos` and write weights and card to `folder`.

    Raises:
        Missing: No folder of photographs was given, or it is absent.
        BadInput: It has too few usable photographs.
    """
    found = read_photos(photos)
    used = [photo for photo in found if not photo.held_out]
    log.info("%d photographs to train on, %d held out", len(used), len(found) - len(used))
    torch.manual_seed(0)
    codec = Codec().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    start_linear(codec.encoder, codec.decoder, *block_statistics(used, CHANNELS))
    result = fit(codec, lambda step: loss(codec, used, step), work, minutes, SETTINGS)
    return export(codec.encoder, codec.decoder, folder, found, result)
