"""Looks of things as they are sent once: cut-outs with opacity as small WebP files, and backgrounds as larger ones."""

import io
import warnings
from collections.abc import Sequence

import numpy as np
from PIL import Image

from ...bus.errors import BadInput
from ..models.roles import Box
from ..scenes.draw import Pixels
from .background import window
from .tracking import Track
from .world import covered

LOOK_COLOURS, BACKGROUND_QUALITY = 12, 85
"""Colours of a cut-out (a third fewer bits than lossy WebP of quality 75 with opacity, and sharper), quality of a background."""
OPAQUE = 19.0
"""Difference to the background (mean over R, G and B) from which a pixel is of the thing."""
LARGEST_SIDE = 256
_MEND = f"looks and backgrounds are WebP files of at most {LARGEST_SIDE} pixels a side"


def cut_out(frames: Pixels, background: Pixels, track: Track, others: Sequence[Track] = ()) -> bytes:
    """A track's look: the box of the frame that shows most of it, opaque where it differs from the background.

    Args:
        frames: uint8 (N, side, side, 3).
        background: uint8 (side, side, 3), without the thing.
        track: In pixels of these frames.
        others: Tracks that may cover it now and then.

    Returns:
        WebP file (RGBA).
    """
    side = frames.shape[1]
    frame = max(track.places, key=lambda each: (_inner(track.places[each], side) * _clear(each, track, others), -each))
    place = window(track.places[frame], side)
    pixels, behind = frames[frame][place], background[place]
    apart = np.abs(pixels.astype(float) - behind.astype(float)).mean(axis=2)
    opaque = apart >= OPAQUE
    plain = np.where(opaque[..., None], pixels, pixels[opaque].mean(axis=0) if opaque.any() else 0).astype(np.uint8)
    few = np.asarray(Image.fromarray(plain, "RGB").quantize(LOOK_COLOURS, dither=Image.Dither.NONE).convert("RGB"))
    image = np.dstack([np.where(opaque[..., None], few, 0), np.where(opaque, 255, 0)]).astype(np.uint8)
    return _file(Image.fromarray(image, "RGBA"), lossless=True, quality=100)


def compress(background: Pixels) -> bytes:
    """A background as a WebP file."""
    return _file(Image.fromarray(background, "RGB"), quality=BACKGROUND_QUALITY)


def opened(file: bytes, mode: str) -> Pixels:
    """A file of `cut_out` (mode ``RGBA``) or `compress` (``RGB``) -> uint8 (height, width, channels).

    Raises:
        BadInput: It is no such file; format and size are looked at before anything is unpacked.
    """
    try:
        with (
            warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning),
            Image.open(io.BytesIO(file), formats=("WEBP",)) as image,
        ):
            if max(image.size) > LARGEST_SIDE:
                raise BadInput(f"a look of {image.size[0]}x{image.size[1]} pixels", _MEND)
            return np.asarray(image.convert(mode))
    except (OSError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadInput(f"a look that cannot be read: {error}", _MEND) from None


def _file(image: Image.Image, **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "WEBP", method=6, **options)
    return out.getvalue()


def _clear(frame: int, track: Track, others: Sequence[Track]) -> float:
    """Share of a track's box that the boxes of others leave free in a frame, at worst."""
    boxes = [other.places[frame] for other in others if other is not track and frame in other.places]
    return 1.01 - max((covered(track.places[frame], box) for box in boxes), default=0.0)


def _inner(box: Box, side: int) -> float:
    """Area of a box, less where it touches the rim of the picture and may be cut off."""
    rim = min(box.cx - box.width / 2, box.cy - box.height / 2, side - box.cx - box.width / 2, side - box.cy - box.height / 2)
    return box.width * box.height * (1.0 if rim >= 1 else 0.5) * max(box.score, 0.05)
