"""Figures of the study ``vehicular``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..metrics.story import Story
from ..report.theme import BLUE, INK, ORANGE, PURPLE, RED, figure
from . import inference
from .findings import Chart, Gallery
from .monitoring_figures import FRAMES, clip_row
from .study import Study

if TYPE_CHECKING:
    from .vehicular import Column

COLOURS = {"prompts": BLUE, "multicast": PURPLE, "jscc": ORANGE, "jscc-low": RED}
SHORT = {"prompts": "prompt", "multicast": "prompt,\nmulticast", "jscc": "JSCC", "jscc-low": "JSCC,\nlowest rate"}
MARK = (230, 40, 40)
"""Colour of the frame around an incident on a display."""


def figures(folder: Path, columns: "Mapping[str, Column]") -> list[Chart]:
    """Draw them."""
    return [_incidents(folder, columns), _cost(folder, columns)]


def _incidents(folder: Path, columns: "Mapping[str, Column]") -> Chart:
    with figure(folder, "incidents", (7.2, 3.6), ncols=2) as (_, axes):
        for ax, which, label in (
            (axes[0], "found", "share of incidents found"),
            (axes[1], "alarmed", "clips with a false alarm"),
        ):
            for place, (name, column) in enumerate(columns.items()):
                value, low, high = inference.share(*getattr(column, which))
                bars = [[max(value - low, 0.0)], [max(high - value, 0.0)]]
                ax.bar(place, value, 0.62, color=COLOURS[name], yerr=bars, ecolor=INK, capsize=3)
                ax.annotate(f"{value:.2f}", (place, high), (0, 3), textcoords="offset points", ha="center", fontsize=9)
            ax.set_xticks(range(len(columns)), [SHORT[name] for name in columns], fontsize=8.5)
            ax.set_ylabel(label)
            ax.set_ylim(0, 1.1)
            ax.grid(axis="x", visible=False)
    return Chart("incidents", "Incidents on display", "With Wilson intervals (95 %); each receiver of a group counts.")


def _cost(folder: Path, columns: "Mapping[str, Column]") -> Chart:
    with figure(folder, "cost", (7.2, 3.8)) as (_, axes):
        for name, column in columns.items():
            x, x_low, x_high = inference.mean(list(column.by_clip("symbols_total").values()), "cost", name)
            ages = [1000 * age for age in column.by_clip("latency_s").values()]
            y, y_low, y_high = inference.mean(ages, "age", name)
            bars: dict[str, Any] = {"xerr": [[x - x_low], [x_high - x]], "yerr": [[y - y_low], [y_high - y]]}
            label = SHORT[name].replace("\n", " ")
            axes.errorbar(x, y, **bars, fmt="o", markersize=8, color=COLOURS[name], label=label, elinewidth=1.2)
        axes.set_xscale("log")
        axes.set_xlabel("channel uses a clip and receiver, up and down")
        axes.set_ylabel("age at display, ms")
        axes.set_ylim(bottom=0)
        axes.legend(loc="upper left", fontsize=9)
    return Chart("cost", "Air and age", "Means over clips with 95 % intervals. To the lower left is better.")


def marked(story: Story, frames: list[Any]) -> list[Any]:
    """Frames with what the receiver knows of incidents framed, from the frame on in which they began."""
    told = story.shown.clip if story.shown else None
    if told is None:
        return frames
    result = []
    for number, picture in zip(FRAMES, frames, strict=True):
        if picture is not None:
            picture = np.array(picture)
            for incident in told.incidents:
                if incident.frame <= number:
                    _frame(picture, incident.cx, incident.cy)
        result.append(picture)
    return result


def _frame(picture: Any, cx: float, cy: float, half: int = 9) -> None:
    side = picture.shape[0]
    left, right = (int(min(max(cx + way * half, 0), side - 1)) for way in (-1, 1))
    top, bottom = (int(min(max(cy + way * half, 0), side - 1)) for way in (-1, 1))
    picture[top, left : right + 1] = picture[bottom, left : right + 1] = MARK
    picture[top : bottom + 1, left] = picture[top : bottom + 1, right] = MARK


def gallery(study: Study, stories: Mapping[str, Mapping[str, Story]]) -> Gallery:
    """For each kind of incident the first clip that has one: filmed, on the map, and as received by JSCC."""
    rows: list[tuple[str, list[Any]]] = []
    told: list[str] = []
    for request, story in stories["prompts"].items():
        truth = story.capture.clip
        kind = truth.incidents[0].kind if truth and truth.incidents else ""
        if not kind or kind in told:
            continue
        told.append(kind)
        rows.append((f"{kind}: filmed", clip_row(story.capture.picture)))
        for name, label in (("prompts", "map"), ("jscc", "JSCC")):
            seen = stories[name].get(request)
            if seen is not None and seen.shown is not None:
                rows.append((label, marked(seen, clip_row(seen.shown.picture))))
    caption = "Red frames: incidents that the receiver shows, from the frame on in which they began."
    return Gallery("streets", "Incidents, filmed and displayed", [f"frame {number}" for number in FRAMES], rows, caption)
