"""The photograph codec: a picture of any size and a budget of complex symbols give symbols of unit power, and back.

One encoder and one decoder serve every rate from CBR 1/48 to 1/6 and every SNR. A picture is always computed alone, so nothing
depends on its companions. Its `Sketch` goes to the receiver over a coded link (about 2 bits a 16x16 block: see
`photo_side`), its symbols as they are; whoever compares must charge both.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import log10
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from ....bus.channel.awgn import unit_power
from ....bus.errors import BadInput
from ..cards import Card, checked, read_card
from ..loading import WEIGHTS
from .photo_network import Decoder, Encoder
from .photo_plan import CHANNELS, gain_map, nearest_class
from .photo_side import (
    HEADER_BITS,
    HEADER_BYTES,
    LEAST_DESIGN_DB,
    MIDDLE_SCALE,
    MOST_DESIGN_DB,
    MOST_SCALE,
    MOST_SIDE,
    SCALE_STEP_DB,
    STRIDE,
    WORD_BYTES,
    ClassMap,
    Header,
)
from .quantised import dequantise

FOLDER = WEIGHTS / "jscc_photos"
RECIPE = "jscc-photos"
TABLES = "tables.safetensors"
FEWEST_SYMBOLS, MOST_SYMBOLS = 8, 128
"""Complex symbols a 16x16 block in the mean: CBR 1/96 (what is left at 1/48 when the sketch is paid) to 1/6."""
Half = TypeVar("Half", Encoder, Decoder)


@dataclass(frozen=True)
class Sketch:
    """What is known of a picture before its symbols are made.

    Attributes:
        planes: (3, 16 h, 16 w) float32 in [0, 1], filled up to whole blocks.
        height: Of the picture in pixels.
        width: Likewise.
        classes: (h, w) int64, the class of every block.
        coded: The classes as sent.
    """

    planes: Tensor
    height: int
    width: int
    classes: np.ndarray
    coded: bytes

    @property
    def bits(self) -> int:
        """Payload bits on the air, header included."""
        return HEADER_BITS + 8 * len(self.coded)


@dataclass(frozen=True)
class Sent:
    """A coded picture: ``side``, the bytes for a coded link, and complex64 ``symbols`` (n,) of unit average power."""

    side: bytes
    symbols: np.ndarray


class PhotoCodec:
    """Both halves.

    Args:
        encoder: In eval mode.
        decoder: In eval mode.
        odds: Of `ClassMap`.
        card: Of the weights, if they are read from a folder.
    """

    def __init__(self, encoder: Encoder, decoder: Decoder, odds: np.ndarray, card: Card | None = None) -> None:
        self.encoder, self.decoder, self.card = encoder, decoder, card
        self._variances = encoder.variances.double().numpy()
        self._map = ClassMap(odds)

    def sketch(self, picture: np.ndarray) -> Sketch:
        """Classify the blocks of a picture.

        Args:
            picture: (height, width, 3) uint8 RGB; sides that 16 does not divide are filled up with their last row or column.

        Raises:
            BadInput: Not such a picture.
        """
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or not picture.size:
            raise BadInput(f"a picture of shape {picture.shape} and type {picture.dtype}", "uint8 RGB, (height, width, 3)")
        height, width = picture.shape[:2]
        if max(height, width) > MOST_SIDE:
            raise BadInput(f"a picture of {width} x {height} pixels", f"at most {MOST_SIDE} a side: cut it or scale it down")
        padded = np.pad(picture, ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0)), mode="edge")
        planes = torch.from_numpy(padded.astype(np.float32) / 255).permute(2, 0, 1)
        with torch.inference_mode():
            found = self.encoder.linear(planes[None] - 0.5)[0].permute(1, 2, 0).double().numpy()
        classes = nearest_class(found.reshape(-1, CHANNELS), self._variances).reshape(found.shape[:2])
        return Sketch(planes, height, width, classes, self._map.encode(classes))

    def encode(self, sketch: Sketch, symbols: int, snr_db: float) -> Sent:
        """Encode one picture into exactly `symbols` complex channel uses, besides those of its side bytes.

        Args:
            sketch: Of the picture.
            symbols: 8 to 128 a 16x16 block.
            snr_db: What the sender believes of Es/N0, in dB.

        Raises:
            BadInput: A number of symbols out of range, or a SNR of NaN.
        """
        places = sketch.classes.size
        if not FEWEST_SYMBOLS * places <= symbols <= MOST_SYMBOLS * places:
            hint = f"the codec makes {FEWEST_SYMBOLS * places} to {MOST_SYMBOLS * places}: CBR 1/96 to 1/6 of its blocks"
            raise BadInput(f"{symbols} symbols for {sketch.width} x {sketch.height} pixels", hint)
        design_db = round(_number(snr_db))
        gains = gain_map(self._variances, sketch.classes, 2 * symbols, design_db)
        with torch.inference_mode():
            given = (torch.from_numpy(sketch.classes), torch.from_numpy(gains))
            condition = _condition(symbols, places, design_db)
            code = self.encoder(sketch.planes[None], *(tensor[None] for tensor in given), *condition)[0].numpy()
        values = code[gains > 0]
        flat = (values[0::2] + 1j * values[1::2]).astype(np.complex64)
        power = float(np.mean(np.abs(flat.astype(np.complex128)) ** 2))
        scale = MIDDLE_SCALE + round(10 * log10(max(power, 1e-9)) / SCALE_STEP_DB)
        words = len(sketch.coded) // WORD_BYTES
        header = Header(sketch.height, sketch.width, min(max(scale, 0), MOST_SCALE), design_db, words)
        return Sent(header.to_bytes() + sketch.coded, unit_power(flat))

    def decode(self, side: bytes, received: np.ndarray, snr_db: float) -> np.ndarray:
        """Decode one picture.

        Args:
            side: As it was sent.
            received: Complex symbols after equalisation, in the order sent.
            snr_db: The receiver's own estimate of Es/N0 after equalisation, in dB.

        Returns:
            (height, width, 3) uint8 RGB.

        Raises:
            BadInput: Damaged side bytes or symbols, a number of symbols that does not fit, or a SNR of NaN.
        """
        header = Header.from_bytes(side)
        rows, columns = header.shape
        places = rows * columns
        if not FEWEST_SYMBOLS * places <= received.size <= MOST_SYMBOLS * places:
            raise BadInput(f"{received.size} symbols received for {places} blocks", "the header or the symbols are not whole")
        if len(side) != HEADER_BYTES + header.words * WORD_BYTES or not np.isfinite(received).all():
            raise BadInput("side bytes or symbols are damaged", "all bytes and finite symbols are needed")
        snr_db = _number(snr_db)
        noise = 10 ** (-snr_db / 10) / 2 * header.factor**2
        classes = self._map.decode(side[HEADER_BYTES:], header.shape)
        gains = gain_map(self._variances, classes, 2 * received.size, header.design_db)
        code = np.zeros((CHANNELS, rows, columns), np.float32)
        pairs = received.astype(np.complex64) * np.float32(header.factor)
        code[gains > 0] = np.stack([pairs.real, pairs.imag], 1).reshape(-1)
        with torch.inference_mode():
            given = (torch.from_numpy(array)[None] for array in (code, classes, gains))
            noises = torch.tensor([noise], dtype=torch.float32)
            planes = self.decoder(*given, noises, *_condition(received.size, places, snr_db))[0]
        pixels = (planes.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        return np.ascontiguousarray(pixels[: header.height, : header.width])


def symbols_of(cbr: Fraction, height: int, width: int) -> int:
    """Complex channel uses of a picture at a rate: floor(CBR * 3 H W), of the picture itself, not of the padded one."""
    return int(cbr * 3 * height * width)


def load_photo_codec(folder: Path | None = None, threads: int = 1) -> PhotoCodec:
    """Read the codec, by default the shipped one: weights are kept in 8 bits and computed with in float32.

    Args:
        folder: Of weights and card.
        threads: Of torch; results of different numbers may differ in the last bits.

    Raises:
        Missing: No card or weights; the hint is the command that trains it.
        BadInput: They cannot be read.
    """
    card = read_card(folder or FOLDER, recipe=RECIPE)  # an absent card is told first
    torch.set_num_threads(threads)
    tables = load_file(checked(card, TABLES))
    halves = (_half(card, "encoder", Encoder(), tables["variances"]), _half(card, "decoder", Decoder(), tables["variances"]))
    return PhotoCodec(*halves, tables["odds"].numpy(), card)


def _half(card: Card, part: str, network: Half, variances: Tensor) -> Half:
    network.load_state_dict(dequantise(load_file(checked(card, f"{part}.safetensors"))))
    network.variances.copy_(variances)
    return network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _condition(symbols: int, places: int, snr_db: float) -> tuple[Tensor, Tensor]:
    """Mean real values a block and SNR, each of shape (1,)."""
    return torch.tensor([2.0 * symbols / places]), torch.tensor([snr_db], dtype=torch.float32)


def _number(snr_db: float) -> float:
    """An SNR within what a header can tell."""
    if np.isnan(snr_db):
        raise BadInput("photograph codec: snr_db is not a number", "give an estimate of Es/N0 in dB")
    return min(max(snr_db, float(LEAST_DESIGN_DB)), float(MOST_DESIGN_DB))
