"""Classes of blocks of photographs: their variances, how often each occurs in a photograph, and which follows which."""

import numpy as np

from ....bus import keys
from ..codecs.photo_plan import CHANNELS, CLASSES, nearest_class
from .photos_data import Photo

BLOCKS = 400
"""Taken of each photograph to find the classes."""
ROUNDS = 30
BACKGROUND = 0.002
"""Share of the variance over all blocks that every class has: no class is surprised by anything."""


def coefficients(photo: Photo, axes: np.ndarray, mean: np.ndarray, side: int = 16) -> np.ndarray:
    """(blocks down, blocks across, axes) of a photograph, cut to whole blocks."""
    h, w = (n // side for n in photo.pixels.shape[:2])
    blocks = photo.pixels[: h * side, : w * side].reshape(h, side, w, side, 3).transpose(0, 2, 1, 3, 4).reshape(h, w, -1)
    return (blocks.astype(np.float32) / 255 - 0.5 - mean.astype(np.float32)) @ axes.T.astype(np.float32)


def find_classes(photos: list[Photo], axes: np.ndarray, mean: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Variances of classes, found by turns as of a mixture of Gaussians with hard choice (k-means by likelihood).

    Args:
        photos: To learn from.
        axes: (CHANNELS, 768).
        mean: (768,).
        variances: (CHANNELS,) over all blocks.

    Returns:
        (CLASSES, CHANNELS) float32; class 0 is the smoothest.
    """
    drawn = []
    for photo in photos:
        flat = coefficients(photo, axes, mean).reshape(-1, CHANNELS)
        drawn.append(flat[keys.generator("photos", "classes", photo.sha256).permutation(len(flat))[:BLOCKS]])
    values = np.concatenate(drawn)
    energy = np.square(values[:, 3:]).sum(1)
    labels = np.argsort(np.argsort(energy)) * CLASSES // len(energy)
    for _ in range(ROUNDS):
        members = [values[labels == one] for one in range(CLASSES)]
        found = np.stack([np.square(rows).mean(0) if len(rows) else variances for rows in members])
        table = np.asarray((1 - BACKGROUND) * found + BACKGROUND * variances, np.float32)
        labels = nearest_class(values, table)
    return table[np.argsort(table[:, 3:].sum(1), kind="stable")]


def classify(photo: Photo, axes: np.ndarray, mean: np.ndarray, table: np.ndarray) -> np.ndarray:
    """The class of every block of a photograph, (blocks down, blocks across) int64."""
    found = coefficients(photo, axes, mean)
    return nearest_class(found.reshape(-1, CHANNELS), table).reshape(found.shape[:2])
