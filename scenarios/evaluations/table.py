"""The profile ``table`` against ``tiny``, the one that it was measured of: the same scenarios and seeds, none of them measured.

Of each seed and metric the difference of means is taken, in percent of the mean of ``tiny``; the scores of a request of the table
are the means of 16 draws. Two one-sided t-tests over seeds (Schuirmann's TOST) ask whether the mean difference lies within a
margin of 5 %; Holm's correction for the number of metrics.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median
from typing import Any

import numpy as np
from msgspec import structs
from scipy import stats

from ...agents.models.loading import TABLE, load_models, model_table
from ...agents.models.table.outcomes import NAMES
from ...agents.network import asked
from ...agents.playing import play
from ...bus import keys
from ..build import network_settings
from ..loading import load
from ..metrics.reduce import rows_of
from ..metrics.row import FAILED, Row
from ..metrics.story import Story, collect
from ..metrics.tabled import shipped
from . import Request
from .score import Score, Skipped

MARGIN = 5.0
"""Per cent of a metric."""
LEVEL = 0.05
DRAWS = 16
"""Of the scores of each request of the table, so that its means are tested and not its luck."""
WORLDS: Mapping[str, Mapping[str, Any]] = {
    "as it is": {},
    "weak links": {
        "radio.bs_power_dbm": 20.0,
        "radio.user_power_dbm": 18.0,
        "traffic.objects": [2, 6],
        "traffic.duration_s": 14.0,
    },
}
"""Changes of ``quickstart``; a seed runs in each."""


def _mean(column: str) -> Callable[[Sequence[Row]], float]:
    return lambda rows: fmean(getattr(row, column) for row in rows)


METRICS: Mapping[str, Callable[[Sequence[Row]], float]] = {
    "payload_bits": _mean("payload_bits"),
    "symbols_total": _mean("symbols_total"),
    "cbr": _mean("cbr"),
    "latency_s_p50": lambda rows: median(row.latency_s for row in rows),
    "latency_s": _mean("latency_s"),
    "joules": _mean("joules"),
    "object_recovery": _mean("object_recovery"),
    "object_recovery_iou50": _mean("object_recovery_iou50"),
    "generated_recovery": _mean("generated_recovery"),
    "semantic_error": _mean("semantic_error"),
    "image_alignment": _mean("image_alignment"),
    "object_alignment": _mean("object_alignment"),
    "text_alignment": _mean("text_alignment"),
    "subject_alignment": lambda rows: fmean(row.subject_alignment for row in rows if row.subject_alignment is not None),
    "psnr_db": _mean("psnr_db"),
    "psnr_to_original_db": _mean("psnr_to_original_db"),
    "ssim": _mean("ssim"),
    "satisfaction": _mean("satisfaction"),
    "failed_share": lambda rows: fmean(row.status == FAILED for row in rows),
}


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """Differences with 90 % intervals, which lie within the margin just where both tests reject at 5 %.

    Returns:
        ``table_METRIC_percent``: the mean difference over seeds; ``table_METRIC_p``: the larger p-value of both tests, corrected;
        ``table_equivalent_metrics``: how many differences were shown to be within the margin.
    """
    measured = {profile: [figures(profile, number, request) for number in range(request.seeds)] for profile in PROFILES}
    percent, p_values = {}, {}
    for name in METRICS:
        table, tiny = (np.array([one[name] for one in measured[profile]]) for profile in PROFILES)
        percent[name], p_values[name] = equivalence(table, tiny)
    corrected = holm(p_values)
    found: dict[str, Score | Skipped] = {f"table_{name}_percent": score for name, score in percent.items()}
    found |= {f"table_{name}_p": Score(p, p, p, request.seeds) for name, p in corrected.items()}
    equal = float(sum(p < LEVEL for p in corrected.values()))
    return found | {"table_equivalent_metrics": Score(equal, equal, equal, len(METRICS))}


PROFILES = ("table", "tiny")


def equivalence(table: np.ndarray, tiny: np.ndarray) -> tuple[Score, float]:
    """TOST of paired means over seeds.

    Args:
        table: Of each seed, shape (seeds,).
        tiny: Likewise; its mean is what the margin is a share of.

    Returns:
        Mean difference in percent with its 90 % interval, and the larger p-value of both one-sided t-tests against `MARGIN`.
    """
    difference = 100 * (table - tiny) / abs(float(tiny.mean()))
    n, centre = len(difference), float(difference.mean())
    error = float(difference.std(ddof=1)) / n**0.5
    if error == 0.0:
        return Score(centre, centre, centre, n), float(abs(centre) >= MARGIN)
    p = float(stats.t.sf((MARGIN - abs(centre)) / error, n - 1))
    half = float(stats.t.ppf(1 - LEVEL, n - 1)) * error
    return Score(centre, centre - half, centre + half, n), p


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down correction: p-values that can be compared with one level for all."""
    found, most = {}, 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        most = max(most, min(1.0, (len(p_values) - rank) * p_values[name]))
        found[name] = most
    return {name: found[name] for name in p_values}


def figures(profile: str, number: int, request: Request) -> dict[str, float]:
    """Every metric of one seed's runs together; kept in a folder, if one is given."""
    weights = {row.role: row.sha256 for row in model_table(profile)}
    described = json.dumps([profile, number, weights, {name: dict(changes) for name, changes in WORLDS.items()}], sort_keys=True)
    name = f"{hashlib.sha256(described.encode()).hexdigest()[:16]}.json"
    path = request.parts / name if request.parts else None
    if path and path.is_file():
        kept: dict[str, float] = json.loads(path.read_text())
        return kept
    request.tell(f"  {profile}, seed {number + 1} of {request.seeds}")
    rows = [row for world in WORLDS for row in _rows(profile, world, number)]
    found = {name: float(metric(rows)) for name, metric in METRICS.items()}
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found))
    return found


def _rows(profile: str, world: str, number: int) -> list[Row]:
    seed = keys.integer(1 << 31, "held-out table", world, number)
    scenario = load("quickstart", overrides={"models.profile": profile, "seed": seed, **WORLDS[world]})
    settings = network_settings(scenario)
    records = play(settings, "", None, load_models(profile, asked(settings)))
    stories, _ = collect(records, {"cloud": settings.compute.cloud_accelerators})
    rows = rows_of(stories, settings)
    return [_expected(row, story) for row, story in zip(rows, stories, strict=True)] if profile == TABLE else rows


def _expected(row: Row, story: Story) -> Row:
    """A row of the table with the means of `DRAWS` draws of its scores."""
    effects = [shipped().of(story, again)[1] for again in range(DRAWS)]
    scores: dict[str, float | None] = {
        name: fmean(getattr(effect, name) for effect in effects) for name in NAMES if not name.startswith("grey")
    }
    if row.subject_alignment is None:
        scores["subject_alignment"] = None
    return structs.replace(row, **scores)


def tables(scores: Mapping[str, Score | Skipped]) -> list[dict[str, Any]]:
    """For people: one row a metric."""
    rows = []
    for name in METRICS:
        score, p = scores[f"table_{name}_percent"], scores[f"table_{name}_p"]
        assert isinstance(score, Score) and isinstance(p, Score)
        interval = f"{score.low:+.2f} to {score.high:+.2f}"
        verdict = "yes" if p.value < LEVEL else "not shown"
        rows.append(
            {
                "metric": name,
                "difference_percent": round(score.value, 2),
                "interval_90": interval,
                "p": f"{p.value:.2g}",
                f"within_{MARGIN:g}_percent": verdict,
            }
        )
    return rows
