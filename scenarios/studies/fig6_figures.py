"""Figures of the study ``aigc-scm-fig6``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..report.theme import BLUE, GREY, MUTED, ORANGE, PURPLE, TEAL, figure
from . import inference
from .findings import Chart, Gallery
from .study import Study

if TYPE_CHECKING:
    from .fig6 import Column

COLOURS = {
    "NI": "#9cc0f5",
    "NA": BLUE,
    "HI": "#c9b0ee",
    "HA": PURPLE,
    "JSCC_H": TEAL,
    "JSCC_L": ORANGE,
    "Shannon": GREY,
}
SCORES = {
    "image_alignment": "whole image",
    "object_alignment": "objects",
    "text_alignment": "text",
    "subject_alignment": "personal subject",
}
ORIGINAL_BITS = 8 * 3 * 64 * 64
SHOWN = 6
"""Pictures in the gallery."""


def figures(folder: Path, columns: "dict[str, Column]", header: float) -> list[Chart]:
    """Draw them. ``header``: mean share of a file that is header."""
    return [_bandwidth(folder, columns, header), _alignment(folder, columns)]


def _bandwidth(folder: Path, columns: "dict[str, Column]", header: float) -> Chart:
    with figure(folder, "bandwidth", (7.6, 3.8)) as (_, axes):
        for place, (name, column) in enumerate(columns.items()):
            ratios = [float(np.mean(uses)) / ORIGINAL_BITS for uses in (column.up, column.down)]
            for step, ratio in enumerate(ratios):
                x = place + (step - 0.5) * 0.4
                axes.bar(x, ratio, 0.36, color=COLOURS[name], alpha=1.0 if step else 0.55)
                if name == "Shannon":
                    axes.hlines(ratio * (1 - header), x - 0.18, x + 0.18, color="white", lw=1.6, ls=(0, (2, 1)))
            alike = f"{ratios[0]:.2g}" == f"{ratios[1]:.2g}"
            text = f"{ratios[0]:.2g}" if alike else f"{ratios[0]:.2g} / {ratios[1]:.2g}"
            axes.annotate(text, (place, max(ratios)), (0, 3), textcoords="offset points", ha="center", fontsize=9, color=MUTED)
        axes.set_yscale("log")
        axes.set_yticks([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1], ["0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1"])
        axes.minorticks_off()
        axes.set_ylim(0.0008, 0.12)
        axes.set_xticks(range(len(columns)), list(columns))
        axes.set_ylabel("k/n: channel uses a bit of the original")
        axes.grid(axis="x", visible=False)
    caption = (
        "Channel uses that bring a picture to both receivers, over the bits of the original (CBR is eight times that). Pale: up "
        "to the base station, full: down; logarithmic. Dashed: Shannon without the header of its files."
    )
    return Chart("bandwidth", "Bandwidth compression ratio (the paper's Fig. 6b)", caption)


def _alignment(folder: Path, columns: "dict[str, Column]") -> Chart:
    with figure(folder, "alignment", (9.2, 4.0)) as (_, axes):
        lowest = 1.0
        for group, score in enumerate(SCORES):
            for step, (name, column) in enumerate(columns.items()):
                values = column.score(score)
                mean, low, high = inference.mean(values, "fig6", name, score)
                lowest = min(lowest, low)
                x = group + (step - (len(columns) - 1) / 2) * 0.125
                axes.bar(x, mean, 0.115, color=COLOURS[name], label=name if group == 0 else None)
                axes.errorbar(x, mean, [[max(mean - low, 0.0)], [max(high - mean, 0.0)]], color="#333a44", lw=1.1, capsize=1.8)
        axes.set_xticks(range(len(SCORES)), list(SCORES.values()))
        axes.set_ylim(max(0.0, np.floor((lowest - 0.05) * 10) / 10), 1.02)
        axes.set_ylabel("alignment with the original (cosine)")
        axes.grid(axis="x", visible=False)
        axes.legend(ncols=len(columns), loc="upper center", bbox_to_anchor=(0.5, -0.08), fontsize=9)
    caption = "Cosines of features of original and shown picture, with 95 % intervals. The axis does not begin at zero."
    return Chart("alignment", "Feature alignment (the paper's Fig. 6c)", caption)


_ROWS = (
    ("NI", "ni", "user.c"),
    ("NA", "na", "user.c"),
    ("HI, at B (general)", "hi", "user.b"),
    ("HI, at C (history)", "hi", "user.c"),
    ("HA, at B (general)", "ha", "user.b"),
    ("HA, at C (history)", "ha", "user.c"),
    ("JSCC, high rate", "jscc-high", ""),
    ("JSCC, low rate", "jscc-low", ""),
    ("Shannon (JPEG)", "shannon", ""),
)
"""Name of a row, arm, and receiver where it matters."""


def gallery(study: Study) -> Gallery:
    """The same pictures by all schemes; of each subject the first, then further ones."""
    pictures: dict[str, dict[str, Any]] = {}
    subjects: dict[str, str] = {}
    for label, arm, receiver in _ROWS:
        for story in study.arms[arm].stories():
            request, _, user = story.request.partition(">")
            if receiver and user != receiver:
                continue
            seen = pictures.setdefault(request, {})
            seen.setdefault("source", story.capture.picture)
            seen[label] = story.shown.picture if story.shown else b""
            subjects[request] = next(thing[-1] for thing in story.capture.truth if thing[-1])
    ordered = sorted(pictures, key=lambda request: int(request.rpartition("/")[2]))
    firsts = {subjects[request]: request for request in reversed(ordered)}
    chosen = [*firsts.values(), *(request for request in ordered if request not in firsts.values())][:SHOWN]
    labels = ("source", *(label for label, _, _ in _ROWS))
    rows = [(label, [_pixels(pictures[request].get(label, b"")) for request in chosen]) for label in labels]
    caption = "One picture for each subject, the first that was sent. What B makes of HI and HA is what both make of NI and NA."
    title = "The same pictures by all schemes (the paper's Fig. 6a)"
    return Gallery("pictures", title, [subjects[each] for each in chosen], rows, caption)


def _pixels(raw: bytes) -> np.ndarray | None:
    return np.frombuffer(raw, np.uint8).reshape(64, 64, 3) if raw else None
