"""What moves in clips of which no model knows the classes: regions that differ from what stands still."""

import numpy as np

from ..models.roles import PICTURE_SIDE, Box
from ..scenes.draw import Pixels

DIFFERS = 22.0
"""Difference to the background, mean over R, G and B, smoothed over 3x3 pixels, from which a pixel is of something that moves."""
LEAST_SHARE = 0.004
"""Of the picture's area: smaller regions are noise."""
MERGE_PX = 2
"""Regions this near (pixels of 64) are one thing."""


def moving_boxes(frames: Pixels, background: Pixels) -> list[list[Box]]:
    """Boxes of moving regions, frame by frame, without class or colour, in pixels of a picture of 64; largest first.

    Args:
        frames: uint8 (N, side, side, 3).
        background: uint8 (side, side, 3), for instance the median of a longer stretch of the clip.
    """
    return [_boxes(frame, background) for frame in frames]


def _boxes(frame: Pixels, background: Pixels) -> list[Box]:
    from scipy import ndimage

    side = frame.shape[0]
    scale = side / PICTURE_SIDE
    apart = np.abs(frame.astype(float) - background.astype(float)).mean(axis=2)
    moving = ndimage.uniform_filter(apart, max(round(scale), 1) * 2 + 1) > DIFFERS
    joined = ndimage.binary_dilation(moving, iterations=max(round(MERGE_PX * scale / 2), 1))
    regions, _ = ndimage.label(joined)
    boxes = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(regions), start=1):
        inside = moving[rows, columns] & (regions[rows, columns] == number)
        if inside.sum() < LEAST_SHARE * side * side:
            continue
        ys, xs = np.nonzero(inside)
        top, bottom, left, right = ys.min(), ys.max() + 1, xs.min(), xs.max() + 1
        cx, cy = (columns.start + (left + right) / 2) / scale, (rows.start + (top + bottom) / 2) / scale
        boxes.append(Box("", "", float(cx), float(cy), float((right - left) / scale), float((bottom - top) / scale), 1.0))
    return sorted(boxes, key=lambda box: (-box.width * box.height, box.cx, box.cy))
