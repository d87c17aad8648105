"""Writes a trained family as it is shipped: 8-bit weights, costs, what they were made of, and a card."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ..cards import Card, file_sha256, read_card, write_card
from ..codecs.quantised import dequantise, quantise
from ..roles import Box, Generate
from ..tiny import autoencoder
from ..tiny.families.model import BATCH, GENERATOR, WEIGHTS_FILE, Family
from ..tiny.families.prompting import told
from ..tiny.generator import Parts, starting_noise
from ..tiny.prompt import conditions_of
from ..tiny.text import WordList
from .diffusers_files import parameters
from .families import Material


def export(folder: Path, name: str, network: nn.Module, given: Material, temperature: float, notes: Mapping[str, Any]) -> Card:
    """Quantise the network in place and write weights and card.

    Args:
        folder: Where to; made if needed.
        name: Of the family and its recipe.
        network: A trained `Family`; it is left with the weights that are shipped.
        given: What it was trained on.
        temperature: Scale of the starting noise.
        notes: More entries of the card; ``"metrics"`` is a function that measures the network as it is shipped.
    """
    kept = quantise(network.state_dict())
    network.load_state_dict(dequantise(kept))
    folder.mkdir(parents=True, exist_ok=True)
    save_file(kept, folder / WEIGHTS_FILE)
    own, shared = parameters(network), read_card(given.source).data
    measured: Callable[[], dict[str, Any]] = notes["metrics"]
    return write_card(folder, {
        "name": f"tiny-generator-{name}", "roles": ["generator"], "params": own, "params_shared": _shared(given.parts),
        "flops": count_flops(network, given.parts), "flops_reference": shared["flops_reference"],  # type: ignore[arg-type]
        "batch": BATCH, "temperature": temperature, "recipe": name, "seed": 0,
        "data": {"scenes": len(given.scenes.latents), "keys": "generator", "sha256": file_sha256(given.cache)},
        "held_out": "scenes of the keys families, held-out", **notes, "metrics": measured(), "files": [WEIGHTS_FILE, GENERATOR],
    })  # fmt: skip


def _shared(parts: Parts) -> int:
    """Weights of the generator that a family works with: conditioner and decoder."""
    return parameters(parts.conditioner) + parameters(parts.coder.decoder) + parameters(parts.coder.post_quant_conv)


def count_flops(family: Family, parts: Parts) -> int:
    """FLOPs of one sample, counted by torch: reading the prompt, the family, the decoder."""
    call = Generate("", "", [Box("dog", "red", 32, 32, 20, 20)], 0)
    numbers = conditions_of(
        [call], WordList(parts.conditioner.config.words), parts.statistics, int(parts.conditioner.config.identifier_size)
    )
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        latents = family.paint(told(parts.conditioner, numbers), starting_noise([0]))
        autoencoder.decode(parts.coder, latents)
    return int(counter.get_total_flops())
