"""What is told of a page of digits: the labels, then layers of latents, each of them bits of their own.

A layer of a page is one message, so that its checksum and its code block are shared by the page's digits. Whoever has a layer can
use it whatever came of the others.
"""

from dataclasses import dataclass

import numpy as np

from ....bus.errors import BadInput
from ...bits import BitReader, BitWriter
from .data import CLASSES
from .quantiser import quantise, restore

LABEL_BITS = 4


@dataclass(frozen=True)
class Layer:
    """Some of the latents: how many, and the bits of each."""

    name: str
    latents: int
    bits: int


LAYERS = (Layer("base", 4, 4), Layer("style", 4, 3), Layer("detail", 8, 2), Layer("full", 8, 1))
"""From coarse to fine; bits by what they are worth on the validation pictures."""
LATENTS = sum(layer.latents for layer in LAYERS)
PARTS = ("label", *(layer.name for layer in LAYERS))
"""Names of all that may be sent, from coarse to fine."""


def bits_of(part: int) -> int:
    """Bits of one digit's share of part 0 (label) to ``len(LAYERS)``."""
    return LABEL_BITS if part == 0 else LAYERS[part - 1].latents * LAYERS[part - 1].bits


def place(part: int) -> slice:
    """Where the latents of part 1 to ``len(LAYERS)`` lie."""
    start = sum(layer.latents for layer in LAYERS[: part - 1])
    return slice(start, start + LAYERS[part - 1].latents)


def write_labels(labels: np.ndarray) -> bytes:
    """Part 0 of a page: `labels` of 0 to 9, ``(digits,)``."""
    writer = BitWriter()
    for label in labels:
        writer.write(int(label), LABEL_BITS)
    return writer.bytes()


def read_labels(raw: bytes, digits: int) -> np.ndarray:
    """Labels ``(digits,)`` of part 0.

    Raises:
        BadInput: Too short, or a label that there is not.
    """
    reader = BitReader(raw)
    labels = np.array([reader.read(LABEL_BITS) for _ in range(digits)], np.int64)
    if (labels >= CLASSES).any():
        raise BadInput(f"a label of {int(labels.max())}", f"labels are 0 to {CLASSES - 1}")
    return labels


def write_layer(latents: np.ndarray, part: int) -> bytes:
    """Part 1 or more of a page, from all latents ``(digits, LATENTS)`` of unit deviation."""
    layer, writer = LAYERS[part - 1], BitWriter()
    for cell in quantise(latents[:, place(part)], layer.bits).ravel():
        writer.write(int(cell), layer.bits)
    return writer.bytes()


def read_layer(raw: bytes, part: int, digits: int) -> np.ndarray:
    """The layer's latents as told, ``(digits, layer.latents)``.

    Raises:
        BadInput: Too short.
    """
    layer, reader = LAYERS[part - 1], BitReader(raw)
    cells = [reader.read(layer.bits) for _ in range(digits * layer.latents)]
    return restore(np.array(cells, np.int64), layer.bits).reshape(digits, layer.latents)
