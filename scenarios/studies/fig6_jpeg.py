"""JPEG files of other qualities in study ``aigc-scm-fig6``: what they would take and be worth, from the pictures of its run.

No network runs for them: at 10 dB files come through by the first transmission, so that channel uses follow from the bits, and
what is shown is the file's picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from msgspec import structs

from ...agents.picture_files import opened, written
from ...bus.channel.account import feedback_symbols
from ...bus.channel.mcs import MCS_BY_NAME, segment
from ...bus.records import AirRecord
from ..metrics.judging import judged
from ..metrics.story import Story
from . import inference
from .findings import Number, Table
from .study import Arm, Study

CODEC = "jpeg"
ORIGINAL_BITS = 8 * 3 * 64 * 64
SCORES = ("image_alignment", "object_alignment", "subject_alignment")


@dataclass(frozen=True)
class Quality:
    """One quality: channel uses up and down together, and scores by name, of each picture."""

    quality: int
    uses: list[float]
    scores: dict[str, list[float]]


def sweep(study: Study, arm: Arm, used: int, qualities: Sequence[int]) -> list[Quality]:
    """Every quality; ``arm``: the run of files of quality ``used``."""
    stories = arm.stories()
    found = []
    for place, quality in enumerate(qualities):
        study.tell(place, len(qualities), f"JPEG files of quality {quality}")
        found.append(_of(stories, used, quality))
    return found


def _of(stories: Sequence[Story], used: int, quality: int) -> Quality:
    uses, shown = [], []
    for story in (story for story in stories if story.shown is not None):
        assert story.shown is not None
        picture = story.capture.picture
        file = written(picture, CODEC, quality)
        fewer_bits = 8 * (len(written(picture, CODEC, used)) - len(file))
        uses.append(float(sum(channel_uses(air, fewer_bits) for air in story.airs if air.purpose == "features")))
        shown.append(replace(story, shown=structs.replace(story.shown, picture=opened(file))))
    scores = judged(shown)
    return Quality(
        quality,
        uses,
        {
            "image_alignment": [each.alignment.image for each in scores],
            "object_alignment": [each.alignment.objects for each in scores],
            "subject_alignment": [each.meaning.subject or 0.0 for each in scores],
        },
    )


def channel_uses(air: AirRecord, fewer_bits: int) -> int:
    """Channel uses that a transfer would take with so many payload bits less, sent once: data, pilots and HARQ feedback."""
    mcs = MCS_BY_NAME[air.scheme]
    pilots = air.pilot_symbols // (segment(air.payload_bits, mcs).count * air.attempts)
    blocks = segment(air.payload_bits - fewer_bits, mcs)
    return blocks.complex_symbols + blocks.count * pilots + feedback_symbols(blocks.count)


def numbers(sweep: Sequence[Quality]) -> list[Number]:
    """Bandwidth and scores at each quality."""
    found = []
    for each in sweep:
        ratios = [uses / ORIGINAL_BITS for uses in each.uses]
        for name, values in {"bandwidth_ratio_k_over_n_total": ratios, **each.scores}.items():
            mean = inference.mean(values, "fig6", "jpeg", name, each.quality)
            found.append(Number(name, "JPEG, by its size", *mean, len(values), {"quality": float(each.quality)}))
    return found


def table(sweep: Sequence[Quality], jscc_uses: float, least_uses: float) -> Table:
    """What another choice of quality would change; ``jscc_uses``, ``least_uses``: mean channel uses of JSCC_H and of NI."""
    rows = [
        {
            "JPEG quality": each.quality,
            "channel uses": round(float(np.mean(each.uses))),
            "k/n, both ways": f"{float(np.mean(each.uses)) / ORIGINAL_BITS:.5f}",
            "times JSCC_H": round(float(np.mean(each.uses)) / jscc_uses, 2),
            "times NI": round(float(np.mean(each.uses)) / least_uses, 1),
            **{name.replace("_", " "): round(float(np.mean(values)), 3) for name, values in each.scores.items()},
        }
        for each in sweep
    ]
    note = (
        "From the run's pictures, without the network: files as they would be, by the run's code and pilots, sent once each way."
    )
    return Table("Shannon by other qualities of its files", rows, note)


def note(sweep: Sequence[Quality], jscc_uses: float, least_uses: float) -> str:
    """What depends on the quality, in a sentence."""
    below = [each.quality for each in sweep if np.mean(each.uses) < jscc_uses]
    least = float(min(np.mean(each.uses) for each in sweep)) / least_uses
    asked = ", ".join(str(each.quality) for each in sweep)
    less = f"at {', '.join(map(str, below))} they take less" if below else "none of these takes less"
    return (
        f"How much more Shannon takes is decided by the quality of its files (asked were {asked}): beside the high-rate JSCC, "
        f"{less}; beside NI, the smallest still take {least:.0f} times."
    )
