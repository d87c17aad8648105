"""Classical picture codecs as rivals: JPEG and AVIF files of Pillow, made as good as a number of bits allows.

What is sent is the whole file, headers included, bit by bit as Pillow wrote it.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, features

from ....bus.errors import BadInput, Missing


@dataclass(frozen=True)
class Format:
    """How a file format is written.

    Attributes:
        name: Of Pillow.
        qualities: From the smallest files to the best pictures.
        options: Of Pillow's ``save``.
    """

    name: str
    qualities: range
    options: Mapping[str, Any]


FORMATS: Mapping[str, Format] = {
    "jpeg": Format("JPEG", range(1, 96), {"optimize": True, "subsampling": "4:2:0"}),
    "avif": Format("AVIF", range(0, 101), {"speed": 6, "subsampling": "4:2:0", "max_threads": 1, "advanced": {"tune": "psnr"}}),
}
"""Baseline JPEG with optimal Huffman tables; AV1 still pictures (libaom, tuned for PSNR)."""


@dataclass
class Files:
    """All files of one picture in one format; each is made when it is first asked for, and kept.

    Attributes:
        picture: (H, W, 3) uint8 RGB.
        codec: A key of `FORMATS`.
    """

    picture: np.ndarray
    codec: str
    _made: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.codec not in FORMATS:
            raise BadInput(f"no picture format {self.codec!r}", f"there are: {', '.join(FORMATS)}")
        if self.codec == "avif" and not features.check("avif"):
            raise Missing("this Pillow cannot write AVIF", "pip install 'pillow>=11.3'")

    def file(self, quality: int) -> bytes:
        """The file at one quality."""
        if quality not in self._made:
            form, stream = FORMATS[self.codec], io.BytesIO()
            Image.fromarray(self.picture).save(stream, form.name, quality=quality, **form.options)
            self._made[quality] = stream.getvalue()
        return self._made[quality]

    def best(self, bits: int) -> bytes | None:
        """The file of the highest quality that fits into a number of bits, found by bisection; None if none fits.

        Sizes grow with quality but for rare small dips, so that a better file past a dip may be overlooked; what is
        returned always fits.
        """
        qualities = FORMATS[self.codec].qualities
        low, high = -1, len(qualities)  # `low` fits, `high` does not
        while high - low > 1:
            middle = (low + high) // 2
            if 8 * len(self.file(qualities[middle])) <= bits:
                low = middle
            else:
                high = middle
        return self.file(qualities[low]) if low >= 0 else None


def decompress(file: bytes) -> np.ndarray:
    """A file as pixels, (H, W, 3) uint8 RGB.

    Raises:
        BadInput: Not a picture that Pillow can read.
    """
    try:
        with Image.open(io.BytesIO(file)) as picture:
            return np.asarray(picture.convert("RGB"))
    except (OSError, SyntaxError) as error:
        raise BadInput(f"{len(file)} bytes that are no picture ({error})", "they were damaged on the way") from None
