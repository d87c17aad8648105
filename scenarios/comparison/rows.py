"""The rows of ``compare.json``: a choice's mean in a metric and its paired difference to the baseline."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .simultaneous import Claim, claims
from .statistics import Paired, Resamples, interval, mean, narrower, unpaired

METRICS = (
    "object_recovery",
    "object_recovery_iou50",
    "image_alignment",
    "object_alignment",
    "text_alignment",
    "subject_alignment",
    "semantic_error",
    "generated_error",
    "psnr_db",
    "psnr_to_original_db",
    "ssim",
    "fact_recovery",
    "generated_fact_recovery",
    "false_facts",
    "text_similarity",
    "wording",
    "cross_alignment",
    "satisfaction",
    "encoder_worth_db",
    "told_bits",
    "prompt_bits",
    "knowledge_bits",
    "symbols_up",
    "symbols_down",
    "symbols_total",
    "symbols_picture",
    "latency_s",
    "joules",
)
"""Columns that are compared, where they apply."""


def metrics_of(data: Paired) -> list[str]:
    """Those of `METRICS` that apply to some request."""
    return [name for name in METRICS if np.isfinite(data.values[name]).any()]


def contrast(data: Paired, point: str, baseline: str, metric: str) -> np.ndarray:
    """Difference of two points in a metric, by request."""
    return np.asarray(data.row(point, metric) - data.row(baseline, metric))


def difference_rows(
    data: Paired,
    labels: Mapping[str, str],
    baseline: str,
    resamples: Resamples,
    judged: Mapping[tuple[str, str], tuple[Claim, str]],
) -> list[dict[str, Any]]:
    """One row a point and metric.

    Args:
        data: All points.
        labels: Point -> what it is called, in the order of the rows.
        baseline: The point that differences are taken to.
        resamples: The draws.
        judged: (point, metric) -> simultaneous interval and verdict, of the primary metrics.

    Returns:
        Rows of ``choice``, ``metric``, ``mean``, ``difference``, ``low``, ``high`` (95 %, pointwise), ``seeds``; ``low_all``,
        ``high_all`` and ``verdict`` (simultaneous; None where not primary); ``against``; ``requests`` that count;
        ``unpaired_low``, ``unpaired_high``: the interval without pairing; ``times_narrower``: its width over the paired one's.
    """
    seeds = len(np.unique(data.seeds))
    found: dict[tuple[str, str], dict[str, Any]] = {}
    b = data.points.index(baseline)
    for metric in metrics_of(data):
        values = data.values[metric]
        samples, units = resamples.means(values), resamples.units(values)
        for p, point in enumerate(data.points):
            if point not in labels:
                continue
            bounds = interval(samples[:, p] - samples[:, b], units)
            apart = unpaired(samples[:, p], samples[:, b], units) if p != b else bounds
            claim, verdict = judged.get((point, metric), (None, None))
            found[point, metric] = {
                "choice": labels[point],
                "metric": metric,
                "mean": mean(values[p]),
                "difference": mean(values[p] - values[b]),
                **_bounds("", bounds),
                "seeds": seeds,
                "low_all": claim.low_all if claim else None,
                "high_all": claim.high_all if claim else None,
                "verdict": verdict,
                "against": labels[baseline],
                "requests": int(np.isfinite(values[p]).sum()),
                **_bounds("unpaired_", apart),
                "times_narrower": narrower(bounds, apart) if p != b else None,
            }
    return [found[point, metric] for point in labels for metric in metrics_of(data)]


def _bounds(prefix: str, bounds: tuple[float, float] | None) -> dict[str, float | None]:
    low, high = bounds or (None, None)
    return {f"{prefix}low": low, f"{prefix}high": high}


def judge_metrics(
    data: Paired,
    points: Sequence[str],
    baseline: str,
    primary: Mapping[str, bool],
    resamples: Resamples,
    more: Sequence[np.ndarray] = (),
) -> tuple[dict[tuple[str, str], tuple[Claim, str]], list[Claim]]:
    """Judge points in the primary metrics, all at once.

    Args:
        data: All points.
        points: Those to judge.
        baseline: What they are judged against.
        primary: Metric -> whether higher is better.
        resamples: The draws.
        more: Further contrasts that share the simultaneous intervals.

    Returns:
        (point, metric) -> claim and verdict; and the claims of the further contrasts.
    """
    pairs = [(point, metric) for point in points for metric in primary if np.isfinite(data.values[metric]).any()]
    all_of_them = claims([contrast(data, point, baseline, metric) for point, metric in pairs] + list(more), resamples)
    judged = {
        pair: (claim, claim.verdict(primary[pair[1]])) for pair, claim in zip(pairs, all_of_them[: len(pairs)], strict=True)
    }
    return judged, all_of_them[len(pairs) :]
