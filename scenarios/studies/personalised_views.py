"""What study ``personalised`` shows: a table, a figure and a gallery."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...agents.models.roles import PICTURE_SIDE
from ...agents.style import liked, references
from ...bus.records import Capture
from ..report.theme import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, figure
from .findings import Gallery, Number, Table

ARMS = {
    "none": "nothing personal",
    "history": "knows the subject",
    "style": "in its style",
    "both": "both",
    "cloud": "cloud, as told",
}
"""Arm -> what its receivers have."""
_COLOURS = {"none": GREY, "history": BLUE, "style": ORANGE, "both": GREEN, "cloud": PURPLE}
_EVERYBODY = 1.0


def _of(numbers: Sequence[Number], name: str, arm: str) -> Number | None:
    return next((each for each in numbers if (each.name, each.arm) == (name, arm)), None)


def table(numbers: Sequence[Number]) -> Table:
    """One row an arm."""
    columns = {
        "subject_alignment": "personal subject alignment",
        "style_distance": "distance to the receiver's style",
        "object_recovery": "object recovery",
        "object_recovery_colours_back": "the same, colours put back",
        "prompt_bits_per_picture": "prompt bits a picture",
        "air_symbols_per_picture": "air symbols a picture",
        "bits_before_the_service": "bits before the service",
        "users_whose_style_the_cloud_knows": "styles that the cloud knows",
    }
    rows = []
    for arm, what in ARMS.items():
        row: dict[str, Any] = {"arm": arm, "receivers": what}
        for name, heading in columns.items():
            found = _of(numbers, name, arm)
            row[heading] = None if found is None else round(found.value, 3)
        rows.append(row)
    note = "Bits before the service: history, terms, answers, branches and settlements of all users together, source-coded."
    return Table("What is used of the receiver, what it brings and what it costs", rows, note)


def draw(folder: Path, numbers: Sequence[Number]) -> None:
    """Alignment, style distance and recovery by arm, with intervals."""
    panels = {
        "subject_alignment": "Own subjects look as they are\n(alignment, higher is better)",
        "style_distance": "Colours are those that are liked\n(distance, lower is better)",
        "object_recovery": "Things are there\n(object recovery)",
    }
    with figure(folder, "personalised", (9.6, 3.6), ncols=3, sharey=True) as (fig, axes):
        for ax, (name, title) in zip(axes, panels.items(), strict=True):
            for place, arm in enumerate(ARMS):
                found = _of(numbers, name, arm)
                if found is None or found.low is None or found.high is None:
                    continue
                off = [[found.value - found.low], [found.high - found.value]]
                ax.barh(place, found.value, color=_COLOURS[arm], height=0.62)
                ax.errorbar(found.value, place, xerr=off, color=INK, capsize=3, linewidth=1.2)
                back = _of(numbers, f"{name}_colours_back", arm)
                if back is not None:
                    label = "with the colours put back" if (name, arm) == ("object_recovery", "style") else None
                    ax.plot(back.value, place, marker="D", color="white", markeredgecolor=INK, linestyle="none", label=label)
            ax.set_title(title, fontsize=9.5)
            ax.set_yticks(range(len(ARMS)), list(ARMS.values()))
            ax.grid(axis="y", visible=False)
            ax.set_xlim(left=0)
        axes[0].invert_yaxis()
        fig.legend(loc="outside lower right", fontsize=8)


def gallery(pictures: Mapping[str, Mapping[str, bytes]], captures: Sequence[Capture], seed: int) -> Gallery:
    """The sent picture, one that its receiver likes, and what it sees in each arm.

    Args:
        pictures: Arm -> request -> what was shown.
        captures: Of the requests to show.
        seed: Of the network.
    """
    rows = []
    for capture in captures:
        look = liked(seed, capture.recipient, _EVERYBODY)
        likes = references(seed, capture.recipient, look)[0]
        seen = [pictures[arm].get(capture.request, b"") for arm in ARMS]
        sender = capture.request.partition("/")[0]
        rows.append(
            (f"{sender} to\n{capture.recipient},\nlikes {look}", [_pixels(raw) for raw in (capture.picture, likes, *seen)])
        )
    caption = (
        "Left: what the sender photographed, and a picture that the receiver likes. Then what the receiver sees: with nothing "
        "personal; knowing the sender's subject; in its style; both; and from the cloud, which knows styles that were shared."
    )
    return Gallery("for_whom", "One prompt, personal pictures", ["sent", "likes", *ARMS.values()], rows, caption)


def _pixels(raw: bytes) -> np.ndarray | None:
    return np.frombuffer(raw, np.uint8).reshape(PICTURE_SIDE, PICTURE_SIDE, 3) if raw else None


def headline(numbers: Sequence[Number]) -> list[tuple[str, str]]:
    """What the page begins with."""
    told = []
    for name, what in (("subject_alignment", "likeness of personal subjects"), ("style_distance", "distance to the style")):
        one, two = (_of(numbers, name, arm) for arm in ("none", "both"))
        if one and two:
            told.append((f"{one.value:.2f} → {two.value:.2f}", f"{what}, from nothing personal to both"))
    back = _of(numbers, "object_recovery_colours_back", "style")
    if back:
        told.append((f"{back.value:.2f}", "object recovery of styled pictures, colours put back"))
    return told
