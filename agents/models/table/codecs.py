"""Roles ``jscc_encoder`` and ``jscc_decoder`` of the table: symbols are counted, and a decoded sketch remembers codec and SNR."""

import math
from pathlib import Path

from msgspec.structs import replace

from ....bus.errors import BadInput
from ...scenes.world import make_scene
from ...sketches import Counted, Hop, counted, of_scene, read, written
from ..roles import Decode, Encode, Picture, Symbols
from .base import TableModel
from .store import read_table

SNR_LIMITS_DB = (-20.0, 40.0)
"""A receiver's estimate is clipped to this range, as by the measured codecs."""
EXAMPLE_CODEC = "snr07-cbr12"


class TableEncoder(TableModel):
    """Implements `semcast.agents.models.roles.Model`."""

    role = "jscc_encoder"

    def flops(self, arguments: Encode) -> int:
        """Of one picture, from the library's card."""
        return self.stored.library.codec(arguments.codec).encoder_flops

    def answer(self, call: Encode) -> Symbols:
        """As many symbols as the codec makes."""
        read(call.picture)
        return Symbols(written(Counted(self.stored.library.codec(call.codec).symbols, call.picture)))


class TableDecoder(TableModel):
    """Implements `semcast.agents.models.roles.Model`."""

    role = "jscc_decoder"

    def flops(self, arguments: Decode) -> int:
        """Of one picture, from the library's card."""
        return self.stored.library.codec(arguments.codec).decoder_flops

    def answer(self, call: Decode) -> Picture:
        """The picture, with one hop more.

        Raises:
            BadInput: The number of symbols is not the codec's, or the SNR is not a number.
        """
        symbols, codec = counted(call.symbols), self.stored.library.codec(call.codec)
        if symbols.number != codec.symbols or math.isnan(call.snr_db):
            raise BadInput(f"jscc_decoder: {symbols.number} symbols at {call.snr_db} dB", f"{codec.symbols} symbols and an Es/N0")
        sketch = read(symbols.picture)
        low, high = SNR_LIMITS_DB
        hop = Hop(call.codec, round(10 * min(max(call.snr_db, low), high)))
        return Picture(written(replace(sketch, hops=(*sketch.hops, hop))))


def load_encoder(folder: Path) -> TableEncoder:
    """Read the table."""
    return TableEncoder(read_table(folder))


def load_decoder(folder: Path) -> TableDecoder:
    """Read the table."""
    return TableDecoder(read_table(folder))


def encoder_examples() -> list[Encode]:
    """Six different calls of one codec."""
    return [Encode(written(of_scene(make_scene("jscc", "example", index))), EXAMPLE_CODEC) for index in range(6)]


def decoder_examples() -> list[Decode]:
    """Six different calls of one codec at SNRs from -5 to 20 dB."""
    symbols = [written(Counted(1024, call.picture)) for call in encoder_examples()]
    return [Decode(row, EXAMPLE_CODEC, 5.0 * index - 5) for index, row in enumerate(symbols)]
