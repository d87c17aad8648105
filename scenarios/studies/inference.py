"""Intervals of studies: percentile bootstrap over independent units (pictures, blocks, clips), keyed, so that they repeat.

Efron and Tibshirani, An Introduction to the Bootstrap (1993), sections 13 and 16. Left out: bias correction (BCa).
"""

from collections.abc import Callable, Sequence

import numpy as np

from ...bus import keys

RESAMPLES = 4000
CONFIDENCE = 0.95


def bootstrap(
    statistic: Callable[[np.ndarray], np.ndarray], columns: Sequence[Sequence[float]], *key: keys.Key
) -> tuple[float, float, float]:
    """A statistic of the means of paired columns with its 95 % interval.

    Args:
        statistic: Takes means of shape (columns, resamples) to values of shape (resamples,), for instance
            ``lambda m: m[0] / m[1]`` for a ratio of means, ``lambda m: m[0] - m[1]`` for a paired difference.
        columns: One value a unit in each; units are resampled together, so that pairs stay pairs.
        *key: What the draw belongs to.

    Returns:
        (value, low, high); all NaN without units.
    """
    values = np.asarray(columns, np.float64)
    units = values.shape[1]
    if units == 0:
        return (float("nan"),) * 3
    value = float(statistic(values.mean(axis=1, keepdims=True))[0])
    rng = keys.generator("study bootstrap", *key)
    means = np.empty((len(values), RESAMPLES))
    for start in range(0, RESAMPLES, 500):
        picked = rng.integers(0, units, (500, units))
        means[:, start : start + 500] = values[:, picked].mean(axis=2)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(statistic(means), (tail, 1 - tail))
    return value, float(low), float(high)


def mean(values: Sequence[float], *key: keys.Key) -> tuple[float, float, float]:
    """Mean with its interval."""
    return bootstrap(lambda means: means[0], [values], *key)


def difference(first: Sequence[float], second: Sequence[float], *key: keys.Key) -> tuple[float, float, float]:
    """Mean of paired differences ``first - second``, with its interval."""
    return bootstrap(lambda means: means[0] - means[1], [first, second], *key)


def ratio(first: Sequence[float], second: Sequence[float], *key: keys.Key) -> tuple[float, float, float]:
    """Ratio of the means of paired columns, ``first / second``, with its interval."""
    return bootstrap(lambda means: means[0] / means[1], [first, second], *key)


def share(successes: int, number: int) -> tuple[float, float, float]:
    """A share with its Wilson score interval (Wilson 1927); (NaN, 0, 1) without any trials."""
    if number == 0:
        return float("nan"), 0.0, 1.0
    z = 1.959963984540054
    p = successes / number
    centre = (p + z * z / (2 * number)) / (1 + z * z / number)
    half = z / (1 + z * z / number) * (p * (1 - p) / number + z * z / (4 * number * number)) ** 0.5
    return p, max(0.0, centre - half), min(1.0, centre + half)
