"""Scene -> picture, in integer arithmetic, so that the bytes are the same on every computer."""

from functools import cache
from typing import Any

import numpy as np

from ...bus import keys
from ..models.roles import PICTURE_SIDE
from .sprites import sprite
from .vocabulary import BACKGROUNDS, COLOURS
from .world import Distractor, Scene, SceneObject

_GRAINS = 32
Ints = np.ndarray[Any, np.dtype[np.int32]]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def draw(scene: Scene) -> Pixels:
    """Draw a scene.

    Returns:
        uint8 RGB of shape (64, 64, 3); equal scenes give equal bytes on every computer.
    """
    canvas = _ground(scene.background, scene.texture)
    for spot in scene.distractors:
        _dab(canvas, spot)
    for thing in scene.objects:
        stamp(canvas, thing)
    return np.asarray(canvas, dtype=np.uint8)


def _ground(background: str, texture: int) -> Ints:
    """Base colour, grain and a gentle light that comes from one of four sides."""
    light = texture // _GRAINS % 25 - 12
    tilt = texture // (_GRAINS * 25) % 4
    ground = np.asarray(BACKGROUNDS[background], dtype=np.int32) + light
    canvas = ground + _grain(background, texture % _GRAINS)[:, :, None] + _tilt(tilt)[:, :, None]
    return np.asarray(np.clip(canvas, 0, 255), dtype=np.int32)


@cache
def _grain(background: str, index: int) -> Ints:
    """Coarse blotches plus a fine grain whose direction belongs to the background."""
    rng = keys.generator("scenes", "grain", background, index)
    coarse = np.repeat(np.repeat(rng.integers(-10, 11, (9, 9)), 8, axis=0), 8, axis=1)
    for axis in (0, 1):  # two box blurs of width 8 make the blotches soft
        total = np.cumsum(coarse, axis=axis)
        coarse = (np.take(total, range(8, 72), axis) - np.take(total, range(0, 64), axis)) // 8
    fine = rng.integers(-7, 8, (PICTURE_SIDE + 4, PICTURE_SIDE + 4))
    if background == "grass":  # upright blades
        fine = (fine[:-2] + fine[1:-1] + fine[2:]) // 2
    elif background == "street":  # level streaks
        fine = (fine[:, :-2] + fine[:, 1:-1] + fine[:, 2:]) // 3
    elif background == "snow":
        fine = fine // 3
    return np.asarray(coarse + fine[:PICTURE_SIDE, :PICTURE_SIDE], dtype=np.int32)


@cache
def _tilt(side: int) -> Ints:
    ramp = np.arange(PICTURE_SIDE, dtype=np.int32) * 20 // PICTURE_SIDE - 10
    field = np.broadcast_to(ramp, (PICTURE_SIDE, PICTURE_SIDE))
    return np.ascontiguousarray(np.rot90(field, side))


def _dab(canvas: Ints, spot: Distractor) -> None:
    view = canvas[spot.cy - spot.radius : spot.cy + spot.radius, spot.cx - spot.radius : spot.cx + spot.radius]
    view[:] = (view + 2 * np.asarray(spot.rgb, dtype=np.int32)) // 3


def stamp(canvas: Ints, thing: SceneObject) -> None:
    """Draw a thing, all of which lies on it, onto a canvas of int32 (height, width, 3)."""
    height, width = int(thing.height), int(thing.width)
    shares = sprite(thing.label, width, height, thing.flip, thing.marking)
    palette = _palette(thing)
    opacity = shares.sum(axis=-1)[:, :, None]
    light = (256 + 36 - 72 * np.arange(height, dtype=np.int32) // max(height - 1, 1))[:, None, None]
    colour = shares.reshape(-1, shares.shape[-1]).dot(palette).reshape(height, width, 3) * light >> 8
    view = canvas[thing.top : thing.top + height, thing.left : thing.left + width]
    view[:] = np.clip((view * (255 - np.minimum(opacity, 255)) + colour + 127) // 255, 0, 255)


def _palette(thing: SceneObject) -> Ints:
    """sRGB of body, shade, light, dark, glass and mark."""
    body = np.clip(np.asarray(COLOURS[thing.colour], dtype=np.int32) + np.asarray(thing.tint, dtype=np.int32), 0, 255)
    mark = np.asarray(COLOURS[thing.marking.colour], dtype=np.int32) if thing.marking else body
    dark = np.asarray((34, 30, 36), dtype=np.int32)
    glass = np.asarray((232, 240, 246), dtype=np.int32)
    return np.asarray(np.stack([body, body * 5 // 8, (body + 255) // 2, dark, glass, mark]), dtype=np.int32)
