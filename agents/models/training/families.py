"""What the recipes of VAE, GAN and flow share: the generator's cached scenes, read by its frozen conditioner."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ....bus import keys
from ..tiny.conditioner import Conditions
from ..tiny.families.painter import NOISE_CHANNELS, NOISE_SIDE, Painter
from ..tiny.families.prompting import Told, told
from ..tiny.generator import Parts, read_parts
from ..tiny.subjects import WEIGHTS_NAME, SubjectEye
from ..tiny.text import START, WordList
from .autoencoder import training_scene
from .generator_data import Cache, cache, cached, prompts, shared_views

BATCH = 32
CACHE_NAME = "scenes.safetensors"
HELD_OUT = 512


@dataclass
class Material:
    """What a family is trained on.

    Attributes:
        parts: The generator's networks, frozen.
        eye: The subject network.
        scenes: The generator's training scenes.
        cache: The file that holds them.
        source: Folder of the generator.
    """

    parts: Parts
    eye: SubjectEye
    scenes: Cache
    cache: Path
    source: Path

    def batch(self, *key: keys.Key, size: int = BATCH) -> tuple[Tensor, Told]:
        """Keyed draws: latents (size, 8, 16, 16) and their prompts, things left out of them as in the generator's training."""
        chosen = keys.generator(*key, "batch").integers(0, len(self.scenes.latents), size)
        rows = self.scenes.rows(torch.from_numpy(chosen))
        return rows.latents.float(), told(self.parts.conditioner, prompts(rows, *key))

    def held_out(self, number: int = HELD_OUT) -> tuple[Tensor, Told]:
        """Latents and whole prompts of scenes that no training sees."""
        scenes = [training_scene("families", "held-out", index) for index in range(number)]
        shared = shared_views(scenes, self.eye.network, "families", "held-out")
        words = WordList(self.parts.conditioner.config.words)
        rows = cache(self.parts.coder, scenes, shared, words, "families", "held-out")
        return rows.latents.float(), told(self.parts.conditioner, whole(rows))


def whole(rows: Cache) -> Conditions:
    """Prompts of some scenes, with nothing left out."""
    words = rows.words.long()
    words[:, 0] = START
    return Conditions(
        rows.labels.long(),
        rows.colours.long(),
        rows.given,
        rows.present.float(),
        rows.flips,
        rows.identifiers.float(),
        rows.backgrounds.long(),
        words,
        rows.references.float(),
        rows.referred.float(),
    )


def noise_of(*key: keys.Key, size: int = BATCH) -> Tensor:
    """Unit normal noise of a batch."""
    rng = keys.generator(*key, "noise")
    return torch.from_numpy(rng.standard_normal((size, NOISE_CHANNELS, NOISE_SIDE, NOISE_SIDE), dtype=np.float32))


def material(folder: Path, work: Path) -> Material:
    """Read generator, subject network and scenes; the scenes are drawn where the generator's recipe left none.

    Args:
        folder: Of the family's weights; those of generator and personaliser lie beside it.
        work: Of the family's checkpoints; the generator's lie beside it.

    Raises:
        Missing: Nobody trained a generator there.
    """
    source = folder.parent / "generator"
    parts, _ = read_parts(source)
    parts.conditioner.requires_grad_(False).eval()
    eye = SubjectEye(source.parent / "personaliser" / WEIGHTS_NAME)
    path = work.parent / "generator" / CACHE_NAME
    scenes = cached(parts.coder, eye.network, WordList(parts.conditioner.config.words), path)
    return Material(parts, eye, scenes, path, source)


def spread(painter: Painter, told: Told, latents: Tensor, *key: keys.Key) -> dict[str, float]:
    """How a painter's latents lie about the true ones: mean squared error of one, and of the mean of four; their variance."""
    with torch.no_grad():
        made = torch.stack([painter(told, noise_of(*key, i, size=len(latents))).float() for i in range(4)])
    return {
        "squared_error": round(float((made[0] - latents).square().mean()), 4),
        "squared_error_of_mean": round(float((made.mean(dim=0) - latents).square().mean()), 4),
        "variance": round(float(made.var(dim=0).mean()), 4),
        "n": len(latents),
    }
