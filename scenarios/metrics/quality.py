"""How alike two pictures are: PSNR, SSIM and MS-SSIM of uint8 RGB."""

import math

import numpy as np

from ...bus.errors import BadInput

SIDE = 64
EQUAL_DB = 60.0
"""What counts for equal pictures, whose PSNR is infinite."""
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales, finest first."""
MS_SSIM_SIDE = 176
"""Least side in pixels: an 11 pixel window at a sixteenth of the side."""
GREY = bytes([128]) * (SIDE * SIDE * 3)
"""What the receiver of a failed request shows: mid-grey."""


def pixels(picture: bytes) -> np.ndarray:
    """uint8 RGB bytes -> float64 (64, 64, 3) in 0 to 255."""
    return np.frombuffer(picture, np.uint8).reshape(SIDE, SIDE, 3).astype(np.float64)


def psnr_db(a: bytes, b: bytes) -> float:
    """Peak signal-to-noise ratio 10 log10(255^2 / MSE) over all pixels and channels, in dB; at most `EQUAL_DB`."""
    error = float(np.mean((pixels(a) - pixels(b)) ** 2))
    return EQUAL_DB if error == 0 else min(EQUAL_DB, 10 * math.log10(255.0**2 / error))


def ssim(a: bytes, b: bytes) -> float:
    """Structural similarity (Wang et al. 2004): Gaussian window of sigma 1.5 and 11 pixels, mean over pixels and channels.

    The border, where the window leaves the picture, is left out.
    """
    return float(np.mean(_structure(pixels(a), pixels(b))[0]))


def ms_ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Multi-scale structural similarity (Wang, Simoncelli, Bovik 2003) with their five scales and weights.

    Contrast and structure at every scale, luminance at the coarsest, each raised to its weight and multiplied, channel by
    channel; then the mean over channels. Between scales, 2x2 pixels become their mean. Negative terms count 0.

    Args:
        a: uint8 (height, width, channels), at least `MS_SSIM_SIDE` pixels on each side.
        b: Of the same shape.

    Returns:
        In [0, 1]; 1 for equal pictures.

    Raises:
        BadInput: Too small: at the fifth scale the window no longer fits. Pictures of the scene world (64 pixels) have none.
    """
    if a.shape != b.shape or min(a.shape[:2]) < MS_SSIM_SIDE:
        raise BadInput(f"ms_ssim: pictures of {a.shape} and {b.shape}", f"equal shapes, at least {MS_SSIM_SIDE} pixels a side")
    x, y = a.astype(np.float64), b.astype(np.float64)
    result = np.ones(x.shape[2])
    for scale, weight in enumerate(MS_SSIM_WEIGHTS):
        if scale:
            x, y = _halved(x), _halved(y)
        whole, contrast = _structure(x, y)
        term = whole if scale == len(MS_SSIM_WEIGHTS) - 1 else contrast
        result *= np.maximum(term.mean(axis=(0, 1)), 0) ** weight
    return float(result.mean())


def _structure(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """SSIM, and its contrast-and-structure part alone, at every pixel that the window fits around: (h - 10, w - 10, channels)."""
    from scipy.ndimage import gaussian_filter

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

    def blur(values: np.ndarray) -> np.ndarray:
        return np.asarray(gaussian_filter(values, sigma=(1.5, 1.5, 0), radius=(5, 5, 0)))[5:-5, 5:-5]

    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    contrast = (2 * covariance + c2) / (var_x + var_y + c2)
    return contrast * (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1), contrast


def _halved(x: np.ndarray) -> np.ndarray:
    """Means of 2x2 pixels; an odd last row or column is left out."""
    x = x[: x.shape[0] // 2 * 2, : x.shape[1] // 2 * 2]
    return np.asarray((x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4)
