"""The answer of a comparison of schemes or model profiles: differences to the first point, and ratios at equal recovery."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from .cells import Cell
from .curves import ratios
from .judgement import results
from .objectives import SCHEMES, with_derived
from .plan import Point
from .rows import difference_rows, judge_metrics
from .statistics import Resamples, paired


def answer_of_points(what: str, points: Sequence[Point], cells: Sequence[Cell]) -> dict[str, Any]:
    """The content of ``compare.json``.

    Args:
        what: ``scheme`` or ``models``.
        points: The first is what the others are compared with.
        cells: All cells.
    """
    names = [point.name for point in points]
    data = with_derived(paired(names, cells))
    resamples = Resamples(data.seeds)
    labels = {name: name for name in names}
    judged, _ = judge_metrics(data, names[1:], names[0], SCHEMES.primary, resamples)
    schemes: dict[str, list[int]] = {}
    for i, point in enumerate(points):
        schemes.setdefault(point.choice, []).append(i)
    found = ratios(data, schemes, resamples) if what == "scheme" and len(schemes) > 1 else []
    return {
        "compared": what,
        "kind": "",
        "baseline": names[0],
        "objective": {
            "metric": SCHEMES.metric,
            "formula": SCHEMES.formula,
            "higher_is_better": SCHEMES.higher_is_better,
            "primary": list(SCHEMES.primary),
        },
        "requests": int(len(data.seeds)),
        "seeds": np.unique(data.seeds).tolist(),
        "rows": difference_rows(data, labels, names[0], resamples, judged),
        "ratios": [asdict(ratio) for ratio in found],
        "results": results(cells, labels),
        "digests": {f"{cell.point} seed {cell.seed}": cell.digest for cell in cells},
    }
