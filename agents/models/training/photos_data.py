"""Photographs of a folder as training data: which are held out (by content hash), and keyed batches of crops."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from ....bus import keys
from ....bus.errors import BadInput, Missing

log = logging.getLogger(__name__)

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
LEAST_SIDE = 256
HELD_OUT_BELOW = 26
"""A photograph whose SHA-256 starts with a byte below this is held out: one in ten."""
MOST_PIXELS = 400_000_000
"""Photographs are kept in memory, 3 bytes a pixel."""
ZOOM = 1.6


@dataclass(frozen=True)
class Photo:
    """One photograph: path below the folder, SHA-256 of the file in hex, and pixels (H, W, 3) uint8."""

    name: str
    sha256: str
    pixels: np.ndarray

    @property
    def held_out(self) -> bool:
        """Whether it is kept for validation; a property of the bytes, so a copy of the file falls on the same side."""
        return bytes.fromhex(self.sha256)[0] < HELD_OUT_BELOW


def read_photos(folder: Path | None) -> list[Photo]:
    """All photographs below `folder` of at least 256 pixels a side, in order of their hashes; a second copy is left out.

    Raises:
        Missing: No folder was given, or it does not exist.
        BadInput: Fewer than ten photographs for training, none held out, or too many pixels for the memory.
    """
    hint = "give a folder of pictures: semcast train jscc-photos --photos DIR"
    if folder is None or not folder.is_dir():
        raise Missing("photographs are needed and " + (f"{folder} is no folder" if folder else "none were given"), hint)
    found: dict[str, Photo] = {}
    pixels = 0
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES):
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        try:
            with Image.open(path) as picture:
                array = np.asarray(picture.convert("RGB"))
        except (OSError, UnidentifiedImageError) as error:
            log.warning("%s is left out: %s", path, error)
            continue
        if min(array.shape[:2]) < LEAST_SIDE or sha256 in found:
            continue
        pixels += array.shape[0] * array.shape[1]
        if pixels > MOST_PIXELS:
            raise BadInput(f"{folder} holds more than {MOST_PIXELS // 10**6} million pixels", "give a part of them")
        found[sha256] = Photo(path.relative_to(folder).as_posix(), sha256, array)
    photos = [found[sha256] for sha256 in sorted(found)]
    held_out = sum(photo.held_out for photo in photos)
    if len(photos) - held_out < 10 or not held_out:
        raise BadInput(f"{folder} has {len(photos)} usable photographs, {held_out} of them held out by hash", hint)
    return photos


def crops(photos: list[Photo], groups: int, tiles: int, side: int, *key: keys.Key) -> tuple[np.ndarray, list[int]]:
    """Random crops: (groups * tiles, side, side, 3) uint8, and which photograph the tiles of each group come from.

    Mirrored in one case of two, transposed in one of four, and in one group of three seen from up to 1.6 times as far.

    Args:
        photos: To draw from, each at least as large as a crop.
        groups: Photographs drawn.
        tiles: Crops of each.
        side: Pixels.
        key: Of the draw.
    """
    rng = keys.generator("photos", "crops", *key)
    rows, drawn = [], []
    for _ in range(groups):
        drawn.append(int(rng.integers(len(photos))))
        pixels = photos[drawn[-1]].pixels
        zoom = float(rng.uniform(1, ZOOM)) if rng.random() < 1 / 3 else 1.0
        reach = min(round(side * zoom), *pixels.shape[:2])
        for _ in range(tiles):
            top, left = (int(rng.integers(size - reach + 1)) for size in pixels.shape[:2])
            crop = pixels[top : top + reach, left : left + reach]
            if reach != side:
                crop = np.asarray(Image.fromarray(crop).resize((side, side), Image.Resampling.BICUBIC))
            crop = crop[:, ::-1] if rng.random() < 0.5 else crop
            rows.append(crop.transpose(1, 0, 2) if rng.random() < 0.25 else crop)
    return np.stack(rows), drawn


def block_statistics(photos: list[Photo], keep: int, side: int = 16) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Principal components of all ``side x side`` blocks, values in [-0.5, 0.5], order (row, column, colour).

    Returns:
        axes (keep, 3 side^2), variances (keep,) falling, mean (3 side^2,). The sign of an axis makes its largest value positive.
    """
    size = 3 * side * side
    count, total, products = 0, np.zeros(size), np.zeros((size, size))
    for photo in photos:
        h, w = (n // side * side for n in photo.pixels.shape[:2])
        blocks = photo.pixels[:h, :w].reshape(h // side, side, w // side, side, 3).transpose(0, 2, 1, 3, 4).reshape(-1, size)
        values = blocks.astype(np.float64) / 255 - 0.5
        count, total, products = count + len(values), total + values.sum(0), products + values.T @ values
    mean = total / count
    variances, axes = np.linalg.eigh(products / count - np.outer(mean, mean))
    axes = axes[:, ::-1][:, :keep].T
    peaks = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)
    return axes * np.sign(peaks), variances[::-1][:keep].copy(), mean
