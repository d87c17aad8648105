"""Writes a trained generator as it is shipped: Hugging Face layout in float16, sizes, counted FLOPs and a card."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, UNet2DConditionModel
from torch.utils.flop_counter import FlopCounterMode

from ..cards import Card, write_card
from ..roles import Generate
from ..tiny import autoencoder
from ..tiny.conditioner import Conditioner
from ..tiny.generator import BATCH, velocity
from ..tiny.layout import SizeStatistics
from ..tiny.prompt import conditions_of
from ..tiny.text import WordList
from .diffusers_files import halved, parameters

TYPICAL_STEPS = 8
FILES = ("config.json", "diffusion_pytorch_model.safetensors")


def export(
    folder: Path,
    conditioner: Conditioner,
    denoiser: UNet2DConditionModel,
    vae: AutoencoderKL,
    statistics: SizeStatistics,
    *,
    shift: float = 1.0,
    temperature: float = 0.7,
    notes: dict[str, Any] | None = None,
) -> Card:
    """Write all parts and the card.

    Args:
        folder: Where to; made if needed.
        conditioner: Trained prompt encoder.
        denoiser: Trained denoiser.
        vae: Trained autoencoder.
        statistics: Sizes for things without a box.
        shift: Shift of the noise levels towards 1 (1 leaves them even).
        temperature: Scale of the starting noise.
        notes: More entries of the card, such as the training steps and measured quality.
    """
    fixed, per_step = count_flops(conditioner, denoiser, vae, statistics)
    parts: dict[str, Any] = {"conditioner": conditioner, "denoiser": denoiser, "autoencoder": vae}
    for name, part in parts.items():
        halved(part).save_pretrained(folder / name)
    FlowMatchEulerDiscreteScheduler(shift=shift).save_pretrained(folder / "scheduler")
    params = {name: parameters(part) for name, part in parts.items()}
    data = {
        "name": "tiny-generator",
        "roles": ["generator"],
        "params": sum(params.values()),
        "params_of": params,
        "flops": fixed + TYPICAL_STEPS * per_step,
        "flops_fixed": fixed,
        "flops_per_step": per_step,
        "batch": BATCH,
        "temperature": temperature,
        "recipe": "generator",
        "sizes": asdict(statistics),
        **(notes or {}),
        "files": ["scheduler/scheduler_config.json"] + [f"{name}/{file}" for name in parts for file in FILES],
    }
    return write_card(folder, data)


def count_flops(
    conditioner: Conditioner, denoiser: UNet2DConditionModel, vae: AutoencoderKL, statistics: SizeStatistics
) -> tuple[int, int]:
    """FLOPs of one sample, counted by torch: (prompt encoder and decoder, one step of the denoiser)."""
    call = Generate(caption="", background="", boxes=[], seed=0)
    conditions = conditions_of([call], WordList(conditioner.config.words), statistics, conditioner.config.identifier_size)
    latents = torch.zeros(1, autoencoder.LATENT_CHANNELS, autoencoder.LATENT_SIDE, autoencoder.LATENT_SIDE)
    with torch.no_grad(), FlopCounterMode(display=False) as once:
        guide = conditioner(conditions)
        autoencoder.decode(vae, latents)
    with torch.no_grad(), FlopCounterMode(display=False) as step:
        velocity(denoiser, guide, latents, torch.ones(1))
    return once.get_total_flops(), step.get_total_flops()
