"""How all figures look."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

INK, MUTED, GRID = "#1c2127", "#6b7480", "#e3e7ec"
BLUE, ORANGE, GREEN, PURPLE, RED, TEAL, GOLD, GREY, PINK = (
    "#2f6fde",
    "#e07b39",
    "#2f9e6e",
    "#8a5cd1",
    "#cf4a5c",
    "#2a9db0",
    "#d3a019",
    "#9aa3ad",
    "#d77fb3",
)
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, TEAL, RED, GOLD, GREY)

STYLE: dict[str, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "svg.hashsalt": "semcast",
    "svg.fonttype": "none",
}


@contextmanager
def figure(folder: Path, name: str, size: tuple[float, float], **options: Any) -> Iterator[tuple[Any, Any]]:
    """A matplotlib figure and its axes, saved as ``folder/name.png`` and ``.svg`` afterwards.

    Args:
        folder: Where to save.
        name: File name without suffix.
        size: Inches.
        **options: Further arguments of ``subplots``.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        fig = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(fig)
        axes = fig.subplots(**options)
        yield fig, axes
        folder.mkdir(exist_ok=True)
        fig.savefig(folder / f"{name}.png", metadata={"Software": None})
        fig.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})


def short(text: str, most: int = 58) -> str:
    """A label that fits beside a plot: policies without what all of them share, paths by their end."""
    text = text.replace("fixed:codec=", "").replace("fixed:parts=", "")
    return text if len(text) <= most else "…" + text[1 - most :]


def data_uri(path: Path) -> str:
    """A PNG file as a ``data:`` URI."""
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
