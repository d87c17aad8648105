"""The tiny profile's generator: text-and-box-conditioned latent diffusion, a small `diffusers.UNet2DConditionModel`.

A call's caption and boxes are encoded once (`conditioner`); the painted map and the collage of references (`reference`) are given
to the denoiser beside the latent, words and objects by cross attention. A branch model changes the denoiser by its adapter
(`adapters`). Flow matching: x_s = (1 - s) x_0 + s e, the network predicts e - x_0, and Euler steps lead from s = 1
to 0.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor

from ....bus import keys
from ....bus.errors import BadInput
from ..cards import Card, checked, read_card
from ..roles import Box, Generate, Picture
from . import adapters, autoencoder
from .autoencoder import LATENT_CHANNELS, LATENT_SIDE
from .conditioner import REFERENCE_CHANNELS, Conditioner, Conditions, Guide
from .layout import SizeStatistics
from .prompt import conditions_of, cutouts_of
from .reading import read
from .reference import referring
from .text import WordList

BATCH = 8
MAX_STEPS = 50


def build_denoiser(conditioner: Conditioner, widths: tuple[int, ...] = (64, 96)) -> UNet2DConditionModel:
    """A new denoiser with random weights that fits the conditioner."""
    levels = len(widths)
    denoiser = UNet2DConditionModel(
        sample_size=LATENT_SIDE,
        in_channels=LATENT_CHANNELS + conditioner.config.channels + REFERENCE_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=("DownBlock2D",) * levels,
        mid_block_type="UNetMidBlock2DCrossAttn",
        up_block_types=("UpBlock2D",) * levels,
        block_out_channels=widths,
        layers_per_block=1,
        attention_head_dim=4,
        norm_num_groups=8,
        cross_attention_dim=conditioner.config.width,
        class_embed_type="projection",
        projection_class_embeddings_input_dim=conditioner.config.width,
    )
    denoiser.set_attn_processor(AttnProcessor())  # plain products: the fused kernel's gradient is slow on CPUs
    return denoiser


def velocity(denoiser: UNet2DConditionModel, guide: Guide, noisy: Tensor, levels: Tensor) -> Tensor:
    """Predicted e - x_0 of noisy latents (n, 8, 16, 16) at noise levels s (n,) in [0, 1]."""
    beside = torch.cat([noisy, guide.painted.to(noisy.dtype), guide.reference.to(noisy.dtype)], dim=1)
    output = denoiser(
        beside.contiguous(memory_format=torch.channels_last),
        levels * 1000,
        encoder_hidden_states=guide.tokens,
        encoder_attention_mask=guide.seen,
        class_labels=guide.pooled,
        return_dict=False,
    )
    return output[0]  # type: ignore[no-any-return]


def starting_noise(seeds: Sequence[int]) -> Tensor:
    """Unit normal latents (n, 8, 16, 16), each fixed by its own seed."""
    shape = (LATENT_CHANNELS, LATENT_SIDE, LATENT_SIDE)
    draws = [keys.generator("generator", "noise", seed).standard_normal(shape, dtype=np.float32) for seed in seeds]
    return torch.from_numpy(np.stack(draws))


Mend = Callable[[Tensor], Tensor]
"""Predicted clean latents (n, 8, 16, 16) -> better ones."""


class Parts(NamedTuple):
    """The networks of a generator.

    Attributes:
        conditioner: Encodes prompts.
        denoiser: Predicts the velocity.
        coder: The autoencoder; its decoder makes the pictures, its encoder reads references.
        statistics: Sizes for things without a box.
    """

    conditioner: Conditioner
    denoiser: UNet2DConditionModel
    coder: AutoencoderKL
    statistics: SizeStatistics


class TinyGenerator:
    """Role `generator`; see `roles.Model`.

    Args:
        parts: The networks.
        schedule: Noise levels of the steps.
        card: The card that names and hashes the weights, with the costs and the ``temperature`` by which the starting noise is
            scaled: below 1 pictures are plainer and cleaner (0.7 against 1: recovery 0.99 against 0.96 at 8 steps).
    """

    role = "generator"
    batch = BATCH

    def __init__(self, parts: Parts, schedule: FlowMatchEulerDiscreteScheduler, card: Card) -> None:
        self.name = str(card.data["name"])
        self.sha256 = card.sha256
        self._conditioner = parts.conditioner.requires_grad_(False).eval()
        self._denoiser = parts.denoiser.requires_grad_(False).eval().to(memory_format=torch.channels_last)
        self.coder = autoencoder.frozen(parts.coder)
        """The autoencoder between latents and pictures."""
        self._schedule = schedule
        self._statistics = parts.statistics
        self._temperature = float(card.data["temperature"])
        self._flops = tuple(int(card.data[f"flops_{part}"]) for part in ("fixed", "per_step", "reference", "adapter_step"))

    @cached_property
    def _words(self) -> WordList:
        return WordList(self._conditioner.config.words)

    def group(self, arguments: Generate) -> str:
        """Calls with the same number of steps share a batch."""
        return f"steps{_checked_steps(arguments)}"

    def flops(self, arguments: Generate) -> int:
        """Counted on the real modules (`torch.utils.flop_counter`, a sample): prompt, references and decoder once, the denoiser

        with its adapters every step.
        """
        fixed, per_step, reference, adapter = self._flops
        steps = _checked_steps(arguments)
        return fixed + per_step * steps + reference * bool(arguments.references) + adapter * steps * bool(arguments.adapters)

    def run(self, arguments: Sequence[Generate]) -> list[Picture]:
        """Generate one full batch of 8 pictures."""
        if len(arguments) != self.batch or len({self.group(call) for call in arguments}) != 1:
            raise BadInput(f"generator: {len(arguments)} calls in a batch", f"exactly {self.batch} calls with equal steps")
        pictures = autoencoder.decode(self.coder, self.latents(arguments))
        return [Picture(picture.tobytes()) for picture in pictures]

    def latents(self, calls: Sequence[Generate], temperature: float | None = None, mend: Mend | None = None) -> Tensor:
        """Scaled latents (n, 8, 16, 16) of a batch of calls with equal steps.

        Args:
            calls: What is to be shown.
            temperature: Scale of the starting noise; default: the card's.
            mend: After every step but the last, the predicted clean latents are replaced by what this makes of them.
        """
        branched = [_branched(call) for call in calls]
        conditions = self.conditions([call for call, _ in branched])
        with torch.inference_mode():
            guide = self._conditioner(conditions)
            latents = (self._temperature if temperature is None else temperature) * starting_noise([call.seed for call in calls])
            levels = noise_levels(self._schedule, _checked_steps(calls[0]))
            with adapters.swapped(self._denoiser, [own for _, own in branched]):
                for level, following in zip(levels[:-1], levels[1:], strict=True):
                    flow = velocity(self._denoiser, guide, latents, torch.full((len(calls),), level))
                    clean = latents - level * flow
                    latents = latents + (following - level) * flow
                    if mend is not None and following > 0:
                        latents = latents + (1 - following) * (mend(clean) - clean)
        return latents.clone()

    def conditions(self, calls: Sequence[Generate]) -> Conditions:
        """The calls as numbers."""
        return conditions(self._conditioner, self.coder, self._statistics, self._words, calls)


def conditions(
    conditioner: Conditioner, coder: AutoencoderKL, statistics: SizeStatistics, words: WordList, calls: Sequence[Generate]
) -> Conditions:
    """Calls as numbers, with the latents of their references' collages."""
    found = conditions_of(calls, words, statistics, int(conditioner.config.identifier_size))
    if not found.referred.any():  # the bits are the same as with collages of nothing, which no cell would show
        return found
    with torch.inference_mode():
        return referring(conditioner, coder, found, cutouts_of(calls, statistics))


def _branched(call: Generate) -> tuple[Generate, list[adapters.Adapter]]:
    """The call with the fine-tuned tokens of its adapters in place of identifiers, and the adapters of subjects that it shows."""
    if not call.adapters:
        return call, []
    shown = dict.fromkeys([box.subject for box in call.boxes] + [name for _, _, name in read(call.caption).objects])
    own = {name: adapters.unpack(call.adapters[name]) for name in shown if name in call.adapters}
    tokens = {name: adapter[adapters.TOKEN].numpy().astype("<f4").tobytes() for name, adapter in own.items()}
    return msgspec.structs.replace(call, subjects={**call.subjects, **tokens}), list(own.values())


def _checked_steps(call: Generate) -> int:
    if not 1 <= call.steps <= MAX_STEPS:
        raise BadInput(f"generator: steps = {call.steps}", f"1 to {MAX_STEPS} diffusion steps")
    return call.steps


def noise_levels(schedule: FlowMatchEulerDiscreteScheduler, steps: int) -> list[float]:
    """The scheduler's noise levels from 1 down to 0, `steps` + 1 of them; the scheduler itself is left as it was."""
    fresh = FlowMatchEulerDiscreteScheduler.from_config(schedule.config)
    # our even levels; the scheduler applies its shift
    fresh.set_timesteps(sigmas=[1 - step / steps for step in range(steps)])
    return [float(sigma) for sigma in fresh.sigmas]


def read_parts(folder: Path) -> tuple[Parts, Card]:
    """Read the networks from a folder with `card.json` and its parts in Hugging Face layout; hashes are checked."""
    card = read_card(folder)
    for name in card.data["files"]:
        checked(card, name)
    sizes: dict[str, Any] = card.data["sizes"]
    statistics = SizeStatistics({int(k): (v[0], v[1]) for k, v in sizes["sides"].items()}, sizes["aspects"])
    local: dict[str, Any] = {"torch_dtype": torch.float32, "local_files_only": True, "low_cpu_mem_usage": False}
    conditioner = Conditioner.from_pretrained(folder / "conditioner", **local)
    denoiser = UNet2DConditionModel.from_pretrained(folder / "denoiser", **local)
    return Parts(conditioner, denoiser, autoencoder.load(folder / "autoencoder"), statistics), card


def load(folder: Path) -> TinyGenerator:
    """Read the generator; see `read_parts`."""
    parts, card = read_parts(folder)
    return TinyGenerator(parts, read_schedule(folder), card)


def read_schedule(folder: Path) -> FlowMatchEulerDiscreteScheduler:
    """The schedule of the generator in a folder."""
    return FlowMatchEulerDiscreteScheduler.from_pretrained(folder / "scheduler", local_files_only=True)


def examples() -> list[Generate]:
    """Eight different calls, one with a reference, for tests of any generator."""
    things = ("dog", "cup", "car", "tree", "cat", "house", "fish", "ball")
    return [
        Generate(
            caption=f"a red {label} on grass" if index % 2 else "",
            background="grass",
            boxes=[Box(label, "red", 16.0 + 4 * index, 30.0, 20.0, 18.0, 1.0, "eve/" + label)] if index != 3 else [],
            seed=index,
            steps=2,
            references={"eve/car": bytes(range(0, 256, 8)) * 96} if label == "car" else {},
        )
        for index, label in enumerate(things)
    ]
