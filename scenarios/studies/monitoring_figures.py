"""Figures of the study ``monitoring``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...agents.models.roles import PICTURE_SIDE
from ..metrics.story import Story
from ..report.theme import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, TEAL, figure
from . import inference
from .findings import Chart, Gallery
from .study import Study

if TYPE_CHECKING:
    from .monitoring import Column

COLOURS = {
    "jscc": ORANGE,
    "jscc-low": RED,
    "each": GREY,
    "kb": BLUE,
    "kb-stride": TEAL,
    "kb-predicted": PURPLE,
    "kb-known": GREEN,
}
SHORT = {
    "jscc": "JSCC",
    "jscc-low": "JSCC, lowest rate",
    "each": "knowledge with each clip",
    "kb": "KB",
    "kb-stride": "KB + completion",
    "kb-predicted": "KB + prediction",
    "kb-known": "KB + prediction, known looks",
}
FRAMES = (0, 3, 6, 9, 12, 15)
"""Frames in the gallery."""


def figures(
    folder: Path,
    columns: "Mapping[str, Column]",
    completion: Mapping[str, Mapping[str, Sequence[float]]],
    ahead: Mapping[int, Mapping[str, Sequence[float]]],
) -> list[Chart]:
    """Draw them."""
    return [_cost(folder, columns), _spent(folder, columns), _completion(folder, completion), _horizon(folder, ahead)]


def _cost(folder: Path, columns: "Mapping[str, Column]") -> Chart:
    with figure(folder, "cost", (7.2, 4.2)) as (_, axes):
        for name, column in columns.items():
            x, x_low, x_high = inference.mean(column.symbols, "cost", name)
            y, y_low, y_high = inference.mean(column.of("object_recovery_iou50"), "recovery", name)
            bars = {"xerr": [[x - x_low], [x_high - x]], "yerr": [[y - y_low], [y_high - y]]}
            axes.errorbar(x, y, **bars, fmt="o", markersize=8, color=COLOURS[name], label=SHORT[name], elinewidth=1.2)
        axes.set_xscale("log")
        axes.set_xticks((100, 200, 500, 1000, 2000, 5000), ("100", "200", "500", "1,000", "2,000", "5,000"))
        axes.minorticks_off()
        axes.set_xlabel("channel uses a frame, up and down")
        axes.set_ylabel("objects recovered in place")
        axes.legend(loc="upper center", bbox_to_anchor=(0.46, -0.16), ncols=3, fontsize=9)
    caption = (
        "Air and object recovery with place (IoU of 0.5), means over clips with 95 % intervals. To the upper left is better."
    )
    return Chart("cost", "What a frame costs, and what of it comes across", caption)


def _spent(folder: Path, columns: "Mapping[str, Column]") -> Chart:
    with figure(folder, "spent", (7.2, 3.8)) as (_, axes):
        for name in ("each", "kb", "kb-stride", "kb-predicted", "kb-known"):
            column = columns[name]
            total = np.cumsum([row.prompt_bits + row.knowledge_bits for row in column.rows.values()]) / 1000
            dashes = {"linestyle": (0, (4, 3))} if name == "kb-predicted" else {}  # nearly the same as with completion
            axes.plot(range(1, len(total) + 1), total, color=COLOURS[name], label=SHORT[name], **dashes)
        axes.set_xlabel("clips")
        axes.set_ylabel("kbit sent so far, both hops")
        axes.legend(loc="upper left", fontsize=9)
    return Chart(
        "spent", "What the KB saves over time", "Prompts and knowledge, added up. A KB pays from a camera's second clip on."
    )


def _completion(folder: Path, completion: Mapping[str, Mapping[str, Sequence[float]]]) -> Chart:
    names = {"prompt": "moved along\nits track", "repeat": "last frame\nrepeated", "blend": "neighbours\nblended"}
    with figure(folder, "completion", (7.2, 3.4), ncols=2) as (_, axes):
        for ax, (metric, label) in zip(axes, (("iou50", "objects recovered in place"), ("psnr_db", "PSNR, dB")), strict=True):
            for place, (way, colour) in enumerate((("prompt", TEAL), ("repeat", GREY), ("blend", GREEN))):
                value, low, high = inference.mean(completion[way][metric], "completion", way, metric)
                ax.bar(place, value, 0.62, color=colour, yerr=[[value - low], [high - value]], ecolor=INK, capsize=3)
                ax.annotate(f"{value:.2f}", (place, high), (0, 3), textcoords="offset points", ha="center", fontsize=9)
            ax.set_xticks(range(3), [names[way] for way in ("prompt", "repeat", "blend")], fontsize=8.5)
            ax.set_ylabel(label)
            ax.grid(axis="x", visible=False)
            ax.margins(y=0.12)
    caption = "Frames between the told ones (every fourth is told), from the same received frames. 95 % intervals over clips."
    return Chart("completion", "Missing frames", caption)


def _horizon(folder: Path, ahead: Mapping[int, Mapping[str, Sequence[float]]]) -> Chart:
    with figure(folder, "horizon", (7.2, 3.6)) as (_, axes):
        for way, colour, label in (("predicted", PURPLE, "Kalman filter"), ("last", GREY, "stays where it was")):
            points = [(each, *inference.mean(found[way], "horizon", way, each)) for each, found in ahead.items() if found[way]]
            x, y, low, high = (np.array(each, float) for each in zip(*points, strict=True))
            axes.plot(x, y, color=colour, marker="o", label=label)
            axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.set_xlabel("frames ahead (an eighth of a second each)")
        axes.set_ylabel("error of the place, pixels")
        axes.set_ylim(bottom=0)
        axes.legend(loc="upper left")
    return Chart("horizon", "Next frames predicted", "After eight known frames of a thing. Means over clips, 95 % intervals.")


def clip_row(picture: bytes | None) -> list[Any]:
    """The gallery's frames of a clip."""
    if picture is None:
        return [None] * len(FRAMES)
    frames = np.frombuffer(picture, np.uint8).reshape(-1, PICTURE_SIDE, PICTURE_SIDE, 3)
    return [frames[number] if number < len(frames) else None for number in FRAMES]


def gallery(study: Study, stories: Mapping[str, Mapping[str, Story]]) -> Gallery:
    """One clip in all arms: a late one, when backgrounds are known, of which most is moving."""
    requests = sorted(stories["kb"], key=lambda request: int(request.rpartition("/")[2]))
    half = requests[len(requests) // 2 :]
    chosen = max(half, key=lambda request: (len(stories["kb"][request].capture.truth), request))
    rows: list[tuple[str, list[Any]]] = [("filmed", clip_row(stories["kb"][chosen].capture.picture))]
    for name in study.arms:
        shown = stories[name][chosen].shown
        rows.append((SHORT[name], clip_row(shown.picture if shown else None)))
    caption = f"Clip {chosen}: frames as filmed, and as the control room shows them."
    return Gallery("clip", "One clip, as it was shown", [f"frame {number}" for number in FRAMES], rows, caption)
