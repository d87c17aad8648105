"""A comparison of schemes in words and rows."""

from collections.abc import Mapping, Sequence
from typing import Any

COST_NAMES = {"symbols_total": "total", "symbols_up": "uplink", "symbols_down": "downlink"}


def point_table(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row a point: symbols by direction and recovery."""
    points: dict[str, dict[str, Any]] = {}
    for row in rows:
        points.setdefault(row["choice"], {})[row["metric"]] = row["mean"]
    return [
        {
            "choice": name,
            "uplink": values["symbols_up"],
            "downlink": values["symbols_down"],
            "total": values["symbols_total"],
            "object_recovery": values["object_recovery"],
            "psnr_to_original_db": values["psnr_to_original_db"],
            "latency_s": values["latency_s"],
        }
        for name, values in points.items()
    ]


def ratio_lines(ratios: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ratios as sentences; says so where there is none."""
    if not ratios:
        return ["The schemes reach no common object recovery: no ratio."]
    return [
        f"At object recovery {ratio['recovery']:.2f}: {ratio['second']} takes {ratio['ratio']:.2f} times the "
        f"{COST_NAMES[ratio['cost']]} symbols of {ratio['first']} (95 % interval {ratio['low']:.2f} to {ratio['high']:.2f})"
        for ratio in ratios
    ]
