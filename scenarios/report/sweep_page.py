"""The page and figure of a sweep."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from .. import folder as folders
from .html import chart, document, table
from .theme import CYCLE, figure, short

ENOUGH_SEEDS = 3
"""With two, an interval of Student's is 18 standard errors wide and hides the means."""
CAPTION = (
    f"Means over seeds, from {ENOUGH_SEEDS} seeds on with Student's 95 % intervals. A line for each setting of the other values. "
    "All points meet the same worlds, so that they differ by less than the intervals tell; semcast compare takes them in pairs."
)


def write_sweep_report(out: Path, answer: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], command: str) -> Path:
    """Write ``report.html`` and ``figures/sweep.png`` into the folder of a sweep."""
    sweep_curves(out / folders.FIGURES_FOLDER, answer)
    title = f"Sweep of {answer['scenario']}"
    seeds = f"{len(answer['seeds'])} seed{'s' if len(answer['seeds']) > 1 else ''}"
    body = [
        f'<header><div class="brand">semcast</div><h1>{escape(title)}</h1><pre>{escape(command)}</pre></header>',
        f"<p>{len(lines)} points, {seeds}; the same users, pictures and fading in every point.</p>",
        chart(out / folders.FIGURES_FOLDER / "sweep.png", CAPTION),
        table(lines),
        "<details><summary>All results</summary>",
        table(_equal_keys(answer["rows"])),
        "</details>",
    ]
    folders.write_text(out / folders.REPORT_FILE, document(f"{title} · semcast", body))
    return out / folders.REPORT_FILE


def _equal_keys(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return [{name: row.get(name) for name in names} for row in rows]


def sweep_curves(folder: Path, answer: Mapping[str, Any]) -> None:
    """A panel a metric, the first swept value along x, a line for each combination of the others."""
    first = answer["axes"][0]["path"]
    metrics = answer["metrics"]
    columns = min(3, len(metrics))
    rows = -(-len(metrics) // columns)
    options: dict[str, Any] = {"ncols": columns, "nrows": rows, "squeeze": False}
    with figure(folder, "sweep", (3.4 * columns + 0.4, 2.9 * rows + 0.7), **options) as (fig, axes):
        flat = [ax for line in axes for ax in line]
        for ax, metric in zip(flat, metrics, strict=False):
            entries = [entry for entry in answer["points"] if entry["metric"] == metric and entry["mean"] is not None]
            lines: dict[str, list[Mapping[str, Any]]] = {}
            for entry in entries:
                others = ", ".join(
                    f"{path}={short(str(value), 30)}" for path, value in entry["settings"].items() if path != first
                )
                lines.setdefault(others, []).append(entry)
            _panel(ax, first, lines)
            ax.set(xlabel=first, title=metric)
        for ax in flat[len(metrics) :]:
            ax.set_axis_off()
        handles, labels = flat[0].get_legend_handles_labels()
        if any(labels):
            fig.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=8)


def _panel(ax: Any, first: str, lines: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    values = list(dict.fromkeys(entry["settings"][first] for entries in lines.values() for entry in entries))
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    for (others, entries), colour in zip(lines.items(), CYCLE * (1 + len(lines) // len(CYCLE)), strict=False):
        x = [entry["settings"][first] if numeric else values.index(entry["settings"][first]) for entry in entries]
        y = [entry["mean"] for entry in entries]
        ax.plot(x, y, color=colour, marker="o", markersize=4.5, label=others)
        if all(entry["seeds"] >= ENOUGH_SEEDS for entry in entries):
            ax.fill_between(x, [e["low"] for e in entries], [e["high"] for e in entries], color=colour, alpha=0.15, linewidth=0)
    if not numeric:
        ax.set_xticks(range(len(values)), [short(str(value), 18) for value in values], fontsize=8)
    elif min(values) > 0 and max(values) / min(values) >= 30:
        ax.set_xscale("log")
