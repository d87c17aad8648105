"""A learned code without a generative model: the Karhunen-Loeve transform of the same training pictures, quantised.

Bits go one by one to the coefficient whose error is greatest (Huang and Schultheiss 1963; greedy, whole bits).
"""

from functools import lru_cache

import numpy as np

from ...agents.models.digits.data import PIXELS, digits
from ...agents.models.digits.quantiser import quantise, restore

ERROR = (1.0, 0.3634, 0.1175, 0.03454, 0.009497, 0.002499, 0.0006442)
"""Squared error of a unit normal value told in 0 to 6 bits (Max 1960, table I)."""


@lru_cache(maxsize=1)
def transform() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean picture ``(64,)``, directions in rows ``(64, 64)``, deviation along each ``(64,)``, of the codec's pictures."""
    pictures = digits("codec").pictures.astype(np.float64)
    mean = pictures.mean(axis=0)
    _, sizes, rows = np.linalg.svd(pictures - mean, full_matrices=False)
    return mean, rows, np.maximum(sizes / len(pictures) ** 0.5, 1e-9)


def shares(bits: int) -> np.ndarray:
    """Bits of each of the 64 coefficients, for `bits` in all."""
    _, _, deviation = transform()
    given = np.zeros(PIXELS, np.int64)
    for _ in range(bits):
        left = deviation**2 * np.array(ERROR)[given]
        left[given == len(ERROR) - 1] = 0
        given[int(left.argmax())] += 1
    return given


def linear(pictures: np.ndarray, bits: int) -> np.ndarray:
    """Pictures ``(n, 64)`` after `bits` bits each: expected levels, float ``(n, 64)``."""
    mean, rows, deviation = transform()
    parts = (pictures - mean) @ rows.T / deviation
    told = np.zeros_like(parts)
    for place, given in enumerate(shares(bits)):
        if given:
            told[:, place] = restore(quantise(parts[:, place], int(given)), int(given))
    shown: np.ndarray = (told * deviation) @ rows + mean
    return shown
