"""Training of the photograph codec: recipe ``jscc-photos``. It needs a folder of photographs; the product does not."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ....bus import keys
from ..cards import Card
from ..codecs.photo_network import Decoder, Encoder, start_linear
from ..codecs.photo_plan import CHANNELS, CLASSES, amplitudes, nearest_class, numbers_sent
from ..codecs.photo_side import STRIDE
from .devices import CPU, drawn
from .loop import Settings, fit
from .photos_classes import classify, find_classes
from .photos_data import Photo, block_statistics, crops, read_photos
from .photos_export import export

log = logging.getLogger(__name__)

SETTINGS = Settings(rate=1e-3, weight_decay=1e-4, average=0.999, clip=1.0, save_every_s=300.0)
SNR_DB = (-1.0, 16.0)
RATES = (32, 48, 64, 96, 128, 192, 256)
"""Mean real values a block at CBR 1/48, 1/32, 1/24, 1/16, 1/12, 1/8 and 1/6."""
USUAL_RATE = 96
"""CBR 1/16: half of all training pictures are sent at this rate."""
KNEE = 5e-4
"""Squared error (33 dB) below which a picture counts less and less; above it the loss is the mean PSNR."""


class Codec(nn.Module):
    """Encoder, channel and decoder, for training."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()

    def forward(self, pictures: Tensor, plans: Tensor, rate: Tensor, snr_db: Tensor, noise: Tensor) -> Tensor:
        """Send crops of a photograph each, as a part of the whole photograph would be sent.

        Args:
            pictures: (B * tiles, 3, H, W) in [0, 1].
            plans: (B, CLASSES, CHANNELS) gains by the plan of the whole photograph.
            rate: (B,) mean real values a block.
            snr_db: (B,) Es/N0 per complex symbol.
            noise: (B * tiles, CHANNELS, H/16, W/16) of unit variance.

        Returns:
            (B * tiles, 3, H, W).
        """
        n = len(rate)
        tiles = len(pictures) // n
        rates, snrs_db, tables = (values.repeat_interleave(tiles, 0) for values in (rate, snr_db, plans))
        classes = self._classes(pictures)
        gains = torch.stack([table[places].permute(2, 0, 1) for table, places in zip(tables, classes, strict=True)])
        code = self.encoder(pictures, classes, gains, rates, snrs_db)
        # The share of the photograph's power that the plan gives to these blocks.
        variances = self.encoder.variances[classes].permute(0, 3, 1, 2)
        planned, actual = ((x.reshape(n, -1)).sum(1) for x in (gains.square() * variances, code.square()))
        little = 1e-6  # of smooth crops at a low rate nothing may be sent
        scale = ((actual + little) / (planned + little)).sqrt().repeat_interleave(tiles)[:, None, None, None]
        sigma = (10 ** (-snrs_db / 20) * 0.5**0.5)[:, None, None, None] * scale
        received = code + noise * sigma * (gains > 0)
        picture: Tensor = self.decoder(received, classes, gains, sigma.detach().flatten().square(), rates, snrs_db)
        return picture

    @torch.no_grad()
    def _classes(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, H/16, W/16) int64."""
        found = self.encoder.linear(pictures - 0.5).float().permute(0, 2, 3, 1)
        values, table = (tensor.to(CPU).numpy() for tensor in (found.reshape(-1, CHANNELS), self.encoder.variances))
        return torch.from_numpy(nearest_class(values, table)).reshape(found.shape[:3]).to(pictures.device)


@dataclass(frozen=True)
class Data:
    """Photographs to train on, how many blocks of each class they have, and the classes' variances."""

    photos: list[Photo]
    counts: list[np.ndarray]
    variances: np.ndarray


def loss(codec: Codec, data: Data, step: int) -> Tensor:
    """Mean over pictures of the log of the squared error, on the keyed batch of `step`."""
    pictures, *channel = drawn(lambda: _batch(data, step))
    errors = (codec(pictures, *channel) - pictures).square().reshape(len(channel[0]), -1).mean(1)
    return torch.log(errors + KNEE).mean()


def _batch(data: Data, step: int) -> tuple[Tensor, ...]:
    """Pictures, plans, rate, SNR and noise, as `Codec` takes them.

    Of four steps, three have 4 photographs with 2 crops of 128 pixels, one has 2 with a crop of 256.
    """
    groups, tiles, side = (2, 1, 256) if step % 4 == 3 else (4, 2, 128)
    raw, chosen = crops(data.photos, groups, tiles, side, "train", step)
    pictures = torch.from_numpy(raw).permute(0, 3, 1, 2).float() / 255
    rng = keys.generator("photos", "channel", step)
    snr_db = rng.uniform(*SNR_DB, groups).astype(np.float32)
    rate = _rates(rng, groups)
    noise = torch.from_numpy(rng.standard_normal((groups * tiles, CHANNELS, side // STRIDE, side // STRIDE), dtype=np.float32))
    plans = np.stack([_plan(data, *one) for one in zip(chosen, rate, snr_db, strict=True)])
    return pictures, *(torch.from_numpy(values) for values in (plans, rate, snr_db)), noise


def _plan(data: Data, photo: int, rate: float, snr_db: float) -> np.ndarray:
    """(CLASSES, CHANNELS) float32 gains for a whole photograph; a value that only some blocks have is left out."""
    counts = data.counts[photo]
    sent = numbers_sent(data.variances, counts, int(rate * counts.sum()))
    return amplitudes(data.variances, np.where(sent == counts[:, None], sent, 0), snr_db).astype(np.float32)


def _rates(rng: np.random.Generator, n: int) -> np.ndarray:
    """Half the usual rate, a quarter of the tabled ones, a quarter anything even between the least and the largest."""
    kind = rng.random(n)
    tabled = rng.choice(RATES, n)
    even = 2 * rng.integers(RATES[0] // 2, RATES[-1] // 2 + 1, n)
    return np.where(kind < 0.5, USUAL_RATE, np.where(kind < 0.75, tabled, even)).astype(np.float32)


def train(folder: Path, work: Path, minutes: float, photos: Path | None = None, device: str = CPU) -> Card:
    """Recipe ``jscc-photos``: train on the photographs below `photos` and write weights and card to `folder`.

    Raises:
        Missing: No folder of photographs was given, or it is absent.
        BadInput: It has too few usable photographs.
    """
    found = read_photos(photos)
    used = [photo for photo in found if not photo.held_out]
    log.info("%d photographs to train on, %d held out", len(used), len(found) - len(used))
    axes, spread, mean = block_statistics(used, CHANNELS)
    variances = find_classes(used, axes, mean, spread)
    maps = [classify(photo, axes, mean, variances) for photo in used]
    data = Data(used, [np.bincount(one.ravel(), minlength=CLASSES) for one in maps], variances)
    torch.manual_seed(0)
    codec = Codec().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    start_linear(codec.encoder, codec.decoder, axes, mean, variances)
    for half in (codec.encoder, codec.decoder):
        half.linear.requires_grad_(False)  # orthonormal as it is: steps of Adam would spoil it in a minute
    result = fit(codec, lambda step: loss(codec, data, step), work, minutes, SETTINGS, device)
    return export(codec.encoder, codec.decoder, folder, found, maps, result)
