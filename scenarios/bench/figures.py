"""A figure of each benchmark: curves where its rows have an ``x``, bars of ratios elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..report.theme import BLUE, CYCLE, GREY, MUTED, figure
from .turns import Result, number


def draw(folder: Path, name: str, results: Result) -> None:
    """Write ``<name>.png`` and ``<name>.svg``.

    Args:
        folder: Where to.
        name: Of the benchmark.
        results: What it answered.
    """
    points = {key: each for key, each in results.items() if "x" in each}
    if points:
        _curves(folder, name, points)
    elif results:
        _bars(folder, name, results)


def _bars(folder: Path, name: str, results: Result) -> None:
    """Ratios, from the least to the greatest of a turn."""
    with figure(folder, name, (8.2, 1.0 + 0.34 * len(results))) as (_, ax):
        for place, each in enumerate(results.values()):
            ratio = float(each["ratio"])
            ax.barh(place, ratio, color=CYCLE[0], height=0.6)
            if "low" in each:
                ax.plot((each["low"], each["high"]), (place, place), color=MUTED, linewidth=1.4)
            end = max(ratio, each.get("high", 0.0))
            told = f"{ratio:.3g}   {number(each['value'])} {each['unit']} against {each['against']}"
            ax.annotate(told, (end, place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=7.5)
        ax.axvline(1.0, color=GREY, linestyle="--", linewidth=1.0)
        ax.set_yticks(range(len(results)), list(results), fontsize=8)
        ax.invert_yaxis()
        ax.margins(x=1.3)
        ax.set_xlim(left=0.0)
        ax.grid(False, axis="y")
        ax.set(xlabel="ratio, with the least and the greatest of a turn", title=f"semcast bench {name}")


def _curves(folder: Path, name: str, results: Result) -> None:
    """Ratios over ``x``, series with one unit and one other side in one plot; absolute values at the points."""
    plots: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for each in results.values():
        plots.setdefault(str(each["unit"]), {}).setdefault(str(each["series"]), []).append(each)
    panels = [(unit, series) for unit, found in plots.items() for series in _together(unit, found)]
    with figure(folder, name, (4.1 * len(panels), 3.4), ncols=len(panels), squeeze=False) as (fig, axes):
        for ax, (unit, series) in zip(axes[0], panels, strict=True):
            for (label, points), colour in zip(series.items(), (BLUE, *CYCLE[1:]), strict=False):
                x, ratios = [each["x"] for each in points], [float(each["ratio"]) for each in points]
                errors = [[r - each["low"] for r, each in zip(ratios, points, strict=True)]]
                errors.append([each["high"] - r for r, each in zip(ratios, points, strict=True)])
                ax.errorbar(x, ratios, yerr=errors, color=colour, marker="o", markersize=5, capsize=3, label=label)
                for point, ratio in zip(points, ratios, strict=True):
                    told = _short(point["value"], unit)
                    ax.annotate(told, (point["x"], ratio), xytext=(0, 7), textcoords="offset points", fontsize=7, ha="center")
            ax.axhline(1.0, color=GREY, linestyle="--", linewidth=1.0)
            ax.set_xscale("log")
            ax.margins(0.15, 0.2)
            ax.set_ylim(bottom=0.0)
            ax.set(xlabel=points[0]["x_unit"], ylabel=f"ratio to {str(points[0]['against']).partition(':')[0]}")
            ax.legend(fontsize=8)
        fig.suptitle(f"semcast bench {name}", fontsize=11, fontweight="bold", x=0.02, ha="left")


def _short(value: float, unit: str) -> str:
    """A label that leaves room for its neighbours: seconds below a tenth in ms, without what they are of."""
    short = unit.partition(" ")[0]
    return f"{value * 1e3:.3g} ms" if short == "s" and value < 0.1 else f"{number(value)} {short}"


def _together(unit: str, found: dict[str, list[Mapping[str, Any]]]) -> list[dict[str, list[Mapping[str, Any]]]]:
    """Speeds of workers and bare processes belong into one plot; what one more user costs and a request do not."""
    return [found] if unit.endswith("/s") else [{label: points} for label, points in found.items()]
