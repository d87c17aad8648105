"""A family behind the role `generator`: reads prompts and decodes latents as the diffusion does, makes a latent in one pass."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from .....bus.errors import BadInput
from ...cards import CARD_NAME, Card, checked, read_card
from ...codecs.quantised import dequantise
from ...roles import Generate, Picture
from .. import autoencoder
from ..generator import Parts, conditions, read_parts, starting_noise
from ..generator import examples as generator_examples
from ..text import WordList
from .prompting import Told, told

BATCH = 8
WEIGHTS_FILE = "model.safetensors"
GENERATOR = f"../generator/{CARD_NAME}"
"""Where the card of the generator lies whose conditioner and decoder a family works with, from its own folder."""


class Family(Protocol):
    """The network of a family."""

    def paint(self, told: Told, noise: Tensor) -> Tensor:
        """Latents of prompts and a starting noise, (n, 8, 16, 16) both; it is unit normal or scaled by a temperature."""


class FamilyGenerator:
    """Role `generator`; see `roles.Model`. A call's ``steps`` and ``adapters`` are of the diffusion generator alone and not read.

    Args:
        parts: The generator's networks.
        family: The family's own.
        card: Names and hashes the weights; ``temperature`` scales the starting noise, which is the diffusion generator's of
        that seed.
    """

    role = "generator"
    batch = BATCH

    def __init__(self, parts: Parts, family: Family, card: Card) -> None:
        self.name, self.sha256 = str(card.data["name"]), card.sha256
        self._conditioner = parts.conditioner.requires_grad_(False).eval()
        self.coder, self.family = autoencoder.frozen(parts.coder), family
        self._statistics = parts.statistics
        self._words = WordList(parts.conditioner.config.words)
        self._temperature = float(card.data["temperature"])
        self._flops, self._flops_reference = int(card.data["flops"]), int(card.data["flops_reference"])

    def group(self, arguments: Generate) -> str:
        """All calls may share a batch."""
        return ""

    def flops(self, arguments: Generate) -> int:
        """Counted on the real modules (`torch.utils.flop_counter`, a sample): prompt, family, decoder; references once."""
        return self._flops + self._flops_reference * bool(arguments.references)

    def run(self, arguments: Sequence[Generate]) -> list[Picture]:
        """Generate one full batch of 8 pictures."""
        if len(arguments) != self.batch:
            raise BadInput(f"{self.name}: {len(arguments)} calls in a batch", f"exactly {self.batch}")
        pictures = autoencoder.decode(self.coder, self.latents(arguments))
        return [Picture(picture.tobytes()) for picture in pictures]

    def latents(self, calls: Sequence[Generate]) -> Tensor:
        """Scaled latents (n, 8, 16, 16) of a batch of calls."""
        prompts = self.told(calls)
        with torch.inference_mode():
            noise = self._temperature * starting_noise([call.seed for call in calls])
            return self.family.paint(prompts, noise).clone()

    def told(self, calls: Sequence[Generate]) -> Told:
        """Prompts as the family gets them."""
        return told(self._conditioner, conditions(self._conditioner, self.coder, self._statistics, self._words, calls))


def load_family(folder: Path, network: nn.Module) -> FamilyGenerator:
    """Read a family's weights in `folder` into its network, and the generator beside it, to which the card ties it."""
    card = read_card(folder)
    parts, _ = read_parts(checked(card, GENERATOR).parent)
    network.load_state_dict(dequantise(load_file(checked(card, WEIGHTS_FILE))))
    network.requires_grad_(False).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return FamilyGenerator(parts, network, card)  # type: ignore[arg-type]


def examples() -> list[Generate]:
    """Those of the diffusion generator."""
    return generator_examples()
