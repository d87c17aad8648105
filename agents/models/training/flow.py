"""Training of the flow family: exact likelihood of cached latents given their prompts."""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ....bus import keys
from ..cards import Card
from ..tiny.autoencoder import LATENT_CHANNELS, LATENT_SIDE
from ..tiny.families.flow import Flow, bits_per_dim
from .devices import CPU, drawn
from .families import BATCH, Material, material
from .families_export import export
from .loop import Settings, fit

SETTINGS = Settings(rate=1.5e-3, weight_decay=1e-4, warm_steps=300, average=0.998, clip=1.0, bf16=False, save_every_s=120.0)
TEMPERATURE = 0.7
BLUR = 0.03
"""Deviation of the noise that training adds to latents, so that no direction is infinitely likely."""


def blur_of(*key: keys.Key) -> Tensor:
    """Noise for the latents of a batch."""
    shape = (BATCH, LATENT_CHANNELS, LATENT_SIDE, LATENT_SIDE)
    return BLUR * torch.from_numpy(keys.generator(*key, "blur").standard_normal(shape, dtype=np.float32))


def train(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``flow``; needs what recipe ``generator`` made."""
    given = material(folder, work)
    torch.manual_seed(0)
    network = Flow().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def loss_of(step: int) -> Tensor:
        (latents, told), blur = drawn(lambda: (given.batch("flow", step), blur_of("flow", step)))
        return bits_per_dim(network.nats(latents + blur, told), latents[0].numel()).mean()

    progress = fit(network, loss_of, work / "flow", minutes, SETTINGS, device)
    notes = {"command": f"semcast train flow --minutes {minutes:g}", "training": progress}
    return export(folder, "flow", network, given, TEMPERATURE, {**notes, "metrics": partial(measure, network, given)})


def measure(network: Flow, given: Material) -> dict[str, float]:
    """Exact bits a dimension of held-out latents with whole prompts."""
    latents, told = given.held_out()
    with torch.no_grad():
        bits = bits_per_dim(network.nats(latents, told), latents[0].numel())
    return {"bits_per_dim": round(float(bits.mean()), 4), "n": len(latents)}
