"""Variants ``int8`` of the tiny models: the same weights, their convolutions computed in 8 bits (`eight_bits`).

A folder holds a card alone: the ranges of the convolutions' inputs, and the hash of the card of the model that it is made of.
That model's weights become 8-bit numbers when they are read.
"""

from functools import partial
from pathlib import Path

import torch
from torch import nn

from ..cards import checked, made_of, read_card
from ..eight_bits import in_eight_bits
from .detr import SceneDetector, find
from .extractor import PARTS, TinyExtractor
from .extractor import examples as extractor_examples
from .generator import Parts, TinyGenerator, read_parts, read_schedule
from .generator import examples as generator_examples
from .pretrained import read
from .subjects import WEIGHTS_NAME, SubjectEye

__all__ = ["extractor_examples", "generator_examples", "load_extractor", "load_generator"]


def extractor_networks(folder: Path) -> tuple[SceneDetector, SubjectEye]:
    """Detector and eye of the extractor in `folder`; hashes are checked."""
    card = read_card(folder)
    for name in PARTS:
        checked(card, name)
    network = read(SceneDetector, folder).requires_grad_(False).to(memory_format=torch.channels_last)
    return network, SubjectEye(folder / WEIGHTS_NAME)


def together(network: SceneDetector, eye: SubjectEye) -> nn.ModuleDict:
    """The extractor's networks under the names of its ranges."""
    return nn.ModuleDict({"detector": network, "eye": eye.network})


def all_of(parts: Parts) -> nn.ModuleDict:
    """The generator's networks under the names of its ranges."""
    return nn.ModuleDict({"conditioner": parts.conditioner, "denoiser": parts.denoiser, "autoencoder": parts.coder})


def load_extractor(folder: Path) -> TinyExtractor:
    """The extractor in 8 bits."""
    card = read_card(folder)
    network, eye = extractor_networks(made_of(card).parent)
    in_eight_bits(together(network, eye), card.data["ranges"])
    return TinyExtractor(card, partial(find, network), eye)


def load_generator(folder: Path) -> TinyGenerator:
    """The generator in 8 bits."""
    card = read_card(folder)
    base = made_of(card).parent
    parts, _ = read_parts(base)
    in_eight_bits(all_of(parts), card.data["ranges"])
    return TinyGenerator(parts, read_schedule(base), card)
