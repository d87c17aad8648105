"""The figures of a comparison."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from ..comparison.curves import frontier
from .theme import BLUE, CYCLE, GREEN, GREY, INK, MUTED, ORANGE, PURPLE, RED, figure, short

COSTS = (("uplink", "uplink"), ("downlink", "downlink"), ("total", "uplink + downlink"))
VERDICT_COLOURS = {"better": GREEN, "worse": RED, "not distinguishable": GREY, "identical": GREY}
LINE_IN = 0.34
"""Height of one line of a forest plot, inches."""


def forest(folder: Path, name: str, panels: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]) -> bool:
    """Differences with both intervals, a panel a metric or rival: thick the pointwise, thin the one for all at once.

    Args:
        folder: Where to save.
        name: File name.
        panels: Title and rows (``label``, ``difference``, ``low``, ``high``, ``low_all``, ``high_all``, ``verdict``).
    """
    panels = [(title, [row for row in rows if row["difference"] is not None]) for title, rows in panels]
    panels = [(title, rows) for title, rows in panels if rows]
    if not panels:
        return False
    heights = [len(rows) + 1.6 for _, rows in panels]
    options: dict[str, Any] = {"nrows": len(panels), "height_ratios": heights, "squeeze": False}
    with figure(folder, name, (8.6, 0.35 + LINE_IN * sum(heights)), **options) as (_, axes):
        for ax, (title, rows) in zip(axes[:, 0], panels, strict=True):
            for y, row in enumerate(rows):
                colour = VERDICT_COLOURS.get(row["verdict"], PURPLE)
                if row["low_all"] is not None:
                    ax.plot([row["low_all"], row["high_all"]], [y, y], color=colour, linewidth=1.2, solid_capstyle="butt")
                if row["low"] is not None:
                    ax.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=5.0, solid_capstyle="butt", alpha=0.55)
                ax.plot([row["difference"]], [y], "o", color=colour, markersize=6, markeredgecolor="white")
            ax.axvline(0.0, color=INK, linewidth=1.0)
            ax.set_yticks(range(len(rows)), [short(row["label"]) for row in rows], fontsize=8.5)
            ax.set_ylim(len(rows) - 0.5, -0.5)
            ax.grid(False, axis="y")
            ax.set_title(title, fontsize=9.5)
    return True


def plane(folder: Path, name: str, data: Mapping[str, Any], verdicts: Mapping[str, str]) -> None:
    """Quality over cost: fixed choices and their hull, the hindsight oracle, and the choices."""
    with figure(folder, name, (8.6, 4.6)) as (_, ax):
        corners, best = np.array(data["hull"]), np.array(data["hindsight"])
        ends = max([point["cost"] for point in (*data["fixed"], *data["choices"])])
        ax.plot([*corners[:, 0], ends], [*corners[:, 1], corners[-1, 1]], color=BLUE, label="time sharing of fixed choices")
        ax.plot([*best[:, 0], ends], [*best[:, 1], best[-1, 1]], color=PURPLE, linestyle="--", label="oracle (hindsight)")
        x, y = zip(*((point["cost"], point["quality"]) for point in data["fixed"]), strict=True)
        ax.scatter(x, y, s=34, color=BLUE, alpha=0.55, linewidths=0, label="fixed choices")
        on_hull = {tuple(corner) for corner in data["hull"]}
        middle = (min(x) + ends) / 2
        for point in data["fixed"]:
            if (point["cost"], point["quality"]) in on_hull:
                text = short(point["fixed"].removeprefix("none, "), 40)
                _label(ax, point["cost"], point["quality"], text, to_the_left=point["cost"] > middle)
        judged = [point for point in data["choices"] if not point["choice"].startswith(("best fixed", "baseline"))]
        for marker, point in zip(cycle("Ds^vPX"), judged, strict=False):
            colour, where = VERDICT_COLOURS.get(verdicts.get(point["choice"], ""), ORANGE), ([point["cost"]], [point["quality"]])
            ax.scatter(*where, s=80, marker=marker, color=colour, edgecolors="white", zorder=5, label=short(point["choice"], 40))
        ax.margins(x=0.12, y=0.12)
        ax.set(xlabel=f"{data['cost']} of a request", ylabel=data["quality"], title=f"{data['quality']} over {data['cost']}")
        ax.legend(fontsize=8, loc="best")


def _label(ax: Any, x: float, y: float, text: str, to_the_left: bool) -> None:
    side: dict[str, Any] = {"xytext": (-4, 5), "ha": "right"} if to_the_left else {"xytext": (4, 5), "ha": "left"}
    ax.annotate(text, (x, y), textcoords="offset points", fontsize=7.5, color=BLUE, va="bottom", **side)


def scheme_curves(folder: Path, points: Sequence[Mapping[str, Any]]) -> None:
    """Recovery over symbols, a panel a direction, a colour a scheme."""
    schemes = list(dict.fromkeys(str(point["choice"]).split("/")[0] for point in points))
    with figure(folder, "compare", (10.5, 3.6), ncols=3, sharey=True) as (_, axes):
        for ax, (cost, title) in zip(axes, COSTS, strict=True):
            for scheme, colour in zip(schemes, CYCLE, strict=False):
                own = [point for point in points if str(point["choice"]).split("/")[0] == scheme]
                x, y = np.array([point[cost] for point in own]), np.array([point["object_recovery"] for point in own])
                line = frontier(x, y)
                ax.scatter(x, y, s=22, color=colour, alpha=0.45, linewidths=0)
                ax.plot(x[line], y[line], color=colour, label=scheme)
                adaptive = [i for i, point in enumerate(own) if str(point["choice"]).endswith("/adaptive")]
                ax.scatter(x[adaptive], y[adaptive], s=60, marker="D", color=colour, edgecolors="white")
            ax.set_xlim(left=0)
            ax.set(xlabel="complex symbols a request", title=title)
        axes[0].set(ylabel="object recovery", ylim=(0, 1.02))
        axes[2].legend(loc="lower left")


def tuning_dots(folder: Path, rows: Sequence[Mapping[str, Any]], metric: str, seeds: str) -> None:
    """The fixed choices on the tuning seeds, the best first."""
    values = [row[metric] for row in rows]
    with figure(folder, "tuning", (8.6, 0.9 + 0.27 * len(rows))) as (_, ax):
        ax.scatter(values, range(len(rows)), color=[BLUE] + [GREY] * (len(rows) - 1), s=45, zorder=3)
        for y, value in enumerate(values):
            ax.annotate(f"{value:.4g}", (value, y), (8, 0), textcoords="offset points", va="center", fontsize=8, color=MUTED)
        ax.set_yticks(range(len(rows)), [short(row["fixed"]) for row in rows], fontsize=8)
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.margins(x=0.1)
        ax.set(xlabel=metric, title=f"Fixed choices on {seeds}, for tuning")
