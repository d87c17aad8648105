"""Training of the tiny generator: flow matching on cached latents."""

from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from ....bus import keys
from ...scenes.vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS
from ...scenes.world import make_scene
from ..cards import Card
from ..tiny import autoencoder
from ..tiny.autoencoder import LATENT_CHANNELS, LATENT_SIDE
from ..tiny.conditioner import Conditioner, places_in_boxes
from ..tiny.generator import build_denoiser, velocity
from ..tiny.layout import measure
from ..tiny.subjects import IDENTIFIER_SIZE, WEIGHTS_NAME, SubjectEye
from ..tiny.text import WordList
from .generator_data import Cache, cached, known_words, prompts
from .generator_export import export
from .loop import Settings, fit

BATCH = 32
SETTINGS = Settings(rate=1e-3, weight_decay=1e-3, warm_steps=200, average=0.998, clip=1.0, save_every_s=120.0)

GROUND_WEIGHT = 0.4
"""Loss weight of latent cells that no box covers; covered ones weigh 1."""
SKETCH_WEIGHT = 0.3
"""The sketch is not used later: it only teaches the painted map early what things look like."""


def loss(conditioner: Conditioner, denoiser: UNet2DConditionModel, rows: Cache, *key: keys.Key) -> Tensor:
    """Weighted squared error of the velocity at logit-normal noise levels, and of the latent's sketch by the prompt alone."""
    rng = keys.generator(*key, "noise")
    clean = rows.latents.float()
    n = clean.shape[0]
    shape = (n, LATENT_CHANNELS, LATENT_SIDE, LATENT_SIDE)
    noise = torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))
    levels = torch.sigmoid(torch.from_numpy(rng.standard_normal(n, dtype=np.float32)) * 1.2 + 0.2)
    level = levels[:, None, None, None]
    noisy = (1 - level) * clean + level * noise
    guide = conditioner(prompts(rows, *key))
    predicted = velocity(denoiser, guide, noisy, levels).float()
    sketch: Tensor = conditioner.sketch(guide.painted).float()
    cover = (places_in_boxes(rows.boxes, rows.flips)[1] * rows.present[:, :, None]).amax(dim=1)
    weight = GROUND_WEIGHT + (1 - GROUND_WEIGHT) * cover.view(n, 1, LATENT_SIDE, LATENT_SIDE)
    return (weight * (predicted - (noise - clean)) ** 2).mean() + SKETCH_WEIGHT * (weight * (sketch - clean) ** 2).mean()


class Pair(nn.Module):
    """Conditioner and denoiser as one module, to be optimised together."""

    def __init__(self, conditioner: Conditioner, denoiser: UNet2DConditionModel) -> None:
        super().__init__()
        self.conditioner = conditioner
        self.denoiser = denoiser.to(memory_format=torch.channels_last)


def build(words: list[str]) -> Pair:
    """A new pair with random weights for the scene world."""
    torch.manual_seed(0)
    sizes = {"labels": len(LABELS), "colours": len(COLOUR_NAMES), "backgrounds": len(BACKGROUND_NAMES)}
    conditioner = Conditioner(**sizes, words=words, identifier_size=IDENTIFIER_SIZE)
    return Pair(conditioner, build_denoiser(conditioner))


def train(folder: Path, work: Path, minutes: float) -> Card:
    """Recipe ``generator``: draw and encode scenes, train, write weights and card to `folder`.

    The autoencoder must lie in ``folder/autoencoder`` already (recipe ``autoencoder``), the subject network in
    ``folder/../personaliser`` (recipe ``personaliser``).
    """
    vae = autoencoder.load(folder / "autoencoder")
    words = known_words()
    eye = SubjectEye(folder.parent / "personaliser" / WEIGHTS_NAME)
    data = cached(vae, eye.network, WordList(words), work / "scenes.safetensors")
    pair = build(words)

    def loss_of(step: int) -> Tensor:
        chosen = keys.generator("generator", "batch", step).integers(0, len(data.latents), BATCH)
        return loss(pair.conditioner, pair.denoiser, data.rows(torch.from_numpy(chosen)), "generator", step)

    progress = fit(pair, loss_of, work / "generator", minutes, SETTINGS)
    sizes = measure([make_scene("generator", "sizes", index).boxes() for index in range(4000)])
    notes = {"command": f"semcast train generator --minutes {minutes:g}", "training": progress}
    return export(folder, pair.conditioner, pair.denoiser, vae, sizes, notes=notes)
