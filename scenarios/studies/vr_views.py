"""What study ``vr`` shows: a table, a figure and a gallery."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...agents.models.roles import PICTURE_SIDE
from ...agents.style import liked
from ..report.theme import BLUE, GREEN, GREY, ORANGE, PURPLE, figure
from .findings import Gallery, Number, Table

WAYS = {
    "multicast": "one prompt for all",
    "unicast": "a prompt for each",
    "cloud": "a generated picture for each by JSCC",
    "file": "the picture as a file for all",
    "caption": "one caption for all",
}
_COLOURS = {"multicast": BLUE, "unicast": ORANGE, "cloud": PURPLE, "file": GREY, "caption": GREEN}
_EVERYBODY = 1.0
_TICKS = (300, 1000, 3000, 10_000)
"""Symbols."""


@dataclass(frozen=True)
class Seen:
    """A scene as its sender photographed it, and as its receivers saw it."""

    original: bytes
    pictures: dict[str, bytes]


def _of(numbers: Sequence[Number], name: str, way: str, receivers: int) -> Number | None:
    at = {"receivers": float(receivers)}
    return next((each for each in numbers if (each.name, each.arm, each.at) == (name, way, at)), None)


def table(numbers: Sequence[Number], groups: Sequence[int]) -> Table:
    """One row a way and number of receivers."""
    columns = {
        "air_symbols_per_scene": "symbols a scene",
        "downlink_symbols_per_scene": "of them down",
        "air_symbols_per_receiver": "symbols a receiver",
        "latency_s": "mean latency (s)",
        "latency_of_the_last_s": "latency of the last (s)",
        "object_recovery": "object recovery",
        "object_recovery_iou50": "with place",
        "difference_between_receivers": "difference between receivers",
        "delivered_share": "delivered",
        "joules_per_scene": "energy (J)",
    }
    rows = []
    for way, what in WAYS.items():
        for receivers in groups:
            found = {heading: _of(numbers, name, way, receivers) for name, heading in columns.items()}
            if any(found.values()):
                row: dict[str, Any] = {"way": what, "receivers": receivers}
                rows.append(row | {heading: None if each is None else round(each.value, 3) for heading, each in found.items()})
    return Table("Ways to show one scene to N receivers", rows, "Failed deliveries count with their floor scores in every mean.")


def draw(folder: Path, numbers: Sequence[Number], groups: Sequence[int]) -> None:
    """Air, latency and recovery over the number of receivers."""
    panels = {
        "air_symbols_per_scene": "Air (symbols a scene)",
        "latency_s": "Latency (s)",
        "object_recovery_iou50": "Things in their places (recovery)",
        "difference_between_receivers": "Own pictures (levels of 255)",
    }
    with figure(folder, "vr", (10.8, 3.5), ncols=4) as (fig, axes):
        for ax, (name, title) in zip(axes, panels.items(), strict=True):
            for way, label in WAYS.items():
                found = [each for receivers in groups if (each := _of(numbers, name, way, receivers))]
                if not found:
                    continue
                x = [each.at["receivers"] for each in found]
                ax.plot(x, [each.value for each in found], marker="o", color=_COLOURS[way], label=label)
                if len(found) > 1:
                    low, high = ([getattr(each, side) for each in found] for side in ("low", "high"))
                    ax.fill_between(x, low, high, color=_COLOURS[way], alpha=0.15, linewidth=0)
            ax.set_title(title, fontsize=9.5)
            ax.set_xlabel("receivers")
            ax.set_xscale("log", base=2)
            ax.set_xticks(list(groups), [str(each) for each in groups])
            ax.minorticks_off()
            if name == "air_symbols_per_scene":
                ax.set_yscale("log")
                ax.set_yticks(_TICKS, [f"{tick:,}" for tick in _TICKS])
                ax.minorticks_off()
            else:
                ax.set_ylim(bottom=0)
        handles, labels = axes[2].get_legend_handles_labels()
        fig.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=8.5)


def gallery(scenes: Sequence[Seen], seed: int) -> Gallery:
    """Source beside each receiver's picture."""
    users = sorted({user for scene in scenes for user in scene.pictures})
    rows = [
        (f"scene {number + 1}", [_pixels(scene.original), *(_pixels(scene.pictures.get(user, b"")) for user in users)])
        for number, scene in enumerate(scenes)
    ]
    columns = ["sent once", *(f"{user}\n{liked(seed, user, _EVERYBODY)}" for user in users)]
    caption = (
        "The sender's scene, and what every receiver made of the one prompt: in its own style, with the sender's dog as it is."
    )
    return Gallery("for_everybody", "One prompt, a picture for each", columns, rows, caption)


def _pixels(raw: bytes) -> np.ndarray | None:
    return np.frombuffer(raw, np.uint8).reshape(PICTURE_SIDE, PICTURE_SIDE, 3) if raw else None


def headline(numbers: Sequence[Number], groups: Sequence[int]) -> list[tuple[str, str]]:
    """What the page begins with."""
    most = groups[-1]
    air = {way: _of(numbers, "air_symbols_per_scene", way, most) for way in WAYS}
    told = []
    once = air["multicast"]
    if once:
        told.append((f"{once.value:,.0f}", f"symbols on the air for a scene to {most} receivers"))
        for way in ("unicast", "cloud", "file"):
            other = air[way]
            if other:
                told.append((f"{other.value / once.value:.1f}×", f"as many for {WAYS[way]}"))
    return told
