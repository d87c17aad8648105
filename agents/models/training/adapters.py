"""Branch models: a LoRA adapter of the denoiser and a fine-tuned identifier of one subject, DreamBooth-style, with `peft`.

The shared pictures are shifted, stretched and mirrored; the loss counts where the subject's box is. Beside them stand drawn
scenes without the subject, so that the class in general stays what it was (prior preservation).
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from PIL import Image
from torch import Tensor

from ....bus import keys
from ...pictures import cut
from ...scenes.caption import caption
from ...scenes.draw import draw
from ...scenes.vocabulary import COLOUR_NAMES
from ...scenes.world import scene_of
from ..roles import PICTURE_SIDE, REFERENCE_SIDE, Box, Generate, Personalise
from ..tiny import autoencoder
from ..tiny.adapters import RANK, TARGETS, TOKEN, Adapter, AdapterSettings
from ..tiny.conditioner import Conditioner, Conditions, places_in_boxes
from ..tiny.generator import Parts, velocity
from ..tiny.prompt import conditions_of
from ..tiny.reference import facing_away, referring
from ..tiny.text import WordList
from .devices import CPU, drawn, moved, working_on

LARGEST_PX = 40.0
"""Longest side of a box that is taken for a subject's."""


def views(call: Personalise, count: int) -> tuple[np.ndarray, list[Box]]:
    """Shared pictures shifted, stretched by 0.8 to 1.25 and mirrored at random: uint8 (count, 64, 64, 3), the subject's boxes."""
    rng = keys.generator("adapter", "views", call.subject)
    pictures, boxes = np.zeros((count, PICTURE_SIDE, PICTURE_SIDE, 3), np.uint8), []
    for index in range(count):
        which = index % len(call.pictures)
        box = call.boxes[which]
        scale = float(np.exp(rng.uniform(-0.22, 0.22)))
        width, height = min(scale * box.width, LARGEST_PX), min(scale * box.height, LARGEST_PX)
        cx = float(rng.uniform(width / 2, PICTURE_SIDE - width / 2))
        cy = float(rng.uniform(height / 2, PICTURE_SIDE - height / 2))
        mirror = bool(rng.integers(2))
        image = Image.frombytes("RGB", (PICTURE_SIDE, PICTURE_SIDE), call.pictures[which])
        a, e = box.width / width, box.height / height
        wide = np.pad(np.asarray(image), ((64, 64), (64, 64), (0, 0)), mode="symmetric")
        moved = Image.fromarray(wide).transform(
            (PICTURE_SIDE, PICTURE_SIDE), Image.Transform.AFFINE,
            (a, 0, box.cx - a * cx + 64, 0, e, box.cy - e * cy + 64), Image.Resampling.BICUBIC,
        )  # fmt: skip
        pictures[index] = np.asarray(moved)[:, ::-1] if mirror else np.asarray(moved)
        boxes.append(Box(call.label, box.colour, PICTURE_SIDE - cx if mirror else cx, cy, width, height, 1.0, call.subject))
    return pictures, boxes


@dataclass
class Batches:
    """What an adapter learns from: latents and conditions of the views, then of the drawn scenes, and the cells that count."""

    latents: Tensor
    conditions: Conditions
    weights: Tensor
    subjects: int

    def rows(self, chosen: Tensor) -> tuple[Tensor, Conditions, Tensor]:
        """Some rows of everything."""
        return self.latents[chosen], Conditions(*(each[chosen] for each in self.conditions)), self.weights[chosen]


def batches(base: Parts, call: Personalise, settings: AdapterSettings) -> Batches:
    """Views of the subject and drawn scenes without it, encoded; how the subject faces in a view is found out by the sketch."""
    pictures, boxes = views(call, settings.views)
    colour = _colour(base, pictures[: len(call.pictures)], boxes[: len(call.pictures)])
    calls = [Generate("", "", [_coloured(box, colour)], 0) for box in boxes]
    scenes = [scene_of((), 1, 6, "adapter", "priors", call.label, index) for index in range(settings.views // 2)]
    drawn = [
        Generate(caption(scene.background, [(t.label, t.colour, "") for t in scene.objects]), scene.background, scene.boxes(), 0)
        for scene in scenes
    ]
    words, size = WordList(base.conditioner.config.words), int(base.conditioner.config.identifier_size)
    conditions = conditions_of([*calls, *drawn], words, base.statistics, size)
    latents = autoencoder.encode(base.coder, np.concatenate([pictures, np.stack([draw(scene) for scene in scenes])]))
    flips = conditions.flips.clone()
    for row, scene in enumerate(scenes, len(calls)):
        flips[row, : len(scene.objects)] = torch.tensor([-1.0 if thing.flip else 1.0 for thing in scene.objects])
    flips[: len(calls)] = 1.0
    with torch.no_grad():
        away = facing_away(base.conditioner, conditions._replace(flips=flips), latents)
        flips[: len(calls)] = torch.where(away[: len(calls)], -1.0, 1.0)
        conditions = _with_references(base, call, conditions._replace(flips=flips), len(calls))
    weights = (places_in_boxes(conditions.boxes, flips)[1] * conditions.present[:, :, None]).amax(dim=1)
    weights[len(calls) :] = 1.0
    return Batches(latents, conditions, weights.view(-1, 1, autoencoder.LATENT_SIDE, autoencoder.LATENT_SIDE), len(calls))


def _with_references(base: Parts, call: Personalise, conditions: Conditions, count: int) -> Conditions:
    """Every view's subject gets the cut-out of another shared picture as reference; the drawn scenes get none."""
    referred = torch.zeros_like(conditions.referred)
    referred[:count, 0] = 1.0
    cutouts = np.zeros((*referred.shape, REFERENCE_SIDE, REFERENCE_SIDE, 3), np.uint8)
    shared = len(call.pictures)
    for row in range(count):
        other = (row + 1 + row // shared % max(shared - 1, 1)) % shared
        cutouts[row, 0] = np.frombuffer(cut(call.pictures[other], call.boxes[other]), np.uint8).reshape(cutouts.shape[2:])
    return referring(base.conditioner, base.coder, conditions._replace(referred=referred), cutouts)


def _coloured(box: Box, colour: str) -> Box:
    return Box(box.label, box.colour or colour, box.cx, box.cy, box.width, box.height, 1.0, box.subject)


def _colour(base: Parts, pictures: np.ndarray, boxes: Sequence[Box]) -> str:
    """The colour name whose sketch comes nearest to the views."""
    seen = autoencoder.encode(base.coder, pictures)
    words, size = WordList(base.conditioner.config.words), int(base.conditioner.config.identifier_size)
    errors = []
    for colour in COLOUR_NAMES:
        conditions = conditions_of([Generate("", "", [_coloured(b, colour)], 0) for b in boxes], words, base.statistics, size)
        cover = places_in_boxes(conditions.boxes, conditions.flips)[1][:, 0]
        both = []
        for sign in (1.0, -1.0):
            with torch.no_grad():
                sketch = base.conditioner.sketch(base.conditioner(conditions._replace(flips=sign * conditions.flips)).painted)
            both.append(((sketch - seen).square().sum(dim=1).flatten(1) * cover).sum(dim=1))
        errors.append(float(torch.minimum(*both).sum()))
    return COLOUR_NAMES[int(np.argmin(errors))]


def _located(call: Personalise) -> Personalise:
    """Without the pictures in which nobody found the subject (a box as large as the picture), if any remain."""
    kept = [index for index, box in enumerate(call.boxes) if max(box.width, box.height) <= LARGEST_PX]
    if not kept:
        return call
    return msgspec.structs.replace(
        call, pictures=[call.pictures[index] for index in kept], boxes=[call.boxes[index] for index in kept]
    )


def adapt(
    base: Parts, call: Personalise, identifier: np.ndarray, settings: AdapterSettings | None = None, device: str = CPU
) -> Adapter:
    """Train one subject's adapter; the same call gives the same adapter.

    Args:
        base: The generator's parts; they are left as they are.
        call: The shared pictures.
        identifier: The mean look, with which the token starts.
        settings: How to train.
        device: Where to train.
    """
    chosen = settings or AdapterSettings()
    data = batches(base, _located(call), chosen)
    torch.manual_seed(0)  # peft draws the first factor
    denoiser = copy.deepcopy(base.denoiser).train()
    denoiser.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=TARGETS))
    denoiser.to(device)
    conditioner = base.conditioner if device == CPU else copy.deepcopy(base.conditioner).to(device)
    token = torch.from_numpy(identifier.copy()).to(device).requires_grad_(True)
    factors = [p for p in denoiser.parameters() if p.requires_grad]
    groups = [{"params": factors, "lr": chosen.rate}, {"params": [token], "lr": chosen.token_rate}]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, chosen.steps)
    for step in range(chosen.steps):
        with torch.autocast(torch.device(device).type, torch.bfloat16), working_on(device):
            value = _loss(conditioner, denoiser, token, data, chosen, step)
        optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    found = {name: value.detach() for name, value in get_peft_model_state_dict(denoiser).items()} | {TOKEN: token.detach()}
    return moved(found, CPU)


def _loss(
    conditioner: Conditioner, denoiser: UNet2DConditionModel, token: Tensor, data: Batches, settings: AdapterSettings, step: int
) -> Tensor:
    """Weighted squared error of the velocity, as in the generator's own training."""
    rng = keys.generator("adapter", "step", step)
    own = rng.integers(0, data.subjects, settings.subjects)
    prior = rng.integers(data.subjects, len(data.latents), settings.priors)
    clean, conditions, weight = drawn(lambda: data.rows(torch.from_numpy(np.concatenate([own, prior]))))
    noise = drawn(lambda: torch.from_numpy(rng.standard_normal(tuple(clean.shape), dtype=np.float32)))
    levels = torch.sigmoid(drawn(lambda: torch.from_numpy(rng.standard_normal(len(clean), dtype=np.float32))) * 1.2 + 0.2)
    level = levels[:, None, None, None]
    referred = conditions.referred * drawn(lambda: torch.from_numpy(rng.integers(0, 2, (len(clean), 1)).astype(np.float32)))
    identifiers = conditions.identifiers.clone()
    identifiers[: settings.subjects, 0] = token
    guide = conditioner(conditions._replace(identifiers=identifiers, referred=referred))
    predicted = velocity(denoiser, guide, (1 - level) * clean + level * noise, levels).float()
    loss: Tensor = (weight * (predicted - (noise - clean)) ** 2).sum() / (weight.sum() * clean.shape[1])
    return loss
