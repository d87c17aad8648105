"""Pictures as users share them: compressed for the air, raw for models."""

import io
from collections.abc import Sequence

from PIL import Image

from .models.roles import PICTURE_SIDE, Box

WEBP_QUALITY = 85


def compress(picture: bytes) -> bytes:
    """Raw uint8 RGB of (64, 64, 3) -> WebP file; its length is what is charged."""
    out = io.BytesIO()
    Image.frombytes("RGB", (PICTURE_SIDE, PICTURE_SIDE), picture).save(out, "WEBP", quality=WEBP_QUALITY, method=4)
    return out.getvalue()


def decompress(file: bytes) -> bytes:
    """WebP file -> raw uint8 RGB of (64, 64, 3)."""
    with Image.open(io.BytesIO(file)) as image:
        return image.convert("RGB").tobytes()


def find(label: str, boxes: Sequence[Box]) -> Box | None:
    """The most certain box of a class; None if there is none."""
    return next((box for box in boxes if box.label == label), None)
