"""A sweep: a grid over values of a scenario, and what its runs give."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from ...bus.errors import BadInput
from ..metrics.names import known_results, may_be_result
from ..mistakes import nearest
from .cells import Cell
from .plan import Point

METRICS = ("object_recovery", "semantic_error", "psnr_db", "air_symbols_per_request", "latency_s_p50")
"""Results that a sweep shows unless told otherwise, where runs give them; its files hold all."""


@dataclass(frozen=True)
class Axis:
    """One value that is swept: dotted ``path`` in the scenario and what it takes."""

    path: str
    values: tuple[Any, ...]


def grid_points(axes: Sequence[Axis]) -> list[Point]:
    """One point a combination, the last axis fastest."""
    points = []
    for values in product(*(axis.values for axis in axes)):
        settings = dict(zip((axis.path for axis in axes), values, strict=True))
        points.append(Point(", ".join(f"{path}={text_of(value)}" for path, value in settings.items()), "", settings))
    return points


def text_of(value: Any) -> str:
    """A value as people read it."""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def sweep_rows(points: Sequence[Point], cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """One row a point and seed: its settings, ``seed``, ``digest`` and all results of the run."""
    settings = {point.name: {path: _plain(value) for path, value in point.overrides.items()} for point in points}
    return [{**settings[cell.point], "seed": cell.seed, "digest": cell.digest, **cell.results} for cell in cells]


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) else str(value)


def check_metrics(wanted: Sequence[str]) -> None:
    """See, before anything is run, that there are results of these names.

    Raises:
        BadInput: No run can have one.
    """
    for name in wanted:
        if not may_be_result(name):
            close = nearest(name, known_results())
            raise BadInput(
                f"--metrics: no run has a result {name!r}",
                f"did you mean {close}?" if close else f"there are {', '.join(known_results())}",
            )


def known_metrics(cells: Sequence[Cell], wanted: Sequence[str]) -> list[str]:
    """The wanted results, or those of `METRICS` that the runs give.

    Raises:
        BadInput: A wanted result that no run gives.
    """
    given = {name for cell in cells for name in cell.results}
    for name in wanted:
        if name not in given:
            close = nearest(name, sorted(given))
            raise BadInput(
                f"--metrics: no run has a result {name!r}",
                f"did you mean {close}?" if close else f"there are {', '.join(sorted(given))}",
            )
    return list(wanted) or [name for name in METRICS if name in given]


def summary(points: Sequence[Point], cells: Sequence[Cell], metrics: Sequence[str]) -> list[dict[str, Any]]:
    """One entry a point and metric: ``settings``, ``metric``, ``mean`` over seeds, ``low`` and ``high`` of its 95 % interval.

    The interval is Student's over seeds, which share nothing; None with one seed. Differences between points of a grid are
    known better than these intervals tell, since points meet the same worlds: `semcast compare` takes them in pairs.
    """
    found = []
    for point, metric in product(points, metrics):
        values = [cell.results[metric] for cell in cells if cell.point == point.name and metric in cell.results]
        settings = {path: _plain(value) for path, value in point.overrides.items()}
        found.append({"settings": settings, "metric": metric, "seeds": len(values), **_student(values)})
    return found


def _student(values: Sequence[float]) -> dict[str, float | None]:
    if not values:
        return {"mean": None, "low": None, "high": None}
    n, centre = len(values), math.fsum(values) / len(values)
    if n < 2:
        return {"mean": centre, "low": None, "high": None}
    half = float(stats.t.ppf(0.975, n - 1)) * float(np.std(values, ddof=1)) / math.sqrt(n)
    return {"mean": centre, "low": centre - half, "high": centre + half}


def write_parquet(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows of `sweep_rows`; what a run does not give is null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pa.table({name: [row.get(name) for row in rows] for name in names})
    part = path.with_name(path.name + ".part")
    pq.write_table(table, part)
    part.replace(path)
