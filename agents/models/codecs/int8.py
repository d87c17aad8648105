"""Variant ``int8`` of the JSCC decoders: the library's weights, their convolutions computed in 8 bits (`..eight_bits`)."""

from functools import cache
from pathlib import Path

from ..cards import Card, checked, read_card
from ..eight_bits import in_eight_bits
from ..roles import Decode
from .library import Library, read_library
from .models import JsccDecoder
from .models import decoder_examples as decoder_examples
from .network import Decoder


class EightBitDecoder(JsccDecoder):
    """Implements `semcast.agents.models.roles.Model`. Codecs that the card does not name are decoded by their whole decoders."""

    def __init__(self, card: Card, library: Library) -> None:
        super().__init__(library)
        self.name, self.sha256 = str(card.data["name"]), card.sha256
        self._costs = {name: int(flops) for name, flops in card.data["decoder_flops"].items()}
        whole, ranges = self._network, card.data["ranges"]

        def converted(name: str) -> Decoder:
            decoder = whole(name).requires_grad_(False)
            if name in ranges:
                in_eight_bits(decoder, ranges[name])
            return decoder

        self._network = cache(converted)

    def flops(self, arguments: Decode) -> int:
        """Of one picture, from the card; an operation in 8 bits counts as half."""
        return self._costs.get(arguments.codec, 0) or super().flops(arguments)


def load_decoder(folder: Path) -> EightBitDecoder:
    """The decoders of the library beside `folder`; the hashes of those that the card was made of are checked."""
    card = read_card(folder)
    for name in card.data["files"]:
        checked(card, name)
    return EightBitDecoder(card, read_library(folder.parent / "jscc"))
