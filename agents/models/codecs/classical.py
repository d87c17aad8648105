"""Classical picture codecs as rivals: JPEG, JPEG 2000, WebP and AVIF files of Pillow, as good as a number of bits allows.

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
        title: For people.
        feature: What `PIL.features` calls what it needs.
        qualities: From the smallest files to the best pictures.
        options: Of Pillow's ``save``.
        variants: Further options, of which `Files.best` takes what is best for the picture; the first is the usual one.
        rated: Whether Pillow is asked for a compression ratio in place of a quality: `LEAST_RATIO` at the last quality, each
            one before makes files 2 % smaller.
    """

    name: str
    title: str
    feature: str
    qualities: range
    options: Mapping[str, Any]
    variants: tuple[Mapping[str, Any], ...] = ({},)
    rated: bool = False

    def arguments(self, quality: int, variant: int = 0) -> dict[str, Any]:
        """Of Pillow's ``save``."""
        options = {**self.options, **self.variants[variant]}
        if not self.rated:
            return {"quality": quality, **options}
        ratio = LEAST_RATIO * 1.02 ** (self.qualities[-1] - quality)
        return {"quality_mode": "rates", "quality_layers": [ratio], **options}


LEAST_RATIO = 2.0
CHROMA = ({"subsampling": "4:2:0"}, {"subsampling": "4:4:4"})
"""Colours at half the resolution, usual for photographs, or at all of it, often better for drawings and at high rates."""
J2K = {"irreversible": True, "mct": 1, "no_jp2": True}
"""9/7 wavelet, colours decorrelated (without ``mct`` Pillow codes R, G and B each for itself, which costs 1 to 5 dB), a bare
codestream without the boxes of a JP2 file."""
FORMATS: Mapping[str, Format] = {
    "jpeg": Format("JPEG", "JPEG", "jpg", range(1, 96), {"optimize": True}, CHROMA),
    "jpeg2000": Format("JPEG2000", "JPEG 2000", "jpg_2000", range(0, 301), J2K, rated=True),
    "webp": Format("WEBP", "WebP", "webp", range(0, 101), {"method": 6}),
    "avif": Format(
        "AVIF",
        "AVIF",
        "avif",
        range(0, 101),
        {"speed": 6, "max_threads": 1, "advanced": {"tune": "psnr"}},
        CHROMA,
    ),
}
"""Baseline JPEG with optimal Huffman tables; JPEG 2000 part 1 (OpenJPEG); lossy WebP; AV1 still pictures (libaom, for PSNR)."""


@dataclass
class Files:
    """All files of one picture in one format; each is made when it is first asked for, and kept.

    Attributes:
        picture: (H, W, 3) uint8 RGB.
        codec: A key of `FORMATS`.
    """

    picture: np.ndarray
    codec: str
    _made: dict[tuple[int, int], bytes] = field(default_factory=dict)
    _errors: dict[bytes, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_format(self.codec)

    def file(self, quality: int, variant: int = 0) -> bytes:
        """The file at one quality, in one of the format's variants."""
        if (quality, variant) not in self._made:
            self._made[quality, variant] = compress(self.picture, self.codec, quality, variant)
        return self._made[quality, variant]

    def best(self, bits: int) -> bytes | None:
        """The best file that fits into a number of bits; None if none fits.

        Of each variant the one of the highest quality that fits, of these that of the least squared error.
        """
        found = [self._largest(bits, variant) for variant in range(len(FORMATS[self.codec].variants))]
        fitting = [file for file in found if file is not None]
        return min(fitting, key=self._error) if len(fitting) > 1 else fitting[0] if fitting else None

    def _largest(self, bits: int, variant: int) -> bytes | None:
        """By bisection. Sizes grow with quality but for rare small dips: a better file past a dip may be overlooked."""
        qualities = FORMATS[self.codec].qualities
        low, high = -1, len(qualities)  # `low` fits, `high` does not
        while high - low > 1:
            middle = (low + high) // 2
            if 8 * len(self.file(qualities[middle], variant)) <= bits:
                low = middle
            else:
                high = middle
        return self.file(qualities[low], variant) if low >= 0 else None

    def _error(self, file: bytes) -> float:
        if file not in self._errors:
            self._errors[file] = float(np.mean((decompress(file).astype(np.float64) - self.picture) ** 2))
        return self._errors[file]


def check_format(codec: str) -> None:
    """Refuse a format that cannot be written.

    Raises:
        BadInput: No key of `FORMATS`.
        Missing: This Pillow cannot write it.
    """
    if codec not in FORMATS:
        raise BadInput(f"no picture format {codec!r}", f"there are: {', '.join(FORMATS)}")
    if not features.check(FORMATS[codec].feature):
        raise Missing(f"this Pillow cannot write {FORMATS[codec].title}", "pip install 'pillow>=11.3'")


def compress(picture: np.ndarray, codec: str, quality: int, variant: int = 0) -> bytes:
    """(H, W, 3) uint8 RGB as a file, headers included, in a format of `FORMATS` at one of its qualities and variants."""
    form, stream = FORMATS[codec], io.BytesIO()
    Image.fromarray(picture).save(stream, form.name, **form.arguments(quality, variant))
    return stream.getvalue()


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
