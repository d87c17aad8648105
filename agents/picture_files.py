"""Pictures as whole files, for schemes that send these over coded links: which format at which quality, and what it is worth.

``gai-traditional`` and ``traditional`` send what the scenario prescribes (``models.file_codec``, ``models.file_quality``),
whatever the channel. Lossy by default: WebP of quality 50 gives scenes 28 to 29 dB, as the traditional scheme of GAI-SCN's
Table I has, in a sixth of the bits of a lossless file; the file arrives exactly or not at all. ``webp-lossless`` is precise.
"""

import io
from functools import lru_cache

import numpy as np
from PIL import Image

from ..policies.protocols import CODED
from .coded_pictures import DECODE_FLOPS, ENCODE_FLOPS, Format
from .models.codecs.classical import FORMATS as LOSSY
from .models.codecs.classical import check_format
from .models.codecs.classical import compress as lossy
from .models.roles import PICTURE_SIDE
from .pictures import decompress
from .scenes.draw import draw
from .scenes.world import make_scene

LOSSLESS = "webp-lossless"
FILE_CODECS = (*LOSSY, LOSSLESS)
"""What `written` can write."""
LOSSLESS_DB = 60.0
"""What counts for equal pictures, whose PSNR is infinite."""
_PILLOW_NAMES = ("WEBP", *(form.name for name, form in LOSSY.items() if name != "webp"))
_WORK_FLOPS = {"jpeg": (1_000_000, 1_300_000), "jpeg2000": (17_000_000, 3_500_000), "avif": (42_000_000, 27_000_000)}
"""Of one picture, to write and to open: measured on a core that does 15 GFLOP/s in the JSCC networks; WebP's are the default."""
_SCENES = 32
"""Scenes by which a receiver knows what a format is worth."""


def written(picture: bytes, codec: str, quality: int) -> bytes:
    """A picture as a file, headers included: what is charged.

    Args:
        picture: Raw uint8 RGB of (64, 64, 3).
        codec: One of `FILE_CODECS`.
        quality: In the format's own scale (`models.codecs.classical.FORMATS`); means nothing for `LOSSLESS`.

    Raises:
        BadInput: No such format.
        Missing: This Pillow cannot write it.
    """
    if codec == LOSSLESS:
        out = io.BytesIO()
        image = Image.frombytes("RGB", (PICTURE_SIDE, PICTURE_SIDE), picture)
        image.save(out, "WEBP", lossless=True, quality=50, method=4)
        return out.getvalue()
    return lossy(_pixels(picture), codec, quality)


def opened(file: bytes) -> bytes:
    """A file of `written` as raw uint8 RGB of (64, 64, 3), or a sketch's as a sketch.

    Raises:
        BadInput: It is no such file.
    """
    return decompress(file, _PILLOW_NAMES)


@lru_cache(maxsize=64)
def prescribed(codec: str, quality: int) -> Format:
    """The format that a scheme of files prescribes, with mean bits and PSNR over 32 scenes, which every receiver can measure.

    Raises:
        BadInput: No such format.
        Missing: This Pillow cannot write it.
    """
    name = f"{CODED}{codec}" if codec == LOSSLESS else f"{CODED}{codec}-q{quality}"
    if codec != LOSSLESS:
        check_format(codec)
    bits, psnr_db = [], []
    for number in range(_SCENES):
        picture = draw(make_scene("prescribed", number, count=(1, 4))).tobytes()
        file = written(picture, codec, quality)
        error = float(np.square(_pixels(picture).astype(np.float64) - _pixels(opened(file))).mean())
        bits.append(8 * len(file))
        psnr_db.append(LOSSLESS_DB if error == 0 else min(LOSSLESS_DB, float(10 * np.log10(255.0**2 / error))))
    work = _WORK_FLOPS.get(codec, (ENCODE_FLOPS, DECODE_FLOPS))
    return Format(name, quality, round(sum(bits) / _SCENES), sum(psnr_db) / _SCENES, codec, *work)


def _pixels(picture: bytes) -> np.ndarray:
    return np.frombuffer(picture, np.uint8).reshape(PICTURE_SIDE, PICTURE_SIDE, 3)
