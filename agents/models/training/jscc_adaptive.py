"""Training of the adaptive scene codec: all rates and SNRs through one pair of networks, begun as the library's middle codec."""

import logging
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ....bus import keys
from ..cards import Card, read_card, write_card
from ..codecs.adaptive import CHANNELS, RATES, AdaptiveDecoder, AdaptiveEncoder, flops, start_from
from ..codecs.library import ADAPTIVE, CARD_NAME, adaptive_name, symbols_of
from ..codecs.models import EXAMPLE_CODEC, load_codec, to_planes, weights_name
from ..roles import PICTURE_SIDE
from .devices import CPU, drawn
from .jscc_export import SNR_GRID_DB, VALIDATION_SCENES, psnr_db, receive, scene_pictures, write_halves
from .loop import Settings, fit

log = logging.getLogger(__name__)

BATCH = 16
SNRS_DB = (-3.0, 17.0)
"""Uniform, the receiver's; the sender hears one that differs by a normal error."""
REPORT_ERROR_DB = 2.0
FLOOR = 1e-4
"""Squared errors far below it (40 dB) are as good as none."""


class Adaptive(torch.nn.Module):
    """Encoder, AWGN channel and decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = AdaptiveEncoder()
        self.decoder = AdaptiveDecoder()

    def forward(self, pictures: Tensor, channels: int, heard_db: Tensor, snr_db: Tensor, noise: Tensor) -> Tensor:
        """(B, 3, H, W), real values per block, (B,) twice and unit-variance (B, n, 2) -> restored (B, 3, H, W)."""
        symbols = self.encoder(pictures, channels, heard_db)
        received = symbols + noise * torch.sqrt(0.5 * torch.pow(10.0, -snr_db / 10))[:, None, None]
        restored: Tensor = self.decoder(received, snr_db, pictures.shape[2], pictures.shape[3])
        return restored


def train(folder: Path, work: Path, minutes: float = 30.0, device: str = CPU, scenes: int = 30000) -> Card:
    """Recipe ``jscc-adaptive``: adds the codec to the library in `folder`. Train ``jscc`` first."""
    torch.manual_seed(0)
    pictures = scene_pictures("train", scenes)
    pair = Adaptive()
    start_from(pair.encoder, pair.decoder, *load_codec(folder, EXAMPLE_CODEC), to_planes(pictures[:64]))
    pair.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def loss(step: int) -> Tensor:
        planes, heard_db, snr_db, noise = drawn(lambda: draws(pictures, step))
        restored = pair(planes, CHANNELS[step % len(CHANNELS)], heard_db, snr_db, noise)
        errors = (restored.float() - planes).square().mean((1, 2, 3))
        return torch.log(errors + FLOOR).mean()  # the mean PSNR: all rates and SNRs count alike

    progress = fit(
        pair, loss, work / "jscc-adaptive", minutes, Settings(rate=1e-3, weight_decay=1e-4, average=0.998, clip=1.0), device
    )
    return export(pair.encoder, pair.decoder, folder, {**progress, "scenes": scenes, "batch": BATCH})


def draws(pictures: np.ndarray, step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of a step: planes (B, 3, 64, 64), the sender's and the receiver's SNR in dB (B,), noise of unit variance (B, n, 2)."""
    rng = keys.generator("jscc", "adaptive", step)
    batch = pictures[rng.integers(0, len(pictures), BATCH)]
    planes = to_planes(batch[:, :, :: int(1 - 2 * rng.integers(2))].copy())
    symbols = CHANNELS[step % len(CHANNELS)] * planes[0, 0].numel() // 128
    noise = torch.from_numpy(rng.standard_normal((BATCH, symbols, 2), dtype=np.float32))
    snr_db = torch.from_numpy(rng.uniform(*SNRS_DB, BATCH).astype(np.float32))
    heard_db = snr_db + torch.from_numpy(rng.normal(0, REPORT_ERROR_DB, BATCH).astype(np.float32))
    return planes, heard_db, snr_db, noise


def export(encoder: AdaptiveEncoder, decoder: AdaptiveDecoder, folder: Path, training: Mapping[str, Any]) -> Card:
    """Add both networks, and one entry for each rate, to the library in `folder`."""
    data = dict(read_card(folder, CARD_NAME, recipe="jscc").data)
    sizes = write_halves(folder, ADAPTIVE, encoder.eval(), decoder.eval())
    pictures, side = scene_pictures("validation", VALIDATION_SCENES), PICTURE_SIDE
    shared = sizes | {
        "weights": ADAPTIVE,
        "snr_db": 7.0,
        "encoder_flops": flops(encoder, side, side),
        "decoder_flops": flops(decoder, side, side),
        "encoder_params": sum(weight.numel() for weight in encoder.parameters()),
        "decoder_params": sum(weight.numel() for weight in decoder.parameters()),
    }
    entries: dict[str, Any] = {}
    for cbr, channels in zip(RATES, CHANNELS, strict=True):
        rows = [quality_db(encoder, decoder, pictures, cbr, np.full(len(pictures), snr), "validation") for snr in SNR_GRID_DB]
        quality = [round(float(row.mean()), 2) for row in rows]
        measured = {"cbr": str(cbr), "channels": channels, "symbols": symbols_of(cbr, side, side), "psnr_db": quality}
        entries[adaptive_name(cbr)] = shared | measured
        log.info("%s %s", adaptive_name(cbr), quality)
    files = {weights_name(ADAPTIVE, part): "" for part in ("encoder", "decoder")}
    return write_card(
        folder, data | {"adaptive": entries, "adaptive_training": dict(training), "files": data["files"] | files}, CARD_NAME
    )


def quality_db(
    encoder: AdaptiveEncoder, decoder: AdaptiveDecoder, pictures: np.ndarray, cbr: Fraction, snr_db: np.ndarray, *key: keys.Key
) -> np.ndarray:
    """PSNR in dB of each picture over AWGN at (B,) `snr_db`, known at both ends; noise belongs to key and place in the batch."""
    channels = CHANNELS[RATES.index(cbr)]
    with torch.inference_mode():
        symbols = torch.cat(
            [
                encoder(to_planes(pictures[start : start + 64]), channels, torch.from_numpy(snr_db[start : start + 64]).float())
                for start in range(0, len(pictures), 64)
            ]
        )
    return psnr_db(pictures, receive(decoder, symbols, snr_db, pictures.shape[1:3], "jscc", *key))
