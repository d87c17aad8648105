"""Scores of requests whose pictures are sketches: those of a measured request that had the same causes (`outcomes.Cause`).

All scores of one request are those of one measured request, so that they stay together as they were. Which one is drawn by the
request's name among those of nearest quality, or, where too few were measured so near, among requests of fewer equal causes.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from ...agents.models.loading import WEIGHTS
from ...agents.models.table.outcomes import LOST, SHOWN, Cause, Effect, cause_of, unpacked
from ...agents.models.table.store import Stored, read_table
from ...agents.sketches import read
from .story import Story

ENOUGH = 8
"""Measured requests that must lie within `NEAR_DB`."""
NEAREST = 24
"""Of these one is drawn."""
NEAR_DB = 0.75
"""In PSNR, as the codecs' cards predict it at the receivers' SNRs."""
Group = tuple[object, ...]
LEVELS: Sequence[Callable[[Cause], Group]] = (
    lambda c: (c.made, c.missing, c.subject, c.objects, c.mapping, c.steps, c.codec),
    lambda c: (c.made, c.missing, c.subject, c.objects, c.mapping, c.steps),
    lambda c: (c.made, c.missing, c.subject, c.objects, c.mapping),
    lambda c: (c.made, c.missing, c.subject, c.objects),
    lambda c: (c.made, c.missing, c.subject, (c.objects - 1) // 2),
    lambda c: (c.made, c.missing, c.subject, (c.objects - 1) // 4),
    lambda c: (c.made, c.missing, c.subject > 0, (c.objects - 1) // 4),
    lambda c: (c.made, c.missing, c.subject > 0),
    lambda c: (c.made, c.missing),
    lambda c: (c.missing,),
    lambda c: (),
)
"""From all causes to none; what matters least goes first."""


class Outcomes:
    """The measured requests of a table."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        self._rows = [row for row in unpacked(stored.table.outcomes, stored.table.codecs) if row[0].end == SHOWN]
        self._groups: list[dict[Group, list[tuple[float, int]]]] = []
        for group in LEVELS:
            groups: dict[Group, list[tuple[float, int]]] = {}
            for number, (cause, _) in enumerate(self._rows):
                groups.setdefault(group(cause), []).append((cause.quality_db, number))
            for rows in groups.values():
                rows.sort()
            self._groups.append(groups)

    def draw(self, cause: Cause, key: str) -> Effect:
        """Scores of a request with these causes."""
        number = int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "little")
        for level, group in enumerate(LEVELS):
            rows = self._groups[level].get(group(cause), [])
            near = _nearest(rows, cause.quality_db) if cause.end == SHOWN else rows
            if len(near) >= ENOUGH or level == len(LEVELS) - 1:
                chosen = near or rows
                return self._rows[chosen[number % len(chosen)][1]][1]
        raise AssertionError("the last level has all rows")

    def of(self, story: Story) -> tuple[Cause, Effect]:
        """Causes and scores of a request whose pictures are sketches."""
        content = read(story.content.picture) if story.content else None
        shown = read(story.shown.picture) if story.shown else None
        cause = cause_of(read(story.capture.picture), content, shown, story.capture.task, self.stored.library)
        return cause, ended(self.draw(cause, story.request), cause)


def ended(effect: Effect, cause: Cause) -> Effect:
    """The scores, with the floors for what was not shown, or not even made."""
    if cause.end == SHOWN:
        return effect
    made = cause.end == LOST
    return Effect(
        0.0,
        0.0,
        effect.generated_recovery if made else 0.0,
        1.0,
        effect.generated_error if made else 1.0,
        0.0,
        float(cause.objects),
        0.0,
        0.0,
        0.0,
        effect.grey_psnr_db if made else effect.grey_psnr_to_original_db,
        effect.grey_psnr_to_original_db,
        effect.grey_ssim,
        effect.grey_psnr_db,
        effect.grey_psnr_to_original_db,
        effect.grey_ssim,
    )


def _nearest(rows: list[tuple[float, int]], place: float) -> list[tuple[float, int]]:
    """Those within `NEAR_DB`, at most the `NEAREST`; they lie on both sides, where there are such."""
    low, high = bisect_left(rows, (place - NEAR_DB, -1)), bisect_left(rows, (place + NEAR_DB, -1))
    if high - low <= NEAREST:
        return rows[low:high]
    middle = bisect_left(rows, (place, -1))
    low = min(max(middle - NEAREST // 2, low), high - NEAREST)
    return rows[low : low + NEAREST]


@lru_cache(maxsize=2)
def shipped(folder: Path = WEIGHTS / "table") -> Outcomes:
    """The outcomes of the table in a folder; default: the package's."""
    return Outcomes(read_table(folder))
