"""Writes a trained generator as it is shipped: Hugging Face layout in float16, sizes, counted FLOPs and a card."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, UNet2DConditionModel
from torch.utils.flop_counter import FlopCounterMode

from ..cards import Card, write_card
from ..roles import REFERENCE_SIDE, Box, Generate
from ..tiny import adapters, autoencoder
from ..tiny.conditioner import Conditioner
from ..tiny.generator import BATCH, velocity
from ..tiny.layout import SizeStatistics
from ..tiny.prompt import conditions_of
from ..tiny.reference import referring
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
    flops = count_flops(conditioner, denoiser, vae, statistics)
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
        "flops": flops["flops_fixed"] + TYPICAL_STEPS * flops["flops_per_step"],
        **flops,
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
) -> dict[str, int]:
    """FLOPs of one sample, counted by torch.

    Returns:
        ``flops_fixed`` (prompt encoder and decoder), ``flops_per_step`` (the denoiser), ``flops_reference`` (reading references),
        ``flops_adapter_step`` (what adapters add to a step).
    """
    size = int(conditioner.config.identifier_size)
    call = Generate("", "", [Box("dog", "red", 32, 32, 20, 20, 1.0, "a/dog")], 0, references={"a/dog": b""})
    conditions = conditions_of([call], WordList(conditioner.config.words), statistics, size)
    cutouts = np.zeros((1, conditions.present.shape[1], REFERENCE_SIDE, REFERENCE_SIDE, 3), np.uint8)
    latents = torch.zeros(1, autoencoder.LATENT_CHANNELS, autoencoder.LATENT_SIDE, autoencoder.LATENT_SIDE)

    def counted(work: Callable[[], object]) -> int:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            work()
        return int(counter.get_total_flops())

    with torch.no_grad():
        guide = conditioner(conditions)
    fixed = counted(lambda: (conditioner(conditions), autoencoder.decode(vae, latents)))
    step = counted(lambda: velocity(denoiser, guide, latents, torch.ones(1)))
    with adapters.swapped(denoiser, [[adapters.blank(denoiser, size)]]):
        adapted = counted(lambda: velocity(denoiser, guide, latents, torch.ones(1)))
    reference = counted(lambda: referring(conditioner, vae, conditions, cutouts))
    return {
        "flops_fixed": fixed, "flops_per_step": step, "flops_reference": reference, "flops_adapter_step": adapted - step,
    }  # fmt: skip
