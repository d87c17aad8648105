"""The shapes of the object classes: role maps drawn once, large, and reduced to the size that is asked for.

A sprite's pixel is shared among roles (body, shade, light, dark, glass, mark); `draw` gives every role its colour.
Only Pillow's integer arithmetic is used, so that sprites are the same bytes on every computer.
"""

import math
from functools import cache, lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .vocabulary import Marking

BODY, SHADE, LIGHT, DARK, GLASS, MARK = range(1, 7)
ROLES = 6
_CANVAS = 200  # shapes are given in per cent of this; about ten times the drawn size, so that reduction antialiases

Shape = tuple[str, int, tuple[float, ...]]


def _line(role: int, width: float, *points: float) -> Shape:
    return ("line", role, (width, *points))


def _oval(role: int, *box: float) -> Shape:
    return ("oval", role, box)


def _rect(role: int, *box: float) -> Shape:
    return ("rect", role, box)


def _poly(role: int, *points: float) -> Shape:
    return ("poly", role, points)


SHAPES: dict[str, tuple[float, tuple[Shape, ...]]] = {
    # class -> (width / height, shapes from back to front); x to the right, y down, per cent of the canvas
    "dog": (1.25, (
        _poly(BODY, 14, 40, 0, 14, 8, 8, 24, 40), _rect(BODY, 12, 38, 74, 66), _rect(BODY, 12, 60, 26, 100),
        _rect(SHADE, 28, 62, 38, 96), _rect(SHADE, 52, 62, 62, 96), _rect(BODY, 62, 60, 76, 100),
        _oval(BODY, 58, 8, 92, 50), _rect(BODY, 76, 24, 100, 44), _oval(SHADE, 56, 8, 72, 46),
        _oval(DARK, 92, 22, 100, 34), _oval(DARK, 76, 16, 85, 26))),
    "cat": (0.8, (
        _line(BODY, 11, 82, 92, 96, 70, 90, 46), _oval(BODY, 12, 42, 84, 100), _oval(LIGHT, 34, 60, 62, 98),
        _poly(BODY, 14, 36, 14, 0, 42, 16), _poly(BODY, 82, 36, 82, 0, 54, 16), _oval(BODY, 12, 10, 84, 56),
        _oval(GLASS, 24, 24, 42, 40), _oval(GLASS, 54, 24, 72, 40), _oval(DARK, 30, 25, 38, 40), _oval(DARK, 58, 25, 66, 40),
        _poly(DARK, 42, 42, 54, 42, 48, 50))),
    "bird": (1.3, (
        _poly(BODY, 0, 34, 28, 48, 30, 70, 6, 56), _oval(BODY, 16, 30, 80, 84), _oval(BODY, 56, 6, 92, 48),
        _poly(DARK, 86, 20, 100, 30, 86, 36), _oval(DARK, 72, 16, 82, 27), _poly(SHADE, 28, 44, 62, 44, 40, 80, 22, 66),
        _line(DARK, 6, 44, 80, 44, 100), _line(DARK, 6, 58, 80, 58, 100))),
    "fish": (1.6, (
        _poly(BODY, 0, 12, 30, 44, 30, 56, 0, 90), _poly(SHADE, 40, 20, 64, 0, 74, 22), _oval(BODY, 20, 12, 100, 90),
        _poly(SHADE, 50, 48, 38, 66, 60, 66), _oval(GLASS, 76, 30, 92, 54), _oval(DARK, 80, 36, 90, 50),
        _line(SHADE, 5, 70, 26, 66, 50, 70, 76))),
    "car": (1.7, (
        _poly(BODY, 16, 46, 30, 6, 70, 6, 88, 46), _rect(BODY, 0, 40, 100, 80), _poly(GLASS, 26, 42, 36, 14, 48, 14, 48, 42),
        _poly(GLASS, 54, 42, 54, 14, 66, 14, 78, 42), _oval(DARK, 10, 58, 36, 100), _oval(DARK, 64, 58, 90, 100),
        _oval(GLASS, 18, 71, 28, 87), _oval(GLASS, 72, 71, 82, 87), _rect(GLASS, 92, 46, 100, 58))),
    "bus": (1.5, (
        _rect(BODY, 0, 0, 100, 84), _rect(GLASS, 6, 12, 24, 42), _rect(GLASS, 30, 12, 48, 42), _rect(GLASS, 54, 12, 72, 42),
        _rect(GLASS, 78, 12, 96, 62), _rect(SHADE, 0, 56, 74, 66), _oval(DARK, 12, 68, 34, 100), _oval(DARK, 64, 68, 86, 100))),
    "house": (1.0, (
        _rect(SHADE, 72, 4, 86, 30), _rect(BODY, 10, 44, 90, 100), _poly(SHADE, 0, 48, 50, 0, 100, 48),
        _rect(DARK, 40, 64, 60, 100), _rect(GLASS, 18, 54, 34, 74), _rect(GLASS, 66, 54, 82, 74))),
    "tree": (0.75, (
        _rect(DARK, 40, 60, 60, 100), _oval(BODY, 0, 26, 60, 72), _oval(BODY, 40, 26, 100, 72), _oval(BODY, 16, 0, 84, 58),
        _oval(LIGHT, 30, 10, 52, 28), _oval(SHADE, 56, 40, 84, 62), _oval(SHADE, 12, 46, 34, 64))),
    "flower": (0.65, (
        _line(DARK, 9, 50, 50, 50, 100), _poly(DARK, 50, 92, 12, 66, 24, 92), _poly(DARK, 50, 92, 88, 66, 76, 92),
        _oval(BODY, 30, 0, 70, 30), _oval(BODY, 30, 34, 70, 64), _oval(BODY, 0, 16, 44, 46), _oval(BODY, 56, 16, 100, 46),
        _oval(GLASS, 34, 22, 66, 44))),
    "cup": (1.05, (
        _oval(BODY, 56, 24, 100, 76), _oval(0, 68, 38, 88, 62), _poly(BODY, 0, 6, 76, 6, 68, 100, 8, 100),
        _oval(SHADE, 0, 0, 76, 16), _rect(LIGHT, 12, 26, 20, 82))),
    "boat": (1.15, (
        _rect(DARK, 46, 0, 53, 74), _poly(GLASS, 56, 6, 96, 62, 56, 62), _poly(LIGHT, 42, 18, 42, 62, 10, 62),
        _poly(BODY, 0, 70, 100, 70, 84, 100, 16, 100), _rect(SHADE, 4, 70, 96, 78))),
    "plane": (1.55, (
        _poly(BODY, 0, 14, 14, 14, 34, 48, 10, 54), _poly(SHADE, 42, 46, 34, 4, 48, 4, 68, 46), _oval(BODY, 4, 36, 100, 68),
        _poly(SHADE, 38, 56, 66, 56, 40, 100, 24, 100), _oval(GLASS, 82, 40, 94, 54), _oval(DARK, 44, 44, 51, 53),
        _oval(DARK, 56, 44, 63, 53), _oval(DARK, 68, 44, 75, 53))),
    "chair": (0.7, (
        _rect(BODY, 4, 0, 22, 100), _rect(BODY, 4, 46, 96, 64), _rect(BODY, 78, 56, 96, 100), _rect(SHADE, 22, 8, 36, 46),
        _rect(DARK, 34, 64, 42, 94), _rect(DARK, 60, 64, 68, 94))),
    "lamp": (0.6, (
        _poly(BODY, 26, 0, 74, 0, 100, 46, 0, 46), _rect(DARK, 44, 46, 56, 92), _oval(SHADE, 14, 84, 86, 100),
        _poly(LIGHT, 34, 6, 46, 6, 38, 40, 18, 40), _oval(GLASS, 34, 42, 66, 54))),
    "ball": (1.0, (
        _oval(BODY, 0, 0, 100, 100), _line(GLASS, 9, 50, 0, 50, 100), _line(GLASS, 9, 0, 50, 100, 50),
        _oval(LIGHT, 18, 16, 36, 34))),
    "umbrella": (1.05, (
        _rect(DARK, 46, 40, 54, 92), _line(DARK, 8, 50, 90, 60, 96, 72, 96, 76, 84), _oval(BODY, 0, 6, 100, 96),
        _rect(0, 0, 54, 44, 100), _rect(0, 56, 54, 100, 80), _rect(0, 42, 54, 46, 100), _rect(0, 54, 54, 58, 90),
        _poly(SHADE, 50, 6, 30, 54, 70, 54), _rect(DARK, 46, 54, 54, 92), _line(DARK, 8, 50, 92, 60, 97, 72, 97, 76, 86),
        _rect(DARK, 46, 0, 54, 10))),
    "hat": (1.5, (
        _oval(BODY, 0, 62, 100, 100), _rect(BODY, 24, 6, 76, 84), _oval(BODY, 24, 0, 76, 20), _rect(DARK, 24, 56, 76, 74))),
    "shoe": (1.55, (
        _poly(BODY, 4, 4, 40, 4, 50, 38, 84, 48, 98, 66, 98, 84, 4, 84), _rect(DARK, 0, 82, 100, 100), _oval(DARK, 6, 0, 38, 14),
        _line(GLASS, 6, 46, 22, 34, 32), _line(GLASS, 6, 54, 34, 42, 46), _line(GLASS, 6, 64, 42, 54, 54),
        _oval(LIGHT, 78, 56, 96, 82))),
    "bicycle": (1.5, (
        _oval(DARK, 0, 36, 42, 100), _oval(0, 9, 50, 33, 86), _oval(DARK, 58, 36, 100, 100), _oval(0, 67, 50, 91, 86),
        _line(BODY, 9, 21, 68, 36, 26, 70, 26, 48, 68, 21, 68), _line(BODY, 9, 34, 20, 48, 68), _line(BODY, 9, 79, 68, 68, 14),
        _line(BODY, 9, 66, 12, 86, 4), _line(DARK, 11, 24, 16, 46, 16))),
    "mushroom": (0.95, (
        _poly(GLASS, 34, 40, 66, 40, 74, 100, 26, 100), _oval(BODY, 0, 0, 100, 96), _rect(0, 0, 52, 33, 100),
        _rect(0, 67, 52, 100, 100),
        _poly(GLASS, 33, 52, 67, 52, 74, 100, 26, 100), _oval(GLASS, 16, 26, 36, 44), _oval(GLASS, 42, 8, 62, 26),
        _oval(GLASS, 68, 28, 84, 44))),
    "clock": (0.85, (
        _oval(DARK, 8, 0, 38, 24), _oval(DARK, 62, 0, 92, 24), _line(DARK, 10, 20, 84, 10, 98), _line(DARK, 10, 80, 84, 90, 98),
        _oval(BODY, 0, 10, 100, 96), _oval(GLASS, 16, 24, 84, 82), _line(DARK, 8, 50, 32, 50, 54, 68, 62))),
    "key": (1.9, (
        _oval(BODY, 0, 0, 42, 100), _oval(0, 13, 32, 29, 68), _rect(BODY, 38, 38, 100, 62), _rect(BODY, 86, 56, 99, 96),
        _rect(BODY, 66, 56, 77, 88))),
    "butterfly": (1.2, (
        _oval(BODY, 0, 0, 48, 58), _oval(BODY, 52, 0, 100, 58), _oval(SHADE, 10, 48, 48, 100), _oval(SHADE, 52, 48, 90, 100),
        _oval(LIGHT, 12, 16, 32, 40), _oval(LIGHT, 68, 16, 88, 40), _oval(DARK, 44, 14, 56, 92),
        _line(DARK, 4, 48, 18, 36, 0), _line(DARK, 4, 52, 18, 64, 0))),
    "bottle": (0.45, (
        _rect(DARK, 30, 0, 70, 10), _rect(BODY, 34, 8, 66, 40), _oval(BODY, 2, 26, 98, 58), _rect(BODY, 2, 42, 98, 100),
        _rect(GLASS, 2, 56, 98, 80), _rect(LIGHT, 14, 44, 26, 54))),
}  # fmt: skip


def _paint(pen: ImageDraw.ImageDraw, shape: Shape) -> None:
    kind, role, numbers = shape
    scale = (_CANVAS - 1) / 100
    points = [round(number * scale) for number in numbers]
    if kind == "oval":
        pen.ellipse(points, fill=role)
    elif kind == "rect":
        pen.rectangle(points, fill=role)
    elif kind == "poly":
        pen.polygon(points, fill=role)
    else:
        pen.line(points[1:], fill=role, width=points[0], joint="curve")


@cache
def _role_map(label: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Role number of every pixel of the large canvas, cropped to the shape, with a dark rim."""
    image = Image.new("L", (_CANVAS, _CANVAS))
    pen = ImageDraw.Draw(image)
    for shape in SHAPES[label][1]:
        _paint(pen, shape)
    image = image.crop(image.getbbox()).resize((_CANVAS, _CANVAS), Image.Resampling.NEAREST)
    framed = Image.new("L", (_CANVAS + 20, _CANVAS + 20))
    framed.paste(image.point(lambda role: 255 if role else 0), (10, 10))
    inner = np.asarray(framed.filter(ImageFilter.MinFilter(9)))[10:-10, 10:-10]
    roles = np.array(image)
    roles[(inner == 0) & (roles > 0)] = DARK
    return roles


def _marked(marking: Marking) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where a marking lies on the large canvas, before it is cut to the body."""
    y, x = (np.mgrid[:_CANVAS, :_CANVAS] + 0.5) / _CANVAS - 0.5
    turn = math.radians(marking.angle)
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    waves, cross = along * marking.period + marking.phase, across * marking.period + 0.25
    if marking.kind == "stripes":
        return np.asarray(waves % 1 < 0.5)
    if marking.kind == "checker":
        return np.asarray((waves % 1 < 0.5) ^ (cross % 1 < 0.5))
    if marking.kind == "spots":
        return np.asarray((waves % 1 - 0.5) ** 2 + (cross % 1 - 0.5) ** 2 < 0.13)
    if marking.kind == "half":
        return np.asarray(along > 0.3 * (marking.phase - 0.5))
    if marking.kind == "belt":
        return np.asarray(np.abs(along - 0.4 * (marking.phase - 0.5)) < 0.05 * marking.period)
    shift = 0.25
    return np.asarray((along - shift) ** 2 + (across - 0.5 * (marking.phase - 0.5)) ** 2 < (0.11 * marking.period) ** 2)


@lru_cache(maxsize=256)
def _marked_map(label: str, marking: Marking) -> np.ndarray[Any, np.dtype[np.uint8]]:
    roles = _role_map(label)
    return np.where(_marked(marking) & ((roles == BODY) | (roles == SHADE) | (roles == LIGHT)), np.uint8(MARK), roles)


@lru_cache(maxsize=16384)
def sprite(
    label: str, width: int, height: int, flip: bool, marking: Marking | None = None
) -> np.ndarray[Any, np.dtype[np.int32]]:
    """The share of every role in every pixel.

    Args:
        label: Class name.
        width: Pixels.
        height: Pixels.
        flip: Mirror left and right.
        marking: A second colour on body and shade.

    Returns:
        int32 of shape (height, width, ROLES), 0 to 255; the sum over roles is the opacity. Shared: do not write to it.
    """
    roles = _role_map(label) if marking is None else _marked_map(label, marking)
    if flip:
        roles = roles[:, ::-1]
    layers = [
        Image.fromarray(((roles == role) * 255).astype(np.uint8)).resize((width, height), Image.Resampling.BOX)
        for role in range(1, ROLES + 1)
    ]
    return np.stack([np.asarray(layer, dtype=np.int32) for layer in layers], axis=-1)
