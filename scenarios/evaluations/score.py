"""A figure with its interval, or the reason why there is none."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...bus import keys

RESAMPLES = 2000


@dataclass(frozen=True)
class Score:
    """``value``, its 95 % interval ``low`` to ``high``, and the number of samples ``n`` (scenes, if nothing else is said)."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Skipped:
    """A figure that was not measured, because of ``reason``; never a made-up number."""

    reason: str


def as_json(score: Score | Skipped) -> dict[str, Any]:
    """``{"value", "low", "high", "n"}``; null and n = 0 with a ``skipped`` reason where there is no figure."""
    if isinstance(score, Score):
        return asdict(score)
    return {"value": None, "low": None, "high": None, "n": 0, "skipped": score.reason}


def ratio(values: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray]) -> Score:
    """A statistic of sums over samples, with its bootstrap interval (2000 keyed resamples, percentiles 2.5 and 97.5).

    Args:
        values: One row a sample, shape (samples, columns).
        statistic: Sums over samples of shape (..., columns) -> values of shape (...).
    """
    n = len(values)
    rng = keys.generator("evaluation", "bootstrap", n)
    samples = statistic(rng.multinomial(n, [1 / n] * n, size=RESAMPLES) @ values)
    low, high = np.percentile(samples, (2.5, 97.5))
    return Score(float(statistic(values.sum(axis=0))), float(low), float(high), n)


def mean(values: Sequence[float] | np.ndarray) -> Score:
    """The mean with its bootstrap interval."""
    table = np.stack([np.asarray(values, dtype=np.float64), np.ones(len(values))], axis=1)
    return ratio(table, lambda sums: np.asarray(sums[..., 0] / sums[..., 1]))
