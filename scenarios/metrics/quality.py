"""How alike two pictures are: PSNR and SSIM of uint8 RGB."""

import math

import numpy as np
from scipy.ndimage import gaussian_filter

SIDE = 64
EQUAL_DB = 60.0
"""What counts for equal pictures, whose PSNR is infinite."""
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
    x, y = pixels(a), pixels(b)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

    def blur(values: np.ndarray) -> np.ndarray:
        return np.asarray(gaussian_filter(values, sigma=(1.5, 1.5, 0), radius=(5, 5, 0)))

    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    index = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))
    return float(np.mean(index[5:-5, 5:-5]))
