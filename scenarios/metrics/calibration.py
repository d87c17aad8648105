"""How well a run's semantic-noise estimates told what would be lost."""

import math
from collections.abc import Sequence

import numpy as np

from ...bus import keys
from .row import Row

RESAMPLES = 1000
MANY = 3000
"""Requests from which on intervals are not resampled, but of the normal approximation."""
LEAST = 10
"""Requests below which no correlation is given."""


def noise_pairs(rows: Sequence[Row]) -> np.ndarray:
    """(estimate, realised error) of the requests whose content was generated, shape (n, 2).

    Realised is ``generated_error``. An estimate is of the plainest prompt: where richer prompts mend what was foreseen, the two
    part. To calibrate an estimator, run it with ``prompt=fixed:parts=caption``.
    """
    drawn = [row for row in rows if row.semantic_noise is not None and row.generated_error is not None and row.generate_s > 0]
    pairs = [(row.semantic_noise, row.generated_error) for row in drawn]
    return np.array(pairs, dtype=float).reshape(-1, 2)


def rank_correlation(pairs: np.ndarray) -> float | None:
    """Spearman's rho of two columns, ties at their mean ranks; None with few requests or where one column is constant."""
    if len(pairs) < LEAST or np.ptp(pairs[:, 0]) == 0 or np.ptp(pairs[:, 1]) == 0:
        return None
    from scipy.stats import spearmanr

    return float(spearmanr(pairs[:, 0], pairs[:, 1]).statistic)


def rank_interval(pairs: np.ndarray) -> tuple[float, float]:
    """The middle 95 % of `rank_correlation` over keyed resamples of the requests; resamples without one are left out.

    Of many requests it is tanh(arctanh(rho) -+ 1.96 sqrt((1 + rho^2 / 2) / (n - 3))): Bonett and Wright, Psychometrika 65 (2000).
    """
    if len(pairs) >= MANY and (rho := rank_correlation(pairs)) is not None and abs(rho) < 1.0:
        half = 1.96 * math.sqrt((1 + rho**2 / 2) / (len(pairs) - 3))
        return math.tanh(math.atanh(rho) - half), math.tanh(math.atanh(rho) + half)
    rng = keys.generator("noise calibration", "bootstrap", len(pairs))
    drawn = (rank_correlation(pairs[rng.integers(len(pairs), size=len(pairs))]) for _ in range(RESAMPLES))
    found = [rho for rho in drawn if rho is not None]
    low, high = np.percentile(found, (2.5, 97.5))
    return float(low), float(high)
