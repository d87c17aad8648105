"""Training of the tiny generator: flow matching on cached latents."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file
from torch import Tensor, nn

from ....bus import keys
from ...scenes.vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS
from ...scenes.world import make_scene
from ..cards import CARD_NAME, Card, read_card
from ..tiny import autoencoder
from ..tiny.autoencoder import LATENT_CHANNELS, LATENT_SIDE
from ..tiny.conditioner import REFERENCE_CHANNELS, Conditioner, places_in_boxes
from ..tiny.generator import build_denoiser, velocity
from ..tiny.layout import measure
from ..tiny.subjects import IDENTIFIER_SIZE, WEIGHTS_NAME, SubjectEye
from ..tiny.text import WordList
from .devices import CPU, drawn
from .generator_data import Cache, cached, known_words, prompts
from .generator_export import export
from .loop import Settings, fit

log = logging.getLogger(__name__)

WEIGHTS_FILE = "diffusion_pytorch_model.safetensors"
SPECIAL = 3
"""Entries of the word table before the words: nothing, start, unknown."""

BATCH = 32
SETTINGS = Settings(rate=7e-4, weight_decay=1e-3, warm_steps=200, average=0.998, clip=1.0, save_every_s=120.0)

GROUND_WEIGHT = 0.4
"""Loss weight of latent cells that no box covers; covered ones weigh 1."""
SKETCH_WEIGHT = 0.3
"""The sketch is not used later: it only teaches the painted map early what things look like."""


def loss(conditioner: Conditioner, denoiser: UNet2DConditionModel, rows: Cache, *key: keys.Key) -> Tensor:
    """Weighted squared error of the velocity at logit-normal noise levels, and of the latent's sketch by the prompt alone."""
    said, rows, noise, levels = drawn(lambda: (prompts(rows, *key), rows, *_noise(len(rows.latents), *key)))
    clean, n = rows.latents.float(), len(rows.latents)
    level = levels[:, None, None, None]
    noisy = (1 - level) * clean + level * noise
    guide = conditioner(said)
    predicted = velocity(denoiser, guide, noisy, levels).float()
    sketch: Tensor = conditioner.sketch(guide.painted).float()
    cover = (places_in_boxes(rows.boxes, rows.flips)[1] * rows.present[:, :, None]).amax(dim=1)
    weight = GROUND_WEIGHT + (1 - GROUND_WEIGHT) * cover.view(n, 1, LATENT_SIDE, LATENT_SIDE)
    return (weight * (predicted - (noise - clean)) ** 2).mean() + SKETCH_WEIGHT * (weight * (sketch - clean) ** 2).mean()


def _noise(n: int, *key: keys.Key) -> tuple[Tensor, Tensor]:
    """Unit normal latents (n, 8, 16, 16) and noise levels (n,)."""
    rng = keys.generator(*key, "noise")
    noise = torch.from_numpy(rng.standard_normal((n, LATENT_CHANNELS, LATENT_SIDE, LATENT_SIDE), dtype=np.float32))
    return noise, torch.sigmoid(torch.from_numpy(rng.standard_normal(n, dtype=np.float32)) * 1.2 + 0.2)


class Pair(nn.Module):
    """Conditioner and denoiser as one module, to be optimised together."""

    def __init__(self, conditioner: Conditioner, denoiser: UNet2DConditionModel) -> None:
        super().__init__()
        self.conditioner = conditioner
        self.denoiser = denoiser.to(memory_format=torch.channels_last)


def build(words: list[str]) -> Pair:
    """A new pair with random weights for the scene world; what a reference says is not read at first."""
    torch.manual_seed(0)
    sizes = {"labels": len(LABELS), "colours": len(COLOUR_NAMES), "backgrounds": len(BACKGROUND_NAMES)}
    conditioner = Conditioner(**sizes, words=words, identifier_size=IDENTIFIER_SIZE)
    denoiser = build_denoiser(conditioner)
    with torch.no_grad():
        denoiser.conv_in.weight[:, -REFERENCE_CHANNELS:] = 0
    return Pair(conditioner, denoiser)


def start_from(pair: Pair, folder: Path) -> dict[str, Any]:
    """Take over the weights of an earlier generator in `folder`, if there is one; it may know other words and no references.

    Returns:
        What its card says of its training; empty if there was none.
    """
    if not (folder / CARD_NAME).is_file():
        return {}
    earlier = load_file(folder / "conditioner" / WEIGHTS_FILE)
    words = json.loads((folder / "conditioner" / "config.json").read_text())["words"]
    rows = pair.conditioner.word.weight.detach().clone()
    rows[:SPECIAL] = earlier["word.weight"][:SPECIAL]
    for index, word in enumerate(pair.conditioner.config.words):
        if word in words:
            rows[SPECIAL + index] = earlier["word.weight"][SPECIAL + words.index(word)]
    pair.conditioner.load_state_dict({**earlier, "word.weight": rows})
    earlier = load_file(folder / "denoiser" / WEIGHTS_FILE)
    entry = pair.denoiser.conv_in.weight.detach().clone()
    entry[:, : earlier["conv_in.weight"].shape[1]] = earlier["conv_in.weight"]
    pair.denoiser.load_state_dict({**earlier, "conv_in.weight": entry})
    log.info("starting from the weights in %s", folder)
    earlier_card = read_card(folder)
    return {"sha256": earlier_card.sha256, **earlier_card.data.get("training", {})}


def train(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``generator``: draw and encode scenes, train, write weights and card to `folder`.

    The autoencoder must lie in ``folder/autoencoder`` already (recipe ``autoencoder``), the subject network in
    ``folder/../personaliser`` (recipe ``personaliser``).
    """
    vae = autoencoder.load(folder / "autoencoder")
    words = known_words()
    eye = SubjectEye(folder.parent / "personaliser" / WEIGHTS_NAME)
    data = cached(vae, eye.network, WordList(words), work / "scenes.safetensors")
    pair = build(words)
    earlier = start_from(pair, folder)

    def loss_of(step: int) -> Tensor:
        chosen = keys.generator("generator", "batch", step).integers(0, len(data.latents), BATCH)
        return loss(pair.conditioner, pair.denoiser, data.rows(torch.from_numpy(chosen)), "generator", step)

    progress = fit(pair, loss_of, work / "generator", minutes, SETTINGS, device)
    sizes = measure([make_scene("generator", "sizes", index).boxes() for index in range(4000)])
    training = {**progress, "scenes": len(data.latents), "started_from": earlier}
    notes = {"command": f"semcast train generator --minutes {minutes:g}", "training": training}
    return export(folder, pair.conditioner, pair.denoiser, vae, sizes, notes=notes)
