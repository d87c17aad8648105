"""Pages of digits as classical files: what a sender without a generative model makes of a budget of bits.

The sender takes whichever is nearest to the original within the budget: pixels in 1 to 4 bits or all 17 levels; thumbnails;
PNG; JPEG's entropy-coded scan without its header, which follows from size and quality (7 bits, charged), so that small pages do
not suffer from it.
"""

import io
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image
from scipy.ndimage import zoom

from ...agents.models.digits.data import PIXELS, SIDE, WHITE
from ...agents.models.digits.data import digits as known_digits

QUALITY_BITS = 7
QUALITIES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 22, 26, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95)
FORM_BITS = 3
"""Which of the forms it is."""


@dataclass(frozen=True, eq=False)
class Coded:
    """A page as a file: its form, its bits, and the levels ``(digits, 64)`` that whoever has all of them sees."""

    form: str
    bits: int
    shown: np.ndarray


def page_of(digits: np.ndarray) -> np.ndarray:
    """Digits ``(n, 64)`` side by side, as square as they go, uint8 levels ``(8 a, 8 b)`` with a b = n."""
    rows = max(k for k in range(1, int(len(digits) ** 0.5) + 1) if len(digits) % k == 0)
    return digits.reshape(rows, -1, SIDE, SIDE).transpose(0, 2, 1, 3).reshape(rows * SIDE, -1)


def digits_of(page: np.ndarray) -> np.ndarray:
    """What `page_of` was given."""
    height, width = page.shape
    return page.reshape(height // SIDE, SIDE, width // SIDE, SIDE).transpose(0, 2, 1, 3).reshape(-1, PIXELS)


def pixels_coded(digits: np.ndarray, bits: int) -> Coded:
    """Every pixel told as one of 2^bits levels; 5 stands for all 17, written as one number in base 17 (4.09 bits a pixel)."""
    if bits == 5:
        return Coded("pixels, 17 levels", FORM_BITS + int(np.ceil(digits.size * np.log2(WHITE + 1))), digits.copy())
    levels = pixel_levels(bits)
    nearest = np.abs(digits[..., None] - levels).argmin(axis=-1)
    return Coded(f"pixels, {bits} bits", FORM_BITS + bits * digits.size, _whole(levels[nearest]))


@lru_cache(maxsize=8)
def pixel_levels(bits: int) -> np.ndarray:
    """The 2^bits levels of least squared error for the pixels of the codec's pictures (Lloyd 1982), agreed upon beforehand."""
    counts = np.bincount(known_digits("codec").pictures.ravel(), minlength=WHITE + 1).astype(np.float64)
    every, levels = np.arange(WHITE + 1), np.linspace(0, WHITE, 1 << bits)
    for _ in range(200):
        cell = np.abs(every[:, None] - levels).argmin(axis=1)
        weight = np.bincount(cell, counts, len(levels))
        levels = np.where(weight > 0, np.bincount(cell, counts * every, len(levels)) / np.maximum(weight, 1), levels)
    return levels


def thumbnails_coded(digits: np.ndarray, bits: int) -> Coded:
    """Means of 2x2 pixels in 2^bits even levels, made large again by bilinear interpolation."""
    half, top = SIDE // 2, (1 << bits) - 1
    small = digits.reshape(-1, half, 2, half, 2).mean(axis=(2, 4))
    told = np.rint(small * top / WHITE) * WHITE / top
    large = zoom(told, (1, 2, 2), order=1, mode="nearest", grid_mode=True)
    return Coded(f"thumbnails, {bits} bits", FORM_BITS + bits * small.size, _whole(large.reshape(-1, PIXELS)))


def _whole(levels: np.ndarray) -> np.ndarray:
    whole: np.ndarray = np.rint(np.clip(levels, 0, WHITE)).astype(np.uint8)
    return whole


def png_coded(digits: np.ndarray) -> Coded:
    """PNG of the page, levels times 15."""
    out = io.BytesIO()
    Image.fromarray((page_of(digits) * 15).astype(np.uint8)).save(out, "PNG", optimize=True)
    with Image.open(io.BytesIO(out.getvalue())) as file:
        shown = digits_of(np.asarray(file) // 15)
    return Coded("PNG", FORM_BITS + 8 * len(out.getvalue()), shown)


def jpeg_coded(digits: np.ndarray, quality: int) -> Coded:
    """JPEG of the page with standard tables, levels times 15, its header not sent; a block is a digit."""
    page = page_of(digits)
    out = io.BytesIO()
    Image.fromarray((page * 15).astype(np.uint8)).save(out, "JPEG", quality=quality)
    header = _header(page.shape, quality)
    scan = out.getvalue()[len(header) : -2]  # without the end marker
    with Image.open(io.BytesIO(header + scan + b"\xff\xd9")) as file:
        levels = np.clip(np.rint(np.asarray(file) / 15), 0, WHITE).astype(np.uint8)
    return Coded(f"JPEG {quality}", FORM_BITS + QUALITY_BITS + 8 * len(scan), digits_of(levels))


@lru_cache(maxsize=128)
def _header(shape: tuple[int, int], quality: int) -> bytes:
    """All of a JPEG file before its scan, as the receiver makes it by itself."""
    out = io.BytesIO()
    Image.fromarray(np.zeros(shape, np.uint8)).save(out, "JPEG", quality=quality)
    raw = out.getvalue()
    start = raw.index(b"\xff\xda")
    return raw[: start + 2 + int.from_bytes(raw[start + 2 : start + 4], "big")]


def ladder(digits: np.ndarray) -> list[Coded]:
    """Every form of a page."""
    forms = [pixels_coded(digits, bits) for bits in (1, 2, 3, 4, 5)] + [thumbnails_coded(digits, bits) for bits in (1, 2, 3)]
    return [*forms, png_coded(digits), *(jpeg_coded(digits, quality) for quality in QUALITIES)]


def best_within(forms: list[Coded], digits: np.ndarray, bits: int) -> Coded | None:
    """The form of least squared error that fits into `bits`; None if none does."""
    fitting = [form for form in forms if form.bits <= bits]
    if not fitting:
        return None
    return min(fitting, key=lambda form: (float(((form.shown - digits.astype(np.float64)) ** 2).mean()), form.bits))
