"""Training of the autoencoder of the tiny generator."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from ....bus import keys
from ...scenes.draw import draw
from ...scenes.vocabulary import COLOUR_NAMES, LABELS, Subject, random_marking
from ...scenes.world import MAX_OBJECTS, Scene, scene_of
from ..cards import Card, write_card
from ..tiny import autoencoder
from .devices import CPU, drawn
from .diffusers_files import halved, parameters
from .loop import Settings, fit

log = logging.getLogger(__name__)

SCENES, BATCH = 20000, 32
SETTINGS = Settings(rate=1.5e-3, weight_decay=1e-4, average=0.99, clip=1.0)


def training_scene(*key: keys.Key) -> Scene:
    """A scene of 1 to 8 objects; in three of four, one or two are subjects with random looks of their own."""
    subjects = tuple(_random_subject(*key, index) for index in range((0, 1, 1, 2)[keys.integer(4, *key, "subjects")]))
    return scene_of(subjects, max(len(subjects), 1), MAX_OBJECTS, *key)


def _random_subject(*key: keys.Key) -> Subject:
    label = LABELS[keys.integer(len(LABELS), *key, "label")]
    colour = COLOUR_NAMES[keys.integer(len(COLOUR_NAMES), *key, "colour")]
    return Subject(f"training/{key[-1]}", label, colour, random_marking(colour, *key))


def loss(model: AutoencoderKL, planes: Tensor, noise: Tensor, kl_weight: float = 1e-4) -> Tensor:
    """Mean absolute and squared error of the reconstruction, and a light pull of the latents to N(0, 1)."""
    posterior = model.encode(planes).latent_dist
    mean, logvar = posterior.mean.float(), posterior.logvar.float()
    output = model.decode(mean + noise * torch.exp(0.5 * logvar)).sample.float()
    kl: Tensor = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).mean()
    return functional.l1_loss(output, planes) + 2 * functional.mse_loss(output, planes) + kl_weight * kl


def psnr_db(model: AutoencoderKL, pictures: np.ndarray) -> float:
    """Mean over pictures of the PSNR (peak 255) of decode(encode(picture)) in dB."""
    restored = autoencoder.decode(model, autoencoder.encode(model, pictures)).astype(np.float64)
    errors = ((restored - pictures) ** 2).mean(axis=(1, 2, 3))
    return float(np.mean(10 * np.log10(255**2 / errors)))


def set_statistics(model: AutoencoderKL, pictures: np.ndarray) -> None:
    """Write each latent channel's mean and deviation over `pictures` into the model's config."""
    ones = [1.0] * autoencoder.LATENT_CHANNELS
    model.register_to_config(latents_mean=[0.0] * autoencoder.LATENT_CHANNELS, latents_std=ones)
    latents = autoencoder.encode(model, pictures)
    mean, std = latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3))
    model.register_to_config(
        latents_mean=[round(float(value), 5) for value in mean], latents_std=[round(float(value), 5) for value in std]
    )


def train(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``autoencoder``: train on drawn scenes and write the model in Hugging Face layout, with a card, to `folder`."""
    pictures = np.stack([draw(training_scene("autoencoder", index)) for index in range(SCENES)])
    log.info("drew %d scenes", SCENES)
    torch.manual_seed(0)
    model = autoencoder.build().to(memory_format=torch.channels_last)

    def loss_of(step: int) -> Tensor:
        rng = keys.generator("autoencoder", "batch", step)
        chosen = pictures[rng.integers(0, SCENES, BATCH)]
        noise = rng.standard_normal((BATCH, autoencoder.LATENT_CHANNELS, 16, 16), dtype=np.float32)
        return loss(model, *drawn(lambda: (autoencoder.to_tensor(chosen), torch.from_numpy(noise))))

    progress = fit(model, loss_of, work / "autoencoder", minutes, SETTINGS, device)
    set_statistics(model, pictures[:512])
    return export(folder, model, {"command": f"semcast train autoencoder --minutes {minutes:g}", "training": progress})


def export(folder: Path, model: AutoencoderKL, notes: dict[str, Any]) -> Card:
    """Write the weights in float16 and the card, with the PSNR on 256 held-out scenes."""
    held_out = np.stack([draw(training_scene("autoencoder", "held out", index)) for index in range(256)])
    with FlopCounterMode(display=False) as counter:
        measured = psnr_db(model, held_out)
    halved(model).save_pretrained(folder)
    files = ["config.json", "diffusion_pytorch_model.safetensors"]
    return write_card(folder, {
        "name": "tiny-autoencoder", "roles": [], "params": parameters(model), "batch": BATCH,
        "flops": counter.get_total_flops() // len(held_out), "recipe": "autoencoder",
        "metrics": {"psnr_db": round(measured, 2), "n": len(held_out)}, **notes, "files": files,
    })  # fmt: skip
