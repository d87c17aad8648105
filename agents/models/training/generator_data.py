"""What the generator is trained on: cached latents of drawn scenes, and their prompts as numbers."""

import logging
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from ....bus import keys
from ...scenes.caption import NUMBERS, caption
from ...scenes.draw import draw
from ...scenes.vocabulary import BACKGROUND_NAMES, BACKGROUND_PHRASES, COLOUR_NAMES, LABELS, PLURALS, SUBJECTS, Subject
from ...scenes.world import MAX_OBJECTS, Scene, scene_of
from ..tiny import autoencoder
from ..tiny.conditioner import Conditions
from ..tiny.prompt import MAX_WORDS, index_of
from ..tiny.subjects import IDENTIFIER_SIZE, IdentifierNetwork, as_tensor, crop
from ..tiny.text import START, WordList, collect
from .autoencoder import training_scene

log = logging.getLogger(__name__)

SCENES = 36000

JITTER_PX = 0.7
"""Deviation of the error in centre and sides that training adds to three of four pictures' boxes, as an extractor would."""


@dataclass
class Cache:
    """Scenes as tensors, one row a scene; the indices are those of `Conditions`."""

    latents: Tensor
    labels: Tensor
    colours: Tensor
    boxes: Tensor
    present: Tensor
    flips: Tensor
    identifiers: Tensor
    backgrounds: Tensor
    words: Tensor

    def rows(self, chosen: Tensor) -> "Cache":
        """Some rows, as a cache of their own."""
        return Cache(*(getattr(self, field.name)[chosen] for field in fields(self)))


def cache(model: AutoencoderKL, scenes: list[Scene], identifiers: list[np.ndarray], texts: list[str], words: WordList) -> Cache:
    """Draw and encode scenes.

    Args:
        model: The trained autoencoder.
        scenes: The scenes.
        identifiers: For each scene float32 (objects, identifier size), zero rows for what is no subject.
        texts: Captions.
        words: The word list of the conditioner.
    """
    n, size = len(scenes), identifiers[0].shape[1]
    rows = Cache(
        torch.zeros(n, autoencoder.LATENT_CHANNELS, autoencoder.LATENT_SIDE, autoencoder.LATENT_SIDE, dtype=torch.float16),
        torch.zeros(n, MAX_OBJECTS, dtype=torch.uint8),
        torch.zeros(n, MAX_OBJECTS, dtype=torch.uint8),
        torch.zeros(n, MAX_OBJECTS, 4),
        torch.zeros(n, MAX_OBJECTS, dtype=torch.uint8),
        torch.ones(n, MAX_OBJECTS),
        torch.zeros(n, MAX_OBJECTS, size, dtype=torch.float16),
        torch.tensor([index_of(scene.background, BACKGROUND_NAMES) for scene in scenes], dtype=torch.uint8),
        torch.tensor([words.numbers(text, MAX_WORDS) for text in texts], dtype=torch.int16),
    )
    for row, scene in enumerate(scenes):
        number = len(scene.objects)
        rows.labels[row, :number] = torch.tensor([index_of(thing.label, LABELS) for thing in scene.objects])
        rows.colours[row, :number] = torch.tensor([index_of(thing.colour, COLOUR_NAMES) for thing in scene.objects])
        rows.boxes[row, :number] = torch.tensor([[t.cx, t.cy, t.width, t.height] for t in scene.objects])
        rows.present[row, :number] = 1
        rows.flips[row, :number] = torch.tensor([-1.0 if thing.flip else 1.0 for thing in scene.objects])
        rows.identifiers[row, :number] = torch.from_numpy(identifiers[row]).half()
    for start in range(0, n, 64):
        pictures = np.stack([draw(scene) for scene in scenes[start : start + 64]])
        with torch.autocast("cpu", torch.bfloat16):
            rows.latents[start : start + 64] = autoencoder.encode(model, pictures).half()
    return rows


def known_words() -> list[str]:
    """All words of captions: numbers, colours, classes, backgrounds and the catalog's owners."""
    nouns = [*LABELS, *(PLURALS.get(label, label + "s") for label in LABELS)]
    owners = [f"{subject.owner}'s" for subject in SUBJECTS.values()]
    return collect(["a, an and nothing", *NUMBERS[1:], *COLOUR_NAMES, *nouns, *BACKGROUND_PHRASES.values(), *owners])


def looks(scenes: list[Scene], network: IdentifierNetwork, *key: keys.Key) -> list[np.ndarray]:
    """Identifiers of every scene's objects (objects, 48), each from two other pictures of its subject.

    Args:
        scenes: The scenes.
        network: The personaliser's.
        *key: What the other pictures are drawn for.

    Returns:
        One array a scene; a row is zero for what is no subject.
    """
    found = [np.zeros((len(scene.objects), IDENTIFIER_SIZE), np.float32) for scene in scenes]
    wanted = [(i, j, thing) for i, scene in enumerate(scenes) for j, thing in enumerate(scene.objects) if thing.marking]
    for start in range(0, len(wanted), 128):
        pictures, places = [], []
        for i, _, thing in wanted[start : start + 128]:
            subject = Subject(thing.subject, thing.label, thing.colour, thing.marking)
            for number in range(2):
                shared = scene_of((subject,), 1, 3, *key, i, thing.subject, number)
                pictures.append(draw(shared).tobytes())
                places += [[t.cx, t.cy, t.width, t.height] for t in shared.objects if t.subject == thing.subject]
        with torch.inference_mode():
            vectors = network(crop(as_tensor(pictures), torch.tensor(places))).unflatten(0, (-1, 2)).sum(dim=1)
        for (i, j, _), vector in zip(wanted[start : start + 128], functional.normalize(vectors, dim=1), strict=True):
            found[i][j] = vector.numpy()
    return found


def cached(model: AutoencoderKL, network: IdentifierNetwork, words: WordList, path: Path, number: int = SCENES) -> Cache:
    """The training scenes as a cache, kept in the file `path` (safetensors)."""
    if not path.is_file():
        scenes = [training_scene("generator", index) for index in range(number)]
        texts = [caption(scene.background, [(thing.label, thing.colour, "") for thing in scene.objects]) for scene in scenes]
        found = looks(scenes, network, "generator", "looks")
        rows = cache(model, scenes, found, texts, words)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({field.name: getattr(rows, field.name) for field in fields(rows)}, path)
        log.info("drew and encoded %d scenes", number)
    return Cache(**load_file(path))


def prompts(rows: Cache, *key: keys.Key) -> Conditions:
    """Prompts of some scenes, with what is sometimes not said left out and boxes a little off.

    Left out with these shares: the caption .2, the background .1, all boxes .05, a class .04, a colour .08, an identifier .15.
    """
    rng = keys.generator(*key, "prompts")
    n, objects = rows.labels.shape
    labels = rows.labels.long() * _kept(rng, 0.04, n, objects).long()
    colours = rows.colours.long() * _kept(rng, 0.08, n, objects).long()
    identifiers = rows.identifiers.float() * _kept(rng, 0.15, n, objects, 1)
    present = rows.present.float() * _kept(rng, 0.05, n, 1)
    backgrounds = rows.backgrounds.long() * _kept(rng, 0.1, n).long()
    words = rows.words.long() * _kept(rng, 0.2, n, 1).long()
    words[:, 0] = START
    words = words[:, : max(int((words > 0).sum(dim=1).max()), 1)]
    deviation = JITTER_PX * _kept(rng, 0.25, n, 1, 1)
    boxes = rows.boxes + deviation * torch.from_numpy(rng.standard_normal((n, objects, 4), dtype=np.float32))
    return Conditions(labels, colours, boxes, present, rows.flips, identifiers, backgrounds, words)


def _kept(rng: np.random.Generator, dropped: float, *shape: int) -> Tensor:
    """1 where something stays, 0 with probability `dropped`."""
    return torch.from_numpy((rng.random(shape) >= dropped).astype(np.float32))
