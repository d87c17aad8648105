"""Intervals that hold all at once: with many choices and metrics some pointwise interval misses zero by luck alone.

A *contrast* is one value a request whose mean is what is claimed, such as the difference of two choices in a metric.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .statistics import LEVEL, Resamples, interval, mean, sums_and_numbers

SPARSE = 0.25 * (1.0 - LEVEL)
"""Share of the resamples, over all contrasts, in which a contrast may be without error before it counts as sparse."""
BETTER, WORSE, UNCLEAR, IDENTICAL = "better", "worse", "not distinguishable", "identical"


@dataclass(frozen=True)
class Claim:
    """A contrast's mean with its pointwise interval (``low``, ``high``) and the simultaneous one; None: too few units."""

    difference: float | None
    low: float | None
    high: float | None
    low_all: float | None
    high_all: float | None

    def verdict(self, higher_is_better: bool) -> str:
        """``better``, ``worse`` or ``not distinguishable``, by the simultaneous interval; ``identical``: no request differs."""
        if self.difference == self.low == self.high == 0.0:
            return IDENTICAL
        if self.low_all is None or self.high_all is None or self.low_all <= 0.0 <= self.high_all:
            return UNCLEAR
        return BETTER if (self.low_all > 0.0) == higher_is_better else WORSE


def claims(contrasts: Sequence[np.ndarray], resamples: Resamples) -> list[Claim]:
    """Pointwise and simultaneous 95 % intervals of the means of contrasts.

    The simultaneous ones are studentised max-|t| bootstrap bands, the single-step form of Romano and Wolf, "Stepwise Multiple
    Testing as Formalized Data Snooping", Econometrica 73(4), 2005: ``mean_c +- q se_c`` with q the 0.95 quantile over
    resamples of ``max_c |mean*_c - mean_c| / se*_c``. se is the standard error over seeds (over requests if there is one
    seed): ``se^2 = k / (k - 1) sum_j (S_j - N_j mean)^2 / N^2``, S_j the sum and N_j the number of values of seed j. A
    contrast that is the same for all requests has no error and no part in q; nor has a sparse one, which differs from 0 in so
    few places that many resamples hold none of them: it gets no simultaneous interval. Bands are never narrower than the
    pointwise intervals.

    Args:
        contrasts: One value a request each, nan where a contrast does not apply.
        resamples: The draws.
    """
    if not contrasts:
        return []
    values = np.array(contrasts)
    estimates = np.array([np.nan if (centre := mean(row)) is None else centre for row in values])
    errors = _errors(values, resamples, resampled=False)[0]
    samples = resamples.means(values)
    known = np.isfinite(estimates) & (errors > 1e-12 * (1.0 + np.abs(estimates)))
    quantile = np.nan
    if known.any():
        with np.errstate(invalid="ignore", divide="ignore"):
            own = _errors(values[known], resamples, resampled=True)
            ratios = np.abs(samples - estimates)[:, known] / own
        alike = ~(own > 1e-9 * errors[known])  # all draws alike, but for rounding: as far off as can be
        sparse = alike.sum(axis=0) > max(1.0, SPARSE * len(ratios) / ratios.shape[1])
        known[np.flatnonzero(known)[sparse]] = False
        ratios = np.where(alike, np.inf, ratios)[:, ~sparse]
        if ratios.shape[1]:
            quantile = float(np.quantile(ratios.max(axis=1), LEVEL, method="higher"))
    bounds = [interval(samples[:, c], resamples.units(values[c : c + 1])) for c in range(len(values))]
    return [_claim(estimates[c], errors[c], bounds[c], quantile if known[c] else np.inf) for c in range(len(values))]


def _claim(estimate: float, error: float, bounds: tuple[float, float] | None, quantile: float) -> Claim:
    if not np.isfinite(estimate):
        return Claim(None, None, None, None, None)
    if bounds is None:
        return Claim(float(estimate), None, None, None, None)
    half = quantile * error if error > 1e-12 * (1.0 + abs(estimate)) else 0.0
    if not np.isfinite(half):
        return Claim(float(estimate), *bounds, None, None)
    return Claim(float(estimate), *bounds, min(bounds[0], float(estimate) - half), max(bounds[1], float(estimate) + half))


def _errors(values: np.ndarray, resamples: Resamples, resampled: bool) -> np.ndarray:
    """Standard errors of the means of values (rows, requests): (1, rows) of the data, or (resamples, rows) of each resample."""

    def plain(inner: np.ndarray) -> np.ndarray:
        return np.stack([inner[:, inside].sum(axis=1) for inside in resamples.members])[None]

    sums = resamples.sums if resampled else plain
    total, number = sums_and_numbers(sums, values)
    with np.errstate(invalid="ignore", divide="ignore"):
        if len(resamples.members) == 1:
            n = number.sum(axis=1)
            centre = total.sum(axis=1) / n
            shift = np.nanmean(values, axis=1)  # near the mean, so that squares lose no digits
            squares = sums(np.where(np.isfinite(values), values - shift[:, None], 0.0) ** 2).sum(axis=1)
            return np.asarray(np.sqrt(np.maximum(squares / n - (centre - shift) ** 2, 0.0) / (n - 1)))
        k = (number > 0).sum(axis=1)
        centre = total.sum(axis=1) / number.sum(axis=1)
        deviations = total - number * centre[:, None, :]
        return np.asarray(np.sqrt(k / (k - 1) * (deviations**2).sum(axis=1)) / number.sum(axis=1))
