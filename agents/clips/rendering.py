"""Frames from a video prompt and what the receiver knows: a background and cut-outs, or a map with a sign for each class."""

from collections.abc import Mapping

import numpy as np
from PIL import Image

from ..models.roles import PICTURE_SIDE, Box
from ..scenes.draw import Pixels, draw, stamp
from ..scenes.vocabulary import COLOUR_NAMES, LABELS
from ..scenes.world import Scene, SceneObject
from .prompt import ClipPromptContent, Told, courses_of

GREY = 128


def frames_of(content: ClipPromptContent, background: Pixels, looks: Mapping[int, Pixels]) -> Pixels:
    """Draw what a prompt tells.

    Args:
        content: The prompt, decoded.
        background: uint8 (side, side, 3) of the receiver's KB; places are scaled from 64 pixels to its side.
        looks: Number -> RGBA cut-out of its KB; a thing without one is drawn as the sign of its class.

    Returns:
        uint8 (frames, side, side, 3); things with the lowest lower edge in front.
    """
    side = background.shape[0]
    frames = np.repeat(background[None], content.frames, axis=0)
    courses = courses_of(content)
    for number in range(content.frames):
        here = [(thing, boxes[number]) for thing, boxes in courses if number in boxes]
        for thing, box in sorted(here, key=lambda entry: entry[1].cy + entry[1].height / 2):
            look = looks.get(thing.look)
            if look is None:
                look = sign(thing, side)
            if look is not None:
                paste(frames[number], look, box, side / PICTURE_SIDE)
    return frames


def sign(thing: Told, side: int) -> Pixels | None:
    """A class's sign (RGBA), from the general knowledge of every receiver; none for what has no class."""
    if thing.label not in LABELS:
        return None
    width, height = min(thing.width, float(side)), min(thing.height, float(side))
    colour = thing.colour if thing.colour in COLOUR_NAMES else "white"
    drawn = []
    for ground in (0, 255):
        canvas = np.full((int(height), int(width), 3), ground, dtype=np.int32)
        stamp(canvas, SceneObject(thing.label, colour, width / 2, height / 2, width, height))
        drawn.append(canvas)
    black, white = drawn
    opacity = 255 - np.clip((white - black).mean(axis=2), 0, 255)
    colours = np.clip(black * 255 / np.maximum(opacity, 1)[..., None], 0, 255)
    return np.asarray(np.dstack([np.round(colours), np.round(opacity)]), dtype=np.uint8)


def paste(frame: Pixels, look: Pixels, box: Box, scale: float = 1.0) -> None:
    """Lay a cut-out into a frame, in place, stretched to its box; what lies outside the frame is cut off."""
    side = frame.shape[0]
    wide, high = max(round(box.width * scale), 1), max(round(box.height * scale), 1)
    if look.shape[:2] != (high, wide):
        look = np.asarray(Image.fromarray(look, "RGBA").resize((wide, high), Image.Resampling.BILINEAR))
    left, top = (int(np.floor(scale * centre - size / 2 + 0.5)) for centre, size in ((box.cx, wide), (box.cy, high)))
    x, y = max(left, 0), max(top, 0)
    xx, yy = min(left + wide, side), min(top + high, side)
    if x >= xx or y >= yy:
        return
    part = look[y - top : yy - top, x - left : xx - left].astype(np.float64)
    opacity = part[..., 3:] / 255
    frame[y:yy, x:xx] = np.round(opacity * part[..., :3] + (1 - opacity) * frame[y:yy, x:xx])


def road_map() -> Pixels:
    """The map that every receiver of a street's prompts has: an empty street."""
    return draw(Scene("street", (), 12 * 32))


def grey(side: int = PICTURE_SIDE) -> Pixels:
    """What a receiver draws on that knows no background."""
    return np.full((side, side, 3), GREY, dtype=np.uint8)
