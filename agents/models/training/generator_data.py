"""What the generator is trained on: cached latents of drawn scenes, and their prompts as numbers."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from ....bus import keys
from ...pictures import cut, mirrored
from ...scenes.caption import NUMBERS, caption
from ...scenes.draw import draw
from ...scenes.vocabulary import BACKGROUND_NAMES, BACKGROUND_PHRASES, COLOUR_NAMES, LABELS, PLURALS, SUBJECTS, Subject
from ...scenes.world import MAX_OBJECTS, Scene, scene_of
from ..roles import REFERENCE_SIDE
from ..tiny import autoencoder
from ..tiny.conditioner import Conditions
from ..tiny.prompt import MAX_WORDS, index_of
from ..tiny.reference import as_pixels, collage
from ..tiny.subjects import IDENTIFIER_SIZE, IdentifierNetwork, as_tensor, crop
from ..tiny.text import START, WordList, collect
from .autoencoder import training_scene

log = logging.getLogger(__name__)

SCENES = 20000

ASTRAY = 0.04
"""Share of the training's references that face the wrong way."""

JITTER_PX = 0.7
"""Deviation of the error in centre and sides that training adds to three of four pictures' boxes, as an extractor would."""


@dataclass
class Cache:
    """Scenes as tensors, one row a scene; the indices are those of `Conditions`.

    ``boxes`` are the true ones, ``given`` those of the prompt, into which the collage is laid as well.
    """

    latents: Tensor
    labels: Tensor
    colours: Tensor
    boxes: Tensor
    given: Tensor
    present: Tensor
    flips: Tensor
    identifiers: Tensor
    backgrounds: Tensor
    words: Tensor
    references: Tensor
    referred: Tensor

    def rows(self, chosen: Tensor) -> "Cache":
        """Some rows, as a cache of their own."""
        return Cache(*(getattr(self, field.name)[chosen] for field in fields(self)))


def cache(model: AutoencoderKL, scenes: list[Scene], shared: list["Shared"], words: WordList, *key: keys.Key) -> Cache:
    """Draw and encode scenes.

    Args:
        model: The trained autoencoder.
        scenes: The scenes.
        shared: What is known of each scene's subjects.
        words: The word list of the conditioner.
        *key: What the boxes' errors are drawn for.
    """
    n, size = len(scenes), (autoencoder.LATENT_CHANNELS, autoencoder.LATENT_SIDE, autoencoder.LATENT_SIDE)
    texts = [caption(scene.background, [(thing.label, thing.colour, "") for thing in scene.objects]) for scene in scenes]
    rows = Cache(
        torch.zeros(n, *size, dtype=torch.float16),
        torch.zeros(n, MAX_OBJECTS, dtype=torch.uint8),
        torch.zeros(n, MAX_OBJECTS, dtype=torch.uint8),
        torch.zeros(n, MAX_OBJECTS, 4),
        torch.zeros(n, MAX_OBJECTS, 4),
        torch.zeros(n, MAX_OBJECTS, dtype=torch.uint8),
        torch.ones(n, MAX_OBJECTS),
        torch.zeros(n, MAX_OBJECTS, IDENTIFIER_SIZE, dtype=torch.float16),
        torch.tensor([index_of(scene.background, BACKGROUND_NAMES) for scene in scenes], dtype=torch.uint8),
        torch.tensor([words.numbers(text, MAX_WORDS) for text in texts], dtype=torch.int16),
        torch.zeros(n, *size, dtype=torch.float16),
        torch.zeros(n, MAX_OBJECTS, dtype=torch.uint8),
    )
    for row, scene in enumerate(scenes):
        number = len(scene.objects)
        rows.labels[row, :number] = torch.tensor([index_of(thing.label, LABELS) for thing in scene.objects])
        rows.colours[row, :number] = torch.tensor([index_of(thing.colour, COLOUR_NAMES) for thing in scene.objects])
        rows.boxes[row, :number] = torch.tensor([[t.cx, t.cy, t.width, t.height] for t in scene.objects])
        rows.present[row, :number] = 1
        rows.flips[row, :number] = torch.tensor([-1.0 if thing.flip else 1.0 for thing in scene.objects])
        rows.identifiers[row, :number] = torch.from_numpy(shared[row].identifiers).half()
        rows.referred[row, :number] = torch.tensor([bool(cutout) for cutout in shared[row].cutouts])
    rng = keys.generator(*key, "boxes")
    deviation = JITTER_PX * (rng.random((n, 1, 1)) >= 0.25)
    rows.given = rows.boxes + torch.from_numpy((deviation * rng.standard_normal((n, MAX_OBJECTS, 4))).astype(np.float32))
    for start in range(0, n, 64):
        part = slice(start, start + 64)
        pictures = np.stack([draw(scene) for scene in scenes[part]])
        collages = collage(_pixels(shared[part]), rows.given[part], rows.referred[part].float())
        with torch.autocast("cpu", torch.bfloat16):
            rows.latents[part] = autoencoder.encode(model, pictures).half()
            rows.references[part] = autoencoder.encode(model, collages).half()
    return rows


def _pixels(shared: Sequence["Shared"]) -> Tensor:
    """Cut-outs of some scenes, float32 (n, 8, 3, 32, 32); zero where there is none."""
    pixels = torch.zeros(len(shared), MAX_OBJECTS, 3, REFERENCE_SIDE, REFERENCE_SIDE)
    for row, each in enumerate(shared):
        for column, cutout in enumerate(each.cutouts):
            if cutout:
                pixels[row, column] = as_pixels([cutout])[0]
    return pixels


def known_words() -> list[str]:
    """All words of captions: numbers, colours, classes, backgrounds and the catalog's owners."""
    nouns = [*LABELS, *(PLURALS.get(label, label + "s") for label in LABELS)]
    owners = [f"{subject.owner}'s" for subject in SUBJECTS.values()]
    return collect(["a, an and nothing", *NUMBERS[1:], *COLOUR_NAMES, *nouns, *BACKGROUND_PHRASES.values(), *owners])


@dataclass
class Shared:
    """What is known of a scene's objects from other pictures: identifiers (objects, 48) and cut-outs; zero and empty if none."""

    identifiers: np.ndarray
    cutouts: list[bytes]


def shared_views(scenes: list[Scene], network: IdentifierNetwork, *key: keys.Key) -> list[Shared]:
    """Of every scene's subjects an identifier from two other pictures, and the cut-out of one of them as reference.

    The cut-out faces where the subject faces in the scene, but for a few, as the generator will find it out itself.

    Args:
        scenes: The scenes.
        network: The personaliser's.
        *key: What the other pictures are drawn for.
    """
    found = [Shared(np.zeros((len(s.objects), IDENTIFIER_SIZE), np.float32), [b""] * len(s.objects)) for s in scenes]
    wanted = [(i, j, thing) for i, scene in enumerate(scenes) for j, thing in enumerate(scene.objects) if thing.subject]
    for start in range(0, len(wanted), 128):
        pictures, places = [], []
        for i, j, thing in wanted[start : start + 128]:
            subject = Subject(thing.subject, thing.label, thing.colour, thing.marking)
            for number in range(2):
                other = scene_of((subject,), 1, 3, *key, i, thing.subject, number)
                picture = draw(other).tobytes()
                seen = next(each for each in other.objects if each.subject == thing.subject)
                pictures.append(picture)
                places.append([seen.cx, seen.cy, seen.width, seen.height])
            astray = keys.uniform(*key, i, thing.subject, "astray") < ASTRAY
            cutout = cut(picture, seen.box())
            found[i].cutouts[j] = mirrored(cutout) if (seen.flip != thing.flip) != astray else cutout
        with torch.inference_mode():
            vectors = network(crop(as_tensor(pictures), torch.tensor(places))).unflatten(0, (-1, 2)).sum(dim=1)
        for (i, j, _), vector in zip(wanted[start : start + 128], functional.normalize(vectors, dim=1), strict=True):
            found[i].identifiers[j] = vector.numpy()
    return found


def cached(model: AutoencoderKL, network: IdentifierNetwork, words: WordList, path: Path, number: int = SCENES) -> Cache:
    """The training scenes as a cache, kept in the file `path` (safetensors)."""
    if not path.is_file():
        scenes = [training_scene("generator", index) for index in range(number)]
        log.info("looking at the subjects of %d scenes in other pictures", number)
        shared = shared_views(scenes, network, "generator", "looks")
        log.info("drawing and encoding %d scenes", number)
        rows = cache(model, scenes, shared, words, "generator", "given")
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({field.name: getattr(rows, field.name) for field in fields(rows)}, path)
        log.info("drew and encoded %d scenes", number)
    return Cache(**load_file(path))


def prompts(rows: Cache, *key: keys.Key) -> Conditions:
    """Prompts of some scenes, with what is sometimes not said left out.

    Left out with these shares: the caption .2, the background .1, all boxes .05, a class .04, a colour .08, an identifier .3,
    a reference .2, all references .2.
    """
    rng = keys.generator(*key, "prompts")
    n, objects = rows.labels.shape
    labels = rows.labels.long() * _kept(rng, 0.04, n, objects).long()
    colours = rows.colours.long() * _kept(rng, 0.08, n, objects).long()
    identifiers = rows.identifiers.float() * _kept(rng, 0.3, n, objects, 1)
    present = rows.present.float() * _kept(rng, 0.05, n, 1)
    backgrounds = rows.backgrounds.long() * _kept(rng, 0.1, n).long()
    words = rows.words.long() * _kept(rng, 0.2, n, 1).long()
    words[:, 0] = START
    words = words[:, : max(int((words > 0).sum(dim=1).max()), 1)]
    referred = rows.referred.float() * _kept(rng, 0.2, n, objects) * _kept(rng, 0.2, n, 1)
    references = rows.references.float()
    return Conditions(labels, colours, rows.given, present, rows.flips, identifiers, backgrounds, words, references, referred)


def _kept(rng: np.random.Generator, dropped: float, *shape: int) -> Tensor:
    """1 where something stays, 0 with probability `dropped`."""
    return torch.from_numpy((rng.random(shape) >= dropped).astype(np.float32))
