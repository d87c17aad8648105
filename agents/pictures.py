"""Pictures as users share them: compressed for the air, raw for models, cut out as references.

Every function takes sketches (`sketches.py`) as well as pixels, and answers in the same form.
"""

import io
import warnings
from collections.abc import Sequence

import numpy as np
from PIL import Image

from ..bus.errors import BadInput
from ..bus.messages import SharedItem
from . import sketches
from .camera import photograph
from .models.roles import PICTURE_SIDE, REFERENCE_SIDE, Box
from .scenes.world import make_scene

WEBP_QUALITY = 85
REFERENCE_QUALITY = 75
_SIZES = ((PICTURE_SIDE, PICTURE_SIDE), (REFERENCE_SIDE, REFERENCE_SIDE))
_MEND = "shared are WebP files of 64x64 pixels, or 32x32 as references"
ALBUM_PICTURES = 4
"""Pictures of a subject that are shared in stage 1."""
WHOLE = Box("", "", PICTURE_SIDE / 2, PICTURE_SIDE / 2, float(PICTURE_SIDE), float(PICTURE_SIDE))
"""Where a subject is that nobody finds."""


def compress(picture: bytes, quality: int = WEBP_QUALITY) -> bytes:
    """Raw uint8 RGB of (64, 64, 3) -> WebP file of a quality in 0 to 100; its length is what is charged."""
    if sketches.is_sketch(picture):
        return sketches.compressed(picture, quality)
    out = io.BytesIO()
    Image.frombytes("RGB", (PICTURE_SIDE, PICTURE_SIDE), picture).save(out, "WEBP", quality=quality, method=4)
    return out.getvalue()


def compress_reference(reference: bytes) -> bytes:
    """Raw uint8 RGB of (32, 32, 3) -> WebP file of a few hundred bytes."""
    if sketches.is_sketch(reference):
        return sketches.compressed(reference, REFERENCE_QUALITY)
    out = io.BytesIO()
    side = (REFERENCE_SIDE, REFERENCE_SIDE)
    Image.frombytes("RGB", side, reference).save(out, "WEBP", quality=REFERENCE_QUALITY, method=6)
    return out.getvalue()


def decompress(file: bytes, formats: Sequence[str] = ("WEBP",)) -> bytes:
    """WebP file of `compress` or `compress_reference` (or one of other ``formats`` of Pillow) -> raw uint8 RGB.

    Raises:
        BadInput: It is no such file. Format and size are looked at before anything is unpacked.
    """
    if sketches.is_sketch(file):
        return sketches.opened(file)
    try:
        with (
            warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning),
            Image.open(io.BytesIO(file), formats=list(formats)) as image,
        ):
            if image.size not in _SIZES:
                raise BadInput(f"a shared picture of {image.size[0]}x{image.size[1]} pixels", _MEND)
            return image.convert("RGB").tobytes()
    except (OSError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadInput(f"a shared picture that cannot be read: {error}", _MEND) from None


def sound(item: SharedItem, form: sketches.Form = sketches.RAW) -> bool:
    """Whether what somebody shares can be used: pictures of the network's form that can be read, with a box each or none, and a

    finite vector.
    """
    whole = len(item.vector) % 4 == 0 and bool(np.isfinite(np.frombuffer(item.vector, "<f4")).all())
    try:
        for file in item.pictures:
            if sketches.is_sketch(file) != (form == sketches.SKETCH):
                return False
            decompress(file)
    except BadInput:
        return False
    return whole and len(item.boxes) in (0, len(item.pictures))


def shared_album(subject: str, form: sketches.Form = sketches.RAW) -> list[bytes]:
    """The pictures (WebP) of a catalog subject that its owner can share; they are the owner's, and the same in every run."""
    scenes = [make_scene("album", subject, index, count=1, subjects=(subject,)) for index in range(ALBUM_PICTURES)]
    return [compress(photograph(scene, form)) for scene in scenes]


def cut(picture: bytes, box: Box) -> bytes:
    """What is in a box of a raw picture, stretched to a reference: uint8 RGB of (32, 32, 3); the box is cut to the picture."""
    if sketches.is_sketch(picture):
        return sketches.cut(picture, box)
    left, top = max(box.cx - box.width / 2, 0.0), max(box.cy - box.height / 2, 0.0)
    right, bottom = min(box.cx + box.width / 2, PICTURE_SIDE), min(box.cy + box.height / 2, PICTURE_SIDE)
    left, top = min(left, PICTURE_SIDE - 1.0), min(top, PICTURE_SIDE - 1.0)
    frame = (left, top, max(right, left + 1), max(bottom, top + 1))
    image = Image.frombytes("RGB", (PICTURE_SIDE, PICTURE_SIDE), picture)
    return image.resize((REFERENCE_SIDE, REFERENCE_SIDE), Image.Resampling.BILINEAR, box=frame).tobytes()


def mirrored(reference: bytes) -> bytes:
    """A reference with left and right exchanged; in a sketch of one thing there is nothing to exchange."""
    if sketches.is_sketch(reference):
        return reference
    image = Image.frombytes("RGB", (REFERENCE_SIDE, REFERENCE_SIDE), reference)
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).tobytes()


def place(label: str, boxes: Sequence[Box]) -> Box:
    """Where the subject of a shared picture is: the most certain box of its class, else of any, else the whole picture."""
    return next((box for box in boxes if box.label == label), boxes[0] if boxes else WHOLE)
