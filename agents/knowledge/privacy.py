"""Differential privacy of vectors that leave their owner: the Gaussian mechanism with exactly as much noise as it takes.

A release x + N(0, sigma^2 I) of a vector x of norm at most 1 is (epsilon, delta)-differentially private against any other
vector in its place (sensitivity 2) if and only if ``delta_of(epsilon, sigma) <= delta``: Balle and Wang, "Improving the Gaussian
Mechanism for Differential Privacy: Analytical Calibration and Optimal Denoising", ICML 2018, theorem 8::

    delta = Phi(D / (2 sigma) - epsilon sigma / D) - e^epsilon Phi(-D / (2 sigma) - epsilon sigma / D)

with sensitivity D. k releases of different vectors are one release of a vector of sensitivity D sqrt(k): so they compose exactly.
What is done with a release later costs nothing more; here it is scaled back to norm 1.

What this is not: pictures, captions and boxes are not covered, nor what the cloud learns from pictures. Noise follows from the
run's seed, as every draw does, so it protects nothing from those who know the seed; and attacks on the last bits of
floating-point noise are not considered.
"""

import math
from functools import lru_cache

import numpy as np

from ...bus import keys
from .retrieval import as_vector

CLIP = 1.0
"""Vectors longer than this are cut to it."""
SENSITIVITY = 2 * CLIP
"""Largest distance of two vectors of norm at most ``CLIP``."""


def delta_of(epsilon: float, sigma: float, sensitivity: float = SENSITIVITY) -> float:
    """The smallest delta for which noise of standard deviation ``sigma`` is (epsilon, delta)-private."""
    from scipy.special import log_ndtr, ndtr

    half, shift = sensitivity / (2 * sigma), epsilon * sigma / sensitivity
    return float(ndtr(half - shift) - math.exp(min(epsilon + float(log_ndtr(-half - shift)), 0.0)))


@lru_cache(maxsize=64)
def sigma_for(epsilon: float, delta: float, sensitivity: float = SENSITIVITY) -> float:
    """The least noise that is (epsilon, delta)-private, to a relative 1e-12 and from above.

    Args:
        epsilon: At least 0.
        delta: In (0, 1).
        sensitivity: Above 0.
    """
    low, high = 0.0, sensitivity
    while delta_of(epsilon, high, sensitivity) > delta:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if delta_of(epsilon, middle, sensitivity) > delta else (low, middle)
    return high


def epsilon_of(delta: float, sigma: float, sensitivity: float = SENSITIVITY) -> float:
    """The smallest epsilon, to 1e-9 and from above, for which noise ``sigma`` is (epsilon, delta)-private."""
    if delta_of(0.0, sigma, sensitivity) <= delta:
        return 0.0
    low, high = 0.0, 1.0
    while delta_of(high, sigma, sensitivity) > delta:
        low, high = high, 2 * high
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if delta_of(middle, sigma, sensitivity) > delta else (low, middle)
    return high


def composed(epsilon: float, delta: float, releases: int) -> float:
    """Epsilon of several releases together at the same delta; each alone is (epsilon, delta)-private with the least noise."""
    return epsilon_of(delta, sigma_for(epsilon, delta), SENSITIVITY * math.sqrt(releases)) if releases else 0.0


def noisy(vector: bytes, sigma: float, *key: keys.Key) -> np.ndarray:
    """A clipped vector with noise.

    Args:
        vector: Little-endian float32.
        sigma: Standard deviation of each number's noise.
        key: Whose and which item it is. The vector itself joins the key: the same one is always released the same, which is one
            release, and a changed one has noise of its own.

    Returns:
        float64, same length.
    """
    values = as_vector(vector).astype(np.float64)
    clipped = values / max(1.0, float(np.linalg.norm(values)) / CLIP)
    noise = keys.generator(*key, keys.digest((vector.hex(),)).hex()).standard_normal(len(values))
    return np.asarray(clipped + sigma * noise)


def release(vector: bytes, epsilon: float, delta: float, *key: keys.Key) -> bytes:
    """What may be sent of a vector: ``noisy``, scaled to norm 1; little-endian float32."""
    values = noisy(vector, sigma_for(epsilon, delta), *key)
    return (values / max(float(np.linalg.norm(values)), 1e-12)).astype("<f4").tobytes()
