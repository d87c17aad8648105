"""What a receiver of a photograph is told in coded bits: size, scale, design SNR and the class of every block."""

from dataclasses import dataclass
from math import ceil

import constriction
import numpy as np

from ....bus.errors import BadInput
from ...bits import BitReader, BitWriter
from .photo_plan import CLASSES

STRIDE = 16
"""Side in pixels of a block."""
MOST_SIDE = (1 << 13) - 1
FIELDS = (13, 13, 10, 6, 16)
"""Bits of the header's fields."""
HEADER_BITS = sum(FIELDS)
HEADER_BYTES = ceil(HEADER_BITS / 8)
WORD_BYTES = 4
LEAST_DESIGN_DB, MOST_DESIGN_DB = -20, 43
SCALE_STEP_DB = 0.1
MIDDLE_SCALE, MOST_SCALE = 700, 1023


@dataclass(frozen=True)
class Header:
    """The first 58 bits.

    Attributes:
        height: Of the picture in pixels, 13 bits.
        width: Likewise.
        scale: The power that was taken out by the normalisation, in steps of 0.1 dB from -70 to 32.3 dB, 10 bits: an even
            picture has far less than its plan.
        design_db: The Es/N0 that the sender planned for, in whole dB from -20 to 43, 6 bits.
        words: How many 32-bit words of classes follow, 16 bits.
    """

    height: int
    width: int
    scale: int
    design_db: int
    words: int

    @property
    def shape(self) -> tuple[int, int]:
        """Blocks down and across, of the picture filled up to whole ones."""
        return ceil(self.height / STRIDE), ceil(self.width / STRIDE)

    @property
    def factor(self) -> float:
        """What the receiver multiplies unit-power symbols by."""
        return float(10 ** ((self.scale - MIDDLE_SCALE) * SCALE_STEP_DB / 20))

    def to_bytes(self) -> bytes:
        """As sent."""
        writer = BitWriter()
        fields = (self.height, self.width, self.scale, self.design_db - LEAST_DESIGN_DB, self.words)
        for value, bits in zip(fields, FIELDS, strict=True):
            writer.write(value, bits)
        return writer.bytes()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Header":
        """The header that was sent.

        Raises:
            BadInput: Too few bytes, or a picture without pixels.
        """
        reader = BitReader(raw[:HEADER_BYTES])
        height, width, scale, design, words = (reader.read(bits) for bits in FIELDS)
        if not height or not width:
            raise BadInput(f"a header of a picture of {width} x {height} pixels", "its bits were damaged")
        return cls(height, width, scale, design + LEAST_DESIGN_DB, words)


class ClassMap:
    """Codes the classes of a picture's blocks, each by how likely it is after the blocks to the left and above (range coding).

    Args:
        odds: (CLASSES, CLASSES, CLASSES) positive: of left, above and here. Beyond the edge counts as class 0.
    """

    def __init__(self, odds: np.ndarray) -> None:
        self._odds = odds.astype(np.float32)
        self._models = [[constriction.stream.model.Categorical(row, perfect=False) for row in rows] for rows in self._odds]

    def encode(self, classes: np.ndarray) -> bytes:
        """(h, w) integers -> whole 32-bit words, about 2 bits a block of a photograph."""
        left = np.pad(classes, ((0, 0), (1, 0)))[:, :-1]
        above = np.pad(classes, ((1, 0), (0, 0)))[:-1]
        encoder = constriction.stream.queue.RangeEncoder()
        family = constriction.stream.model.Categorical(perfect=False)
        encoder.encode(classes.ravel().astype(np.int32), family, self._odds[left.ravel(), above.ravel()])
        return bytes(encoder.get_compressed().astype("<u4").tobytes())

    def decode(self, raw: bytes, shape: tuple[int, int]) -> np.ndarray:
        """Undo `encode`. Damaged bytes give other classes, or are refused.

        Raises:
            BadInput: Not whole words, or none that `encode` writes.
        """
        if len(raw) % WORD_BYTES:
            raise BadInput(f"{len(raw)} bytes of block classes", f"they come in words of {WORD_BYTES} bytes")
        decoder = constriction.stream.queue.RangeDecoder(np.frombuffer(raw, "<u4").astype(np.uint32))
        found = np.zeros((shape[0] + 1, shape[1] + 1), np.int64)  # a row and a column of class 0 before the first
        for row in range(1, shape[0] + 1):
            for column in range(1, shape[1] + 1):
                odds = self._models[found[row, column - 1]][found[row - 1, column]]
                try:
                    found[row, column] = decoder.decode(odds)
                except AssertionError as error:  # how the range decoder says that no encoder wrote these words
                    raise BadInput(f"the classes of the blocks are damaged: {error}", "its bits were damaged") from None
        return found[1:, 1:]


def succession_odds(maps: list[np.ndarray]) -> np.ndarray:
    """How likely a class is after left and above, from maps of classes: counts, smoothed by those after one neighbour alone.

    Returns:
        (CLASSES, CLASSES, CLASSES) float32 of left, above, here; the last axis sums to 1.
    """
    counts = np.zeros((CLASSES, CLASSES, CLASSES))
    for classes in maps:
        left = np.pad(classes, ((0, 0), (1, 0)))[:, :-1]
        above = np.pad(classes, ((1, 0), (0, 0)))[:-1]
        np.add.at(counts, (left, above, classes), 1)
    alone = counts.sum((0, 1)) + 1
    alone /= alone.sum()
    after_left, after_above = (_smoothed(counts.sum(axis), 2 * alone) for axis in (1, 0))
    both = after_left[:, None] * after_above[None] / alone
    return _smoothed(counts, 4 * both / both.sum(-1, keepdims=True)).astype(np.float32)


def _smoothed(counts: np.ndarray, prior: np.ndarray) -> np.ndarray:
    total = counts + prior
    return np.asarray(total / total.sum(-1, keepdims=True))
