"""What stands still in a clip: its pixels, learned from frames and from where things moved, and which tracks belong to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..models.roles import Box
from ..scenes.draw import Pixels
from .tracking import Track

STILL_PX = 2.0
"""A track whose centre stays within so many pixels stands still."""
RIM_PX = 2
"""Pixels around a box that are not trusted to show the background."""
CHANGED = 10.0
"""Mean difference of pixel values in a box by which a thing is not (or no longer) what the background shows."""


@dataclass(frozen=True)
class Background:
    """uint8 RGB (side, side, 3), and where (side, side) it has been seen free of moving things."""

    picture: Pixels
    seen: np.ndarray


def still(track: Track) -> bool:
    """Whether a track stays where it is."""
    columns = [box.cx for box in track.places.values()]
    rows = [box.cy for box in track.places.values()]
    return max(columns) - min(columns) <= STILL_PX and max(rows) - min(rows) <= STILL_PX


def background_of(frames: Pixels, tracks: Sequence[Track]) -> Background:
    """The median over time of each pixel where no moving thing covers it; where one always does, the nearest pixel that has one.

    Args:
        frames: uint8 (N, side, side, 3).
        tracks: In pixels of these frames; those that move are what covers.
    """
    from scipy import ndimage

    count, side = len(frames), frames.shape[1]
    covered = np.zeros((count, side, side), dtype=bool)
    for track in tracks:
        if not still(track):
            for frame, box in track.places.items():
                covered[(frame, *window(box, side, RIM_PX))] = True
    seen = np.asarray(~covered.all(axis=0))
    values = np.where(covered[..., None] & seen[None, :, :, None], np.nan, frames)
    free = np.nanmedian(values, axis=0)
    if seen.any() and not seen.all():
        rows, columns = ndimage.distance_transform_edt(~seen, return_distances=False, return_indices=True)
        free = free[rows, columns]
    return Background(np.asarray(np.round(free), dtype=np.uint8), seen)


def merged(old: Background, new: Background) -> Background:
    """What is known with a further clip: ``new`` where it saw the background, else ``old``."""
    picture = np.where((new.seen | ~old.seen)[..., None], new.picture, old.picture)
    return Background(np.asarray(picture, dtype=np.uint8), old.seen | new.seen)


def shows(picture: Pixels, frame: Pixels, box: Box) -> bool:
    """Whether a picture shows within a box what a frame shows."""
    place = window(box, frame.shape[0])
    return float(np.abs(picture[place].astype(int) - frame[place].astype(int)).mean()) <= CHANGED


def window(box: Box, side: int, rim: int = 0) -> tuple[slice, slice]:
    """Rows and columns of a box, with a rim, cut to the picture; at least one pixel."""

    def span(centre: float, size: float) -> slice:
        start = min(max(int(np.floor(centre - size / 2 + 0.5)) - rim, 0), side - 1)
        return slice(start, max(min(int(np.floor(centre + size / 2 + 0.5)) + rim, side), start + 1))

    return span(box.cy, box.height), span(box.cx, box.width)
