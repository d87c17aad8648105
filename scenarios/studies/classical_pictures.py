"""Pictures that classical codecs can be compared on: mosaics of the scene world, or the user's own photographs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...agents.models.cards import read_card
from ...agents.models.codecs.photo import FOLDER, RECIPE
from ...agents.scenes.draw import draw
from ...agents.scenes.world import make_scene
from ...bus.errors import BadInput
from ..evaluations.jscc import check_size, picture_paths, read_picture, unseen

TILES = 4
LEAST_SIDE = 256
"""Of a picture in pixels: at 64x64 a file's header alone may be more than the budget."""


def scenes(number: int, seed: int) -> list[np.ndarray]:
    """Single scenes, (64, 64, 3) uint8 RGB."""
    return [draw(make_scene(seed, "classical", "scene", i)) for i in range(number)]


def mosaics(number: int, seed: int) -> list[np.ndarray]:
    """Pictures of 4 x 4 scenes each, (256, 256, 3) uint8 RGB."""
    return [
        np.concatenate(
            [
                np.concatenate([draw(make_scene(seed, "classical", i, row, column)) for column in range(TILES)], 1)
                for row in range(TILES)
            ]
        )
        for i in range(number)
    ]


def photographs(folder: Path, number: int, most_side: int) -> list[np.ndarray]:
    """The first of a folder's pictures, by name, that the codec was not trained on: of each the middle.

    Raises:
        BadInput: Fewer than two of them have at least `LEAST_SIDE` pixels a side, or one cannot be read.
    """
    paths, _ = unseen(picture_paths(folder), read_card(FOLDER, recipe=RECIPE))
    found: list[np.ndarray] = []
    for path in paths:
        if len(found) == number:
            break
        check_size(path)
        picture = read_picture(path)
        if min(picture.shape[:2]) >= LEAST_SIDE:
            found.append(middle(picture, most_side))
    if len(found) < 2:
        hint = f"at least 2 photographs of {LEAST_SIDE} x {LEAST_SIDE} pixels or more are needed"
        raise BadInput(f"{folder} holds {len(found)} pictures that are large enough and that the codec was not trained on", hint)
    return found


def middle(picture: np.ndarray, most_side: int) -> np.ndarray:
    """The middle of a picture, (H, W, 3) with H, W at most ``most_side``; nothing is scaled."""
    top, left = (max(0, (side - most_side) // 2) for side in picture.shape[:2])
    return np.ascontiguousarray(picture[top : top + most_side, left : left + most_side])


def of_study(images: Path | None, number: int, most_side: int, seed: int) -> tuple[list[np.ndarray], str]:
    """The pictures of a study, and what they are."""
    if images is None:
        return mosaics(number, seed), "mosaics of 4 x 4 of our scenes, 256 x 256 pixels"
    found = photographs(images, number, most_side)
    return found, f"photographs, their middles of at most {most_side} x {most_side} pixels ({_sizes(found)})"


def _sizes(pictures: Sequence[np.ndarray]) -> str:
    pixels = sorted(picture.shape[0] * picture.shape[1] for picture in pictures)
    return f"{pixels[0]:,} to {pixels[-1]:,} pixels"
