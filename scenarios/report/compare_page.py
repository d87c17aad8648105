"""The page and figure of a comparison."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from .. import folder as folders
from ..comparison.curves import frontier
from ..comparison.tables import point_table, ratio_lines
from .html import chart, document, table
from .theme import CYCLE, figure

COSTS = (("uplink", "uplink"), ("downlink", "downlink"), ("total", "uplink + downlink"))


def write_compare_report(out: Path, what: str, answer: Mapping[str, Any], command: str) -> Path:
    """Write ``report.html`` and ``figures/compare.png`` into the folder of a comparison."""
    body = [
        f'<header><div class="brand">semcast</div><h1>Comparison of {escape(what)}s</h1><pre>{escape(command)}</pre></header>'
    ]
    body.append(f"<p>{answer['requests']} requests a point, the same ones in every point.</p>")
    if what == "scheme":
        points = point_table(answer["rows"])
        scheme_curves(out / folders.FIGURES_FOLDER, points)
        body += [chart(out / folders.FIGURES_FOLDER / "compare.png", CAPTION)]
        body += ["<ul>", *(f"<li>{escape(line)}</li>" for line in ratio_lines(answer["ratios"])), "</ul>", table(points)]
    body += ["<h2>Paired differences to the first choice, 95 % intervals</h2>", table(answer["rows"])]
    folders.write_text(out / folders.REPORT_FILE, document(f"comparison of {what}s · semcast", body))
    return out / folders.REPORT_FILE


CAPTION = (
    "Objects recovered over complex symbols a request, pilots, retransmissions, CSI and knowledge included. "
    "Each dot is one setting (codec and prompt), lines join the settings that no other of the scheme beats, "
    "diamonds are the adaptive policies."
)


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
