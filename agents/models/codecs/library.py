"""The codec library as data: which codecs there are, what each costs and how good it is at which SNR. No torch here.

Specialists have weights of their own, for one SNR and rate. The adaptive codecs, one name for each rate, share theirs and follow
the SNR (`adaptive.py`). An encoder policy is shown `Library.offers`: for each codec its symbols, its distance from the channel's
SNR and the PSNR that was measured on validation scenes. The table is part of the library's card, ``library.json``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ....bus.errors import BadInput, Missing
from ....policies.protocols import CodecCard
from ..cards import Card, read_card

CARD_NAME = "library.json"
ADAPTIVE = "adaptive"
"""Name of the weights of all adaptive codecs, and what their names begin with."""


@dataclass(frozen=True)
class Codec:
    """One encoder and its decoder.

    Attributes:
        name: For instance ``"snr07-cbr12"``: trained at 7 dB, channel bandwidth ratio 1/12; or ``"adaptive-cbr12"``.
        snr_db: Es/N0 per complex symbol, in dB, that it was trained at; of an adaptive codec the middle.
        cbr: Complex channel uses / (3 H W), exact.
        channels: Real values per 8x8 block; ``cbr * 384``.
        symbols: Complex symbols of one 64x64 picture.
        encoder_flops: Of one 64x64 picture; a multiply-add is two.
        decoder_flops: Likewise.
        encoder_bits: Size of the encoder's weights file in bits.
        decoder_bits: Size of the decoder's weights file in bits: what it costs to distribute it.
        encoder_params: Number of weights.
        decoder_params: Number of weights.
        psnr_db: Mean PSNR in dB over validation scenes at each SNR of the library's grid, AWGN.
        weights: Name of its weights: codecs that share it are stored and distributed as one.
    """

    name: str
    snr_db: float
    cbr: Fraction
    channels: int
    symbols: int
    encoder_flops: int
    decoder_flops: int
    encoder_bits: int
    decoder_bits: int
    encoder_params: int
    decoder_params: int
    psnr_db: tuple[float, ...]
    weights: str

    @property
    def adaptive(self) -> bool:
        """Whether it follows the SNR."""
        return self.weights == ADAPTIVE


class Library:
    """All codecs of a weights folder: ``codecs``, the specialists in order of rate and trained SNR, and ``adaptive``, by rate."""

    def __init__(self, card: Card) -> None:
        data = card.data
        self.card = card
        self.snr_grid_db: tuple[float, ...] = tuple(data["snr_grid_db"])
        self.codecs = {name: _codec(name, entry) for name, entry in data["codecs"].items()}
        self.adaptive = {name: _codec(name, entry) for name, entry in data.get("adaptive", {}).items()}

    @property
    def names(self) -> list[str]:
        """Names of all specialists."""
        return list(self.codecs)

    def codec(self, name: str) -> Codec:
        """The codec of that name.

        Raises:
            BadInput: No such codec; the hint lists the known ones.
        """
        known = self.codecs | self.adaptive
        if name not in known:
            raise BadInput(f"unknown JSCC codec {name!r}", "known: " + ", ".join(known))
        return known[name]

    def chosen(self, which: str) -> dict[str, Codec]:
        """The codecs of ``"specialists"``, ``"adaptive"`` or ``"all"``, by name.

        Raises:
            Missing: Adaptive ones are asked for, and there are none.
        """
        if which != "specialists" and not self.adaptive:
            raise Missing(f"no adaptive codec in {self.card.folder}", "train it: semcast train jscc-adaptive")
        return {"specialists": self.codecs, "adaptive": self.adaptive, "all": self.codecs | self.adaptive}[which]

    def predicted_psnr_db(self, name: str, snr_db: float) -> float:
        """Mean PSNR in dB that `name` reached on validation scenes at `snr_db`: linear between grid points, flat outside."""
        return _interpolate(self.snr_grid_db, self.codec(name).psnr_db, snr_db)

    def of_rate(self, cbr: Fraction) -> list[Codec]:
        """Specialists of one rate, by rising trained SNR."""
        return sorted((codec for codec in self.codecs.values() if codec.cbr == cbr), key=lambda codec: codec.snr_db)

    def best(self, snr_db: float, cbr: Fraction) -> Codec:
        """The specialist of rate `cbr` with the highest predicted PSNR at `snr_db`; of equals that trained at the lower SNR."""
        codecs = self.of_rate(cbr)
        if not codecs:
            raise BadInput(
                f"no JSCC codec of CBR {cbr}", "rates: " + ", ".join(sorted({str(c.cbr) for c in self.codecs.values()}))
            )
        return max(codecs, key=lambda codec: (self.predicted_psnr_db(codec.name, snr_db), -codec.snr_db))

    def offers(self, which: str = "specialists") -> tuple[CodecCard, ...]:
        """Codecs (see `chosen`) as an encoder policy sees them, in the library's order."""
        return tuple(
            CodecCard(c.name, c.snr_db, float(c.cbr), c.symbols, tuple(zip(self.snr_grid_db, c.psnr_db, strict=True)))
            for c in self.chosen(which).values()
        )

    def middle(self, cbr: Fraction) -> Codec:
        """The specialist of rate `cbr` trained at the middle SNR: the baseline of a library of one."""
        codecs = self.of_rate(cbr)
        return codecs[len(codecs) // 2]


def read_library(folder: Path) -> Library:
    """Read ``library.json`` in `folder`.

    Raises:
        Missing: There is none; the hint is the command that trains it.
        BadInput: It cannot be read.
    """
    card = read_card(folder, CARD_NAME, recipe="jscc")
    try:
        return Library(card)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{folder / CARD_NAME} is not a codec library ({error!r})", "make it again: semcast train jscc") from None


def symbols_of(cbr: Fraction, height: int, width: int) -> int:
    """Complex symbols of a (height, width) picture at a rate of `cbr` complex uses / (3 H W)."""
    return int(cbr * 3 * height * width)


def codec_name(snr_db: float, cbr: Fraction) -> str:
    """Name of the codec, for instance ``snr07-cbr12`` for 7 dB and 1/12."""
    return f"snr{round(snr_db):02d}-cbr{cbr.denominator}"


def adaptive_name(cbr: Fraction) -> str:
    """Name of the adaptive codec at a rate, for instance ``adaptive-cbr12``."""
    return f"{ADAPTIVE}-cbr{cbr.denominator}"


def _codec(name: str, entry: dict[str, Any]) -> Codec:
    own = ("name", "cbr", "psnr_db", "weights")
    values = {field: entry[field] for field in Codec.__dataclass_fields__ if field not in own}
    weights = entry.get("weights", name)
    return Codec(name=name, cbr=Fraction(entry["cbr"]), psnr_db=tuple(entry["psnr_db"]), weights=weights, **values)


def _interpolate(xs: Sequence[float], ys: Sequence[float], x: float) -> float:
    if x <= xs[0]:
        return ys[0]
    for (x0, x1), (y0, y1) in zip(zip(xs, xs[1:], strict=False), zip(ys, ys[1:], strict=False), strict=True):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return ys[-1]
