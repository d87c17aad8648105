"""Intervals of studies: bootstrap over independent units (pictures, blocks, clips) or groups of them, keyed, so that they repeat.

Expanded percentile intervals: Hesterberg, What Teachers Should Know About the Bootstrap, The American Statistician 69 (2015),
section 5.3: the plain percentile interval of Efron is too narrow for few units, by what a t interval is wider than a normal one
and by the bias of the variance. Left out: bias correction (BCa).
"""

from collections.abc import Callable, Sequence

import numpy as np

from ...bus import keys

RESAMPLES = 4000
CONFIDENCE = 0.95


def bootstrap(
    statistic: Callable[[np.ndarray], np.ndarray],
    columns: Sequence[Sequence[float]],
    *key: keys.Key,
    groups: Sequence[str | int] | None = None,
) -> tuple[float, float, float]:
    """A statistic of the means of paired columns with its 95 % interval.

    Args:
        statistic: Takes means of shape (columns, resamples) to values of shape (resamples,), for instance
            ``lambda m: m[0] / m[1]`` for a ratio of means, ``lambda m: m[0] - m[1]`` for a paired difference.
        columns: One value a unit in each; units are resampled together, so that pairs stay pairs.
        *key: What the draw belongs to.
        groups: The group of each unit, where units of one (a writer, a camera, a page) are not independent: then groups are
            resampled, each with all of its units.

    Returns:
        (value, low, high); all NaN without units, an infinite interval for one unit or group.
    """
    values = np.asarray(columns, np.float64)
    if values.shape[1] == 0:
        return (float("nan"),) * 3
    value = float(statistic(values.mean(axis=1, keepdims=True))[0])
    sums, sizes = _by_group(values, groups)
    units = len(sizes)
    if units == 1:
        return value, float("-inf"), float("inf")
    rng = keys.generator("study bootstrap", *key)
    means = np.empty((len(values), RESAMPLES))
    for start in range(0, RESAMPLES, 500):
        picked = rng.integers(0, units, (500, units))
        means[:, start : start + 500] = sums[:, picked].sum(axis=2) / sizes[picked].sum(axis=1)
    tail = expanded_tail(units)
    low, high = np.quantile(statistic(means), (tail, 1 - tail))
    return value, float(low), float(high)


def expanded_tail(units: int) -> float:
    """Probability below the lower end: that of the normal law at -t(units - 1) sqrt(units / (units - 1))."""
    from scipy import stats

    t = stats.t.ppf((1 - CONFIDENCE) / 2, units - 1)
    return float(stats.norm.cdf(t * (units / (units - 1)) ** 0.5))


def _by_group(values: np.ndarray, groups: Sequence[str | int] | None) -> tuple[np.ndarray, np.ndarray]:
    """Sums (columns, groups) and sizes (groups,), in the order in which groups first appear."""
    if groups is None:
        return values, np.ones(values.shape[1])
    number = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    index = np.array([number[group] for group in groups])
    sums = np.zeros((len(values), len(number)))
    for row, column in zip(sums, values, strict=True):
        np.add.at(row, index, column)
    return sums, np.bincount(index).astype(float)


def mean(values: Sequence[float], *key: keys.Key, groups: Sequence[str | int] | None = None) -> tuple[float, float, float]:
    """Mean with its interval."""
    return bootstrap(lambda means: means[0], [values], *key, groups=groups)


def difference(
    first: Sequence[float], second: Sequence[float], *key: keys.Key, groups: Sequence[str | int] | None = None
) -> tuple[float, float, float]:
    """Mean of paired differences ``first - second``, with its interval."""
    return bootstrap(lambda means: means[0] - means[1], [first, second], *key, groups=groups)


def ratio(
    first: Sequence[float], second: Sequence[float], *key: keys.Key, groups: Sequence[str | int] | None = None
) -> tuple[float, float, float]:
    """Ratio of the means of paired columns, ``first / second``, with its interval."""
    return bootstrap(lambda means: means[0] / means[1], [first, second], *key, groups=groups)


def share(successes: int, number: int) -> tuple[float, float, float]:
    """A share with its Wilson score interval (Wilson 1927); (NaN, 0, 1) without any trials."""
    if number == 0:
        return float("nan"), 0.0, 1.0
    z = 1.959963984540054
    p = successes / number
    centre = (p + z * z / (2 * number)) / (1 + z * z / number)
    half = z / (1 + z * z / number) * (p * (1 - p) / number + z * z / (4 * number * number)) ** 0.5
    return p, max(0.0, centre - half), min(1.0, centre + half)
