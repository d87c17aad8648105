"""The photograph codec: a picture of any size and a budget of complex symbols give symbols of unit power, and back.

One encoder and one decoder serve every rate from CBR 1/48 to 1/6 and every SNR. The coefficients of a picture are ordered by
worth; ``symbols`` of them are sent, a prefix. A picture is always computed alone, so nothing depends on its companions.
Picture size, rate and scale go to the receiver as a `Header` of 41 bits over a coded link; whoever compares must charge it.
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
from ...bits import BitReader, BitWriter
from ..cards import Card, checked, read_card
from ..loading import WEIGHTS
from .photo_network import CHANNELS, RATE_NODES, SNR_NODES_DB, STRIDE, Decoder, Encoder
from .quantised import dequantise

FOLDER = WEIGHTS / "jscc_photos"
RECIPE = "jscc-photos"
MOST_SIDE = (1 << 13) - 1
FEWEST_PAIRS, MOST_PAIRS = RATE_NODES[0] // 2, CHANNELS // 2
"""Complex symbols a 16x16 block, 16 to 128: CBR 1/48 to 1/6."""
SCALE_STEP_DB = 0.1
HEADER_BITS = 41
Half = TypeVar("Half", Encoder, Decoder)


@dataclass(frozen=True)
class Header:
    """What the receiver must know besides the symbols; 41 bits on the air.

    Attributes:
        height: Of the picture in pixels, 13 bits.
        width: Likewise.
        pairs: Complex symbols a 16x16 block, 7 bits; the last of them may be cut off part of the way through the blocks.
        scale: The power that was taken out by the normalisation, in steps of 0.1 dB from -12.8 dB, 8 bits.
    """

    height: int
    width: int
    pairs: int
    scale: int

    @property
    def places(self) -> int:
        """16x16 blocks of the padded picture."""
        return -(-self.height // STRIDE) * -(-self.width // STRIDE)

    @property
    def factor(self) -> float:
        """What the receiver multiplies unit-power symbols by."""
        return float(10 ** ((self.scale - 128) * SCALE_STEP_DB / 20))

    def to_bytes(self) -> bytes:
        """As sent: 41 bits, filled up to 6 bytes."""
        writer = BitWriter()
        for value, bits in zip((self.height, self.width, self.pairs - 1, self.scale), (13, 13, 7, 8), strict=True):
            writer.write(value, bits)
        return writer.bytes()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Header":
        """The header that was sent.

        Raises:
            BadInput: Too few bytes, or a picture without pixels.
        """
        reader = BitReader(raw)
        height, width, pairs, scale = (reader.read(bits) for bits in (13, 13, 7, 8))
        if not height or not width:
            raise BadInput(f"a header of a picture of {width} x {height} pixels", "its bits were damaged")
        return cls(height, width, pairs + 1, scale)


@dataclass(frozen=True)
class Sent:
    """A coded picture: its header and complex64 ``symbols`` (n,) of unit average power."""

    header: Header
    symbols: np.ndarray


class PhotoCodec:
    """Both halves.

    Args:
        encoder: In eval mode.
        decoder: In eval mode.
        card: Of the weights, if they are read from a folder.
    """

    def __init__(self, encoder: Encoder, decoder: Decoder, card: Card | None = None) -> None:
        self.encoder, self.decoder, self.card = encoder, decoder, card

    def encode(self, picture: np.ndarray, symbols: int, snr_db: float) -> Sent:
        """Encode one picture into exactly `symbols` complex channel uses.

        Args:
            picture: (height, width, 3) uint8 RGB; sides that 16 does not divide are filled up with their last row or column.
            symbols: 16 to 128 a 16x16 block; `symbols_of` gives the number for a CBR.
            snr_db: What the sender believes of Es/N0, in dB.

        Raises:
            BadInput: Not such a picture, or a number of symbols out of range.
        """
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or not picture.size:
            raise BadInput(f"a picture of shape {picture.shape} and type {picture.dtype}", "uint8 RGB, (height, width, 3)")
        height, width = picture.shape[:2]
        if max(height, width) > MOST_SIDE:
            raise BadInput(f"a picture of {width} x {height} pixels", f"at most {MOST_SIDE} a side: cut it or scale it down")
        places = -(-height // STRIDE) * -(-width // STRIDE)
        pairs = -(-symbols // places)
        if not FEWEST_PAIRS <= pairs <= MOST_PAIRS:
            least, most = (FEWEST_PAIRS - 1) * places + 1, MOST_PAIRS * places
            hint = f"the codec makes {least} to {most}: CBR 1/48 to 1/6"
            raise BadInput(f"{symbols} symbols for {width} x {height} pixels", hint)
        padded = np.pad(picture, ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0)), mode="edge")
        planes = torch.from_numpy(padded.astype(np.float32) / 255).permute(2, 0, 1)[None]
        with torch.inference_mode():
            code = self.encoder(planes, *_condition(pairs, snr_db))[0]
        flat = to_symbols(code)[:symbols]
        power = float(np.mean(np.abs(flat.astype(np.complex128)) ** 2))
        scale = 128 + round(10 * log10(max(power, 1e-9)) / SCALE_STEP_DB)
        return Sent(Header(height, width, pairs, min(max(scale, 0), 255)), unit_power(flat))

    def decode(self, header: Header, received: np.ndarray, snr_db: float) -> np.ndarray:
        """Decode one picture.

        Args:
            header: As it was sent.
            received: Complex symbols after equalisation, in the order sent; those not sent are no part of it.
            snr_db: The receiver's own estimate of Es/N0 after equalisation, in dB.

        Returns:
            (height, width, 3) uint8 RGB.

        Raises:
            BadInput: A number of symbols that the header does not allow, or a SNR of NaN.
        """
        if -(-received.size // header.places) != header.pairs:
            raise BadInput(
                f"{received.size} symbols received, and the header says {header.pairs} for each of {header.places} blocks"
            )
        if np.isnan(snr_db):
            raise BadInput("photograph codec: snr_db is not a number", "give the receiver's estimate of Es/N0 in dB")
        rows, columns = -(-header.height // STRIDE), -(-header.width // STRIDE)
        code = from_symbols(received.astype(np.complex64) * np.float32(header.factor), rows, columns)
        with torch.inference_mode():
            planes = self.decoder(code[None], *_condition(header.pairs, snr_db))[0]
        pixels = (planes.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        return np.ascontiguousarray(pixels[: header.height, : header.width])


def to_symbols(code: Tensor) -> np.ndarray:
    """(CHANNELS, h, w) -> complex64 (n,): channels 2i, 2i + 1 are I, Q; all places of a pair, then the next.

    So a prefix holds the pairs of most worth.
    """
    values = code.float().contiguous().numpy()
    return np.asarray((values[0::2] + 1j * values[1::2]).astype(np.complex64).reshape(-1))


def from_symbols(symbols: np.ndarray, rows: int, columns: int) -> Tensor:
    """Undo `to_symbols` for a prefix of the symbols; what was not sent is zero. -> (CHANNELS, rows, columns)."""
    full = np.zeros(CHANNELS // 2 * rows * columns, np.complex64)
    full[: symbols.size] = symbols
    planes = full.reshape(CHANNELS // 2, rows, columns)
    return torch.from_numpy(np.stack([planes.real, planes.imag], 1).reshape(CHANNELS, rows, columns))


def symbols_of(cbr: Fraction, height: int, width: int) -> int:
    """Complex channel uses of a picture at a rate: floor(CBR * 3 H W), of the picture itself, not of the padded one."""
    return int(cbr * 3 * height * width)


def load_photo_codec(folder: Path | None = None, threads: int = 1) -> PhotoCodec:
    """Read the codec, by default the shipped one: weights are float16 on disk and computed with in float32.

    Args:
        folder: Of weights and card.
        threads: Of torch; results of different numbers may differ in the last bits.

    Raises:
        Missing: No card or weights; the hint is the command that trains it.
        BadInput: They cannot be read.
    """
    card = read_card(folder or FOLDER, recipe=RECIPE)  # an absent card is told first
    torch.set_num_threads(threads)
    return PhotoCodec(_half(card, "encoder", Encoder()), _half(card, "decoder", Decoder()), card)


def _half(card: Card, part: str, network: Half) -> Half:
    network.load_state_dict(dequantise(load_file(checked(card, f"{part}.safetensors"))))
    return network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _condition(pairs: int, snr_db: float) -> tuple[Tensor, Tensor]:
    """Rate in real values a position and SNR, each of shape (1,); an estimate outside the trained range counts as its end."""
    clipped = min(max(snr_db, SNR_NODES_DB[0]), SNR_NODES_DB[-1])
    return torch.tensor([2.0 * pairs]), torch.tensor([clipped], dtype=torch.float32)
