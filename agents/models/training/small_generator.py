"""Making of the generator's variant ``small``: denoiser and decoder are thinned by least squares, no gradient is taken."""

import copy
import logging
from pathlib import Path

import torch
from msgspec.structs import replace
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ...scenes.world import make_scene
from ..cards import CARD_NAME, Card, write_card
from ..codecs.quantised import quantise
from ..tiny import autoencoder
from ..tiny.generator import Parts, TinyGenerator, read_parts, read_schedule
from ..tiny.int8 import all_of
from ..tiny.small_generator import MOST_STEPS, WEIGHTS_NAME, fill
from ..tiny.thin import inner_weights
from .devices import CPU
from .generator_export import count_flops
from .int8 import converted, prompt_of
from .pruning import prune

log = logging.getLogger(__name__)

NAME = "generator-small"
SHARES = {"denoiser": 0.5, "autoencoder": 0.375}
"""Of the inner channels that stay; with 0.25 in both, pictures lose 1.6 dB."""
SCENES = 96
"""Scenes (key ``"thin"``) that the regressions are made on; no evaluation draws them."""


def train(folder: Path, work: Path, minutes: float, device: str = CPU) -> Card:
    """Recipe ``generator-small``: made of the generator beside `folder` in some minutes, whatever `minutes` says, on the CPU."""
    base = folder.parent / "generator"
    parts, card = read_parts(base)
    slim = copy.deepcopy(parts)
    whole, small = (TinyGenerator(own, read_schedule(base), card) for own in (parts, slim))
    scenes = [make_scene("thin", index, count=(1, 8)) for index in range(SCENES)]
    calls = [replace(prompt_of(scene, index), steps=MOST_STEPS) for index, scene in enumerate(scenes)]
    starts = range(0, SCENES, whole.batch)

    def draw(network: nn.Module) -> None:
        model = whole if network is parts.denoiser else small
        for start in starts:
            model.latents(calls[start : start + model.batch])

    with torch.inference_mode():
        widths = {"denoiser": prune(parts.denoiser, slim.denoiser, SHARES["denoiser"], draw)}
        latents = [whole.latents(calls[start : start + whole.batch]) for start in starts]

        def decode(network: nn.Module) -> None:
            for one in latents:
                autoencoder.decode(network, one)

        widths["autoencoder"] = prune(parts.coder, slim.coder, SHARES["autoencoder"], decode)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(_kept(slim, widths), folder / WEIGHTS_NAME)
    (folder / WEIGHTS_NAME).chmod(0o644)
    fill(slim, widths, load_file(folder / WEIGHTS_NAME))  # what is converted is what will be read

    def feed() -> None:
        for start in starts:
            small.run(calls[start : start + small.batch])

    said = converted(all_of(slim), feed, lambda: count_flops(slim.conditioner, slim.denoiser, slim.coder, slim.statistics))
    said |= {key: card.data[key] for key in ("temperature", "sizes", "batch")}
    return write_card(folder, {
        "name": "tiny-generator-small", "roles": ["generator"], "variant": "small", "of": base.name, **said,
        "flops": said["flops_fixed"] + MOST_STEPS * said["flops_per_step"], "steps": MOST_STEPS, "recipe": NAME,
        "command": f"semcast train {NAME}", "shares": SHARES, "scenes": SCENES, "widths": widths,
        "files": [WEIGHTS_NAME, f"../{base.name}/{CARD_NAME}"],
    })  # fmt: skip


def _kept(slim: Parts, widths: dict[str, dict[str, int]]) -> dict[str, Tensor]:
    """The thin blocks in 8 bits."""
    kept: dict[str, Tensor] = {}
    for name, network in (("denoiser", slim.denoiser), ("autoencoder", slim.coder)):
        kept |= quantise({f"{name}.{key}": value for key, value in inner_weights(network, widths[name]).items()})
    return kept
