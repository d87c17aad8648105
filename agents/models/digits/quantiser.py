"""Latents as whole numbers: the scalar quantiser of least squared error for unit normal values (Lloyd 1982, Max 1960).

Cells are told with a fixed number of bits, so that a lost or wrong one harms no other. Its distortion for 1, 2, 3 and 4 bits
is 0.3634, 0.1175, 0.03454 and 0.009497 (Max, table I), its indices' entropy 1, 1.911, 2.825 and 3.765 bits.
"""

from functools import lru_cache

import numpy as np
from scipy.special import ndtr

from ....bus.errors import BadInput


@lru_cache(maxsize=8)
def levels(bits: int) -> np.ndarray:
    """What the 2^bits cells are told as, ascending, float64.

    Raises:
        BadInput: Fewer than 1 or more than 6 bits.
    """
    if not 1 <= bits <= 6:
        raise BadInput(f"a latent of {bits} bits", "between 1 and 6")
    found = np.linspace(-2, 2, 1 << bits)
    for _ in range(4000):
        better = _means(_edges(found))
        moved, found = float(np.abs(better - found).max()), better
        if moved < 1e-12:
            break
    return found


def _edges(middles: np.ndarray) -> np.ndarray:
    return np.concatenate([[-np.inf], (middles[1:] + middles[:-1]) / 2, [np.inf]])


def _means(edges: np.ndarray) -> np.ndarray:
    """Mean of a unit normal value in each cell."""
    density = np.exp(-0.5 * edges**2) / np.sqrt(2 * np.pi)
    means: np.ndarray = -np.diff(density) / np.diff(ndtr(edges))
    return means


def quantise(values: np.ndarray, bits: int) -> np.ndarray:
    """Number of the cell of each value, 0 to 2^bits - 1; of the shape of `values`."""
    return np.searchsorted(_edges(levels(bits))[1:-1], values).astype(np.int64)


def restore(cells: np.ndarray, bits: int) -> np.ndarray:
    """Mean of each cell."""
    told: np.ndarray = levels(bits)[cells]
    return told


def within(cells: np.ndarray, bits: int, uniforms: np.ndarray) -> np.ndarray:
    """A value of each cell, drawn as a unit normal one known to lie there; `uniforms` of the shape of `cells`, in [0, 1)."""
    from scipy.special import ndtri

    below = ndtr(_edges(levels(bits)))
    values: np.ndarray = ndtri(np.clip(below[cells] + uniforms * (below[cells + 1] - below[cells]), 1e-9, 1 - 1e-9))
    return values
