"""Variant ``small`` of the extractor: a hourglass of half the width that reads every cell, trained from the extractor's answers.

It has no RT-DETR decoder. The eye for personal subjects is the extractor's own.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from ..cards import checked, read_card
from ..codecs.quantised import dequantise
from ..roles import Box
from .detector import ExtractorNetwork, backgrounds, read_boxes
from .extractor import TinyExtractor
from .extractor import examples as examples
from .subjects import WEIGHTS_NAME, SubjectEye

MODEL_NAME = "model.safetensors"
EYE_NAME = f"../extractor/{WEIGHTS_NAME}"
"""Beside its own folder; the card names its hash."""


def finder(network: ExtractorNetwork, pictures: Tensor, threshold: float) -> tuple[list[list[Box]], list[str]]:
    """Boxes of each picture (n, 3, 64, 64), most certain first, and its background."""
    maps = network(pictures)
    return read_boxes(maps, threshold), list(backgrounds(maps))


def load(folder: Path) -> TinyExtractor:
    """Read weights and card; their hashes are checked."""
    card = read_card(folder)
    network = ExtractorNetwork(int(card.data["width"]))
    network.load_state_dict(dequantise(load_file(checked(card, MODEL_NAME))))
    network.requires_grad_(False).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def find(pictures: Tensor, threshold: float) -> tuple[list[list[Box]], list[str]]:
        return finder(network, pictures, threshold)

    return TinyExtractor(card, find, SubjectEye(checked(card, EYE_NAME)))
