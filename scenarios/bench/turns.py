"""What a benchmark answers, and how turns of it are made into that: medians, and how far the turns lie apart."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

Result = dict[str, dict[str, Any]]
"""Name -> ``value``, ``unit``, ``ratio``, ``against``, ``workload``; where turns were taken also ``low`` and ``high``, the least
and the greatest ratio of a turn, and ``turns``. Points of a curve have ``x`` (with ``x_unit``) and ``series``, too."""


def number(value: float) -> str:
    """As people read it: four significant digits, or thousands."""
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def row(turns: Sequence[tuple[float, float]], unit: str, against: str, workload: str, **more: Any) -> dict[str, Any]:
    """A row of a result.

    Args:
        turns: Of each turn: ours and theirs, measured one after the other.
        unit: Of ours and of theirs.
        against: Whose theirs is.
        workload: What was done.
        **more: Further keys.

    Returns:
        ``value`` is the median of ours, ``ratio`` that of the turns' ratios ours / theirs.
    """
    ratios = [ours / theirs for ours, theirs in turns]
    median = statistics.median(theirs for _, theirs in turns)
    return {
        "value": statistics.median(ours for ours, _ in turns),
        "unit": unit,
        "ratio": statistics.median(ratios),
        "against": f"{against}: {number(median)} {unit}",
        "workload": workload,
        "low": min(ratios),
        "high": max(ratios),
        "turns": len(turns),
        **more,
    }
