"""From the class names of COCO to the network's words, and the colour of what is in a box."""

import numpy as np

from ...scenes.vocabulary import COLOURS

SAME: dict[str, str] = {"airplane": "plane", "sports ball": "ball", "potted plant": "flower", "motorbike": "motorcycle"}
"""COCO's name -> the word of the scene world for it. All other names stay as they are: a label is any text, and one that is not a
class of the scene world is spelled on the air."""
_PALETTE = np.array(list(COLOURS.values()), np.float64)


def label_of(name: str) -> str:
    """The label for a class name of a detector; empty for the gaps in COCO's numbering."""
    word = " ".join(name.lower().split())
    return "" if word == "n/a" else SAME.get(word, word)


def colour_of(pixels: np.ndarray, cx: float, cy: float, width: float, height: float) -> str:
    """The named colour nearest to the median of the box's inner half (squared distance in sRGB).

    Args:
        pixels: uint8 (height, width, 3).
        cx: Centre, in pixels; likewise `cy`.
        width: Of the box, in pixels; likewise `height`.
    """
    rows, columns = pixels.shape[:2]
    left, right = _span(cx, width, columns)
    top, bottom = _span(cy, height, rows)
    middle = np.median(pixels[top:bottom, left:right].reshape(-1, 3).astype(np.float64), axis=0)
    return list(COLOURS)[int(((_PALETTE - middle) ** 2).sum(axis=1).argmin())]


def _span(centre: float, size: float, limit: int) -> tuple[int, int]:
    first = min(max(round(centre - size / 4), 0), limit - 1)
    return first, min(max(round(centre + size / 4), first + 1), limit)
