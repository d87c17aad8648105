"""Training of the denoiser over JSCC features: scenes through the shipped encoders, and noise of any level."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from ....bus import keys
from ..cards import Card, write_card
from ..codecs.denoiser import CLEAN_SNR_DB, WEIGHTS_NAME
from ..codecs.denoiser_network import DenoiserNetwork, noise_std
from ..codecs.library import Library, read_library
from ..codecs.models import load_codec, to_planes, weights_name
from ..codecs.network import Decoder, Encoder
from ..codecs.quantised import quantise
from ..loading import WEIGHTS
from ..roles import PICTURE_SIDE
from .denoiser_data import GRID, pictures, received, sent_code, symbols_of
from .denoiser_eval import compare
from .devices import CPU, drawn
from .loop import Settings, fit

log = logging.getLogger(__name__)

NAME = "denoiser"
BATCH = 48
POOL = 6000
"""Scenes, drawn once; the noise is new in every step."""
SNR_DB = (-8.0, 16.0)
"""Range of the training's SNRs, drawn uniformly in dB."""
PICTURE_WEIGHT = 0.2
"""Of the logarithm of the decoded picture's squared error."""
SCHEDULE = ((14.0, 0), (-200.0, 1))
"""(Least SNR in dB, steps): none from 14 dB. More than one was measured and raises the squared error: the walk ends at a sample
of what may have been sent, and the first estimate is the mean."""
MEASURED_DB = (0.0, 2.5, 5.0, 10.0, 15.0)


def train(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``denoiser``: one network for all codecs of the library beside `folder` (else the package's)."""
    beside = folder.parent / "jscc"
    library = read_library(beside if beside.is_dir() else WEIGHTS / "jscc")
    codecs = {name: load_codec(library.card.folder, name) for name in library.names}
    for _, decoder in codecs.values():
        decoder.requires_grad_(False).to(device)
    pool = pictures(POOL, NAME, "training")
    torch.manual_seed(41)
    network = DenoiserNetwork({name: codec.channels for name, codec in library.codecs.items()})

    def loss(step: int) -> Tensor:
        codec = library.names[step % len(library.names)]
        encoder, decoder = codecs[codec]
        shown = pool[keys.generator(NAME, "training", step).integers(0, POOL, BATCH)]
        return denoising_loss(network, codec, decoder, *drawn(lambda: sent(encoder, shown, NAME, "training", step)))

    progress = fit(network, loss, work / NAME, minutes, Settings(rate=2e-3, average=0.998, bf16=False), device)
    card = export(network, library, folder, minutes, progress)
    return write_card(folder, card.data | {"metrics": measure(folder, library.card.folder)})


def sent(encoder: Encoder, shown: np.ndarray, *key: keys.Key) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Codes as sent and as received, the noise's deviations, and the pictures (n, 3, 64, 64) in [0, 1]."""
    code = sent_code(encoder, shown)
    snr_db = torch.from_numpy(keys.generator(*key, "snr").uniform(*SNR_DB, len(code)).astype(np.float32))
    return code, received(code, snr_db, *key), noise_std(snr_db), to_planes(shown)


def denoising_loss(
    network: DenoiserNetwork, codec: str, decoder: Decoder, code: Tensor, got: Tensor, std: Tensor, shown: Tensor
) -> Tensor:
    """Error of the estimated symbols, and, lightly, of the picture that the codec's decoder makes of them.

    The first is relative to what the scalar Wiener filter leaves on average: 1 for that filter, less for a better estimate.
    """
    estimate = network(got, std, codec)
    left = std**2 / (1 + 2 * std**2)  # of unit-power symbols: 0.5 v / (0.5 + v)
    features = ((estimate - code).square().mean(dim=(1, 2, 3)) / left).mean()
    clean = torch.full((len(code),), CLEAN_SNR_DB)
    decoded = decoder(symbols_of(estimate), clean, PICTURE_SIDE, PICTURE_SIDE)
    error = (decoded - shown).square().mean(dim=(1, 2, 3))
    return torch.as_tensor(features + PICTURE_WEIGHT * error.log().mean())


def measure(folder: Path, library: Path, scenes: int = 60) -> dict[str, float]:
    """Held-out figures of the card, see `denoiser_eval.compare`."""
    found = {}
    for row in compare(folder, library, scenes, MEASURED_DB):
        at = f"{row.snr_db:g}db"
        found[f"error_reduction_{at}"] = round(float(1 - row.denoised_error.sum() / row.received_error.sum()), 4)
        found[f"error_against_wiener_{at}"] = round(float(row.denoised_error.sum() / row.wiener_error.sum()), 4)
        found[f"psnr_gain_db_{at}"] = round(float(row.psnr_gain_db.mean()), 3)
    log.info("%s: %s", NAME, found)
    return found


def export(network: DenoiserNetwork, library: Library, folder: Path, minutes: float, progress: Mapping[str, Any]) -> Card:
    """Write weights in 8 bits and the card."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(quantise(network.state_dict()), folder / WEIGHTS_NAME)
    (folder / WEIGHTS_NAME).chmod(0o644)
    flops = max(network.step_flops(name, GRID**2) for name in network.channels)
    return write_card(folder, {
        "name": "tiny-denoiser", "roles": ["denoiser"], "params": sum(p.numel() for p in network.parameters()),
        "flops": flops, "flops_of": "one step", "batch": 4, "recipe": NAME,
        "command": f"semcast train {NAME} --minutes {minutes:g}",
        "width": network.norm.num_channels, "depth": len(network.blocks), "channels": network.channels, "positions": GRID**2,
        "schedule": [list(line) for line in SCHEDULE],
        "encoders": {name: library.card.data["files"][weights_name(name, "encoder")] for name in network.channels},
        "data": f"{BATCH} of {POOL} scenes a step, drawn for this training alone (key {NAME!r}), SNR uniform in {SNR_DB} dB",
        "training": dict(progress), "files": [WEIGHTS_NAME],
    })  # fmt: skip
