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
from ...scenes.draw import draw
from ...scenes.world import make_scene
from ..cards import Card, write_card
from ..codecs.denoiser import WEIGHTS_NAME
from ..codecs.denoiser_network import DenoiserNetwork, noise_std
from ..codecs.library import Library, read_library
from ..codecs.models import load_codec, to_planes, weights_name
from ..codecs.network import STRIDE, Encoder
from ..loading import WEIGHTS
from ..roles import PICTURE_SIDE
from .loop import Settings, fit

log = logging.getLogger(__name__)

NAME = "denoiser"
BATCH = 48
POOL = 6000
"""Scenes, drawn once; the noise is new in every step."""
SNR_DB = (-8.0, 16.0)
"""Range of the training's SNRs, drawn uniformly in dB."""
SCHEDULE = ((14.0, 0), (5.0, 1), (-200.0, 2))
"""(Least SNR in dB, steps): none from 14 dB."""
GRID = PICTURE_SIDE // STRIDE


def train(folder: Path, work: Path, minutes: float) -> Card:
    """Recipe ``denoiser``: one network for all codecs of the library beside `folder` (else the package's)."""
    beside = folder.parent / "jscc"
    library = read_library(beside if beside.is_dir() else WEIGHTS / "jscc")
    encoders = {name: load_codec(library.card.folder, name)[0] for name in library.names}
    pool = pictures(POOL, NAME, "training")
    torch.manual_seed(41)
    network = DenoiserNetwork({name: codec.channels for name, codec in library.codecs.items()})

    def loss(step: int) -> Tensor:
        codec = library.names[step % len(library.names)]
        chosen = keys.generator(NAME, "training", step).integers(0, POOL, BATCH)
        code = sent_code(encoders[codec], pool[chosen])
        return residual_loss(network, codec, code, NAME, "training", step)

    progress = fit(network, loss, work / NAME, minutes, Settings(rate=2e-3, average=0.998, bf16=False))
    return export(network, library, folder, minutes, progress)


def pictures(number: int, *key: keys.Key) -> np.ndarray:
    """uint8 (number, 64, 64, 3): scenes of 1 to 8 objects."""
    return np.stack([draw(make_scene(*key, index)) for index in range(number)])


def sent_code(encoder: Encoder, shown: np.ndarray) -> Tensor:
    """The symbols that an encoder sends, as (n, channels, 8, 8) real values."""
    with torch.inference_mode():
        symbols = encoder(to_planes(shown))
    return torch.as_tensor(symbols.reshape(len(shown), GRID, GRID, -1).permute(0, 3, 1, 2).clone())


def received(code: Tensor, snr_db: Tensor, *key: keys.Key) -> Tensor:
    """A code after AWGN at (n,) SNRs."""
    noise = torch.from_numpy(keys.generator(*key, "noise").standard_normal(tuple(code.shape), dtype=np.float32))
    return code + noise_std(snr_db)[:, None, None, None] * noise


def residual_loss(network: DenoiserNetwork, codec: str, code: Tensor, *key: keys.Key) -> Tensor:
    """Squared error over that which the scalar Wiener filter leaves on average: 1 for that filter, less for a better one."""
    drawn = keys.generator(*key, "snr").uniform(*SNR_DB, len(code)).astype(np.float32)
    std = noise_std(torch.from_numpy(drawn))
    estimate = network(received(code, torch.from_numpy(drawn), *key), std, codec)
    left = std**2 / (1 + 2 * std**2)  # of unit-power symbols: 0.5 v / (0.5 + v)
    return torch.as_tensor(((estimate - code).square().mean(dim=(1, 2, 3)) / left).mean())


def export(network: DenoiserNetwork, library: Library, folder: Path, minutes: float, progress: Mapping[str, Any]) -> Card:
    """Write half-precision weights and the card."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.half().contiguous() for name, value in network.state_dict().items()}, folder / WEIGHTS_NAME)
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
