"""Variant ``small`` of the generator: thin residual blocks in denoiser and decoder, in 8 bits, and at most two steps.

Its folder holds the thin blocks (8 bits); all else is the generator's own, which must be the one that it was made of. Adapters,
which were trained for the whole denoiser, are left out; identifiers and references are read.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace
from safetensors.torch import load_file
from torch import Tensor

from ..cards import checked, made_of, read_card
from ..codecs.quantised import dequantise
from ..eight_bits import in_eight_bits
from ..roles import Generate, Picture
from .generator import Parts, TinyGenerator, read_parts, read_schedule
from .generator import examples as examples
from .int8 import all_of
from .thin import thinned

WEIGHTS_NAME = "thin.safetensors"
MOST_STEPS = 2
"""It was fitted for the noise levels of these; more steps gain nothing."""


class SmallGenerator(TinyGenerator):
    """See the module."""

    def group(self, arguments: Generate) -> str:
        """Calls with the same number of steps share a batch."""
        return super().group(_small(arguments))

    def flops(self, arguments: Generate) -> int:
        """As of the whole generator, for the steps that are made."""
        return super().flops(_small(arguments))

    def run(self, arguments: Sequence[Generate]) -> list[Picture]:
        """Generate one full batch of 8 pictures."""
        return super().run([_small(call) for call in arguments])


def _small(call: Generate) -> Generate:
    return replace(call, steps=min(call.steps, MOST_STEPS), adapters={})


def fill(parts: Parts, widths: Mapping[str, Mapping[str, int]], kept: Mapping[str, Tensor]) -> None:
    """Thin the blocks of denoiser and autoencoder and give them their weights, as they are kept; a thin block may come again."""
    weights = dequantise(kept)
    for name, network in (("denoiser", parts.denoiser), ("autoencoder", parts.coder)):
        own = {key.removeprefix(f"{name}."): value for key, value in weights.items() if key.startswith(f"{name}.")}
        thinned(network, widths[name], own)


def load(folder: Path) -> SmallGenerator:
    """Read weights and cards; their hashes are checked."""
    card = read_card(folder)
    base = made_of(card).parent
    parts, _ = read_parts(base)
    fill(parts, card.data["widths"], load_file(checked(card, WEIGHTS_NAME)))
    in_eight_bits(all_of(parts), card.data["ranges"])
    return SmallGenerator(parts, read_schedule(base), card)
