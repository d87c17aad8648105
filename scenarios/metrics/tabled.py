"""Scores of requests whose pictures are sketches: those of a measured request that had the same causes (`outcomes.Cause`).

All scores of one request are those of one measured request, so that they stay together as they were. Which one is drawn by its
picture and name among those of nearest quality, or, where too few were measured so near, among requests of fewer equal causes.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from ...agents.models.loading import WEIGHTS
from ...agents.models.table.outcomes import LOST, SHOWN, Cause, Effect, cause_of, unpacked
from ...agents.models.table.store import Stored, read_table
from ...agents.sketches import read
from ...bus.errors import BadInput
from .story import Story

ENOUGH = 6
"""Measured requests that must be near."""
NEAREST = 24
"""Of these one is drawn."""
EQUAL_DB = 0.1
"""What makes no difference: at high SNRs most requests are of one quality."""
Group = tuple[object, ...]
LEVELS: Sequence[tuple[float, Callable[[Cause], Group]]] = (
    (0.75, lambda c: (c.made, c.missing, c.subject, c.objects, c.mapping, c.steps, c.codec)),
    (0.75, lambda c: (c.made, c.missing, c.subject, c.objects, c.mapping, c.steps)),
    (0.75, lambda c: (c.made, c.missing, c.subject, c.objects, c.mapping)),
    (0.75, lambda c: (c.made, c.missing, c.subject, c.objects)),
    (0.75, lambda c: (c.made, c.missing, c.subject, (c.objects - 1) // 2)),
    (0.75, lambda c: (c.made, c.missing, c.subject, (c.objects - 1) // 4)),
    (0.75, lambda c: (c.made, c.missing, c.subject > 0, (c.objects - 1) // 4)),
    (1.0, lambda c: (c.made, c.missing, c.subject > 0)),
    (1.5, lambda c: (c.made > 0, c.missing, c.subject > 0)),
    (2.5, lambda c: (c.made > 0, c.subject > 0)),
    (math.inf, lambda c: (c.made > 0, c.subject > 0)),
    (math.inf, lambda c: ()),
)
"""From all causes to none, what matters least going first; and what is near: in PSNR, as the codecs' cards predict it at the
receivers' SNRs."""


class Outcomes:
    """The measured requests of a table."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        self._rows = [row for row in unpacked(stored.table.outcomes, stored.table.codecs) if row[0].end == SHOWN]
        self._groups: list[dict[Group, list[tuple[float, int]]]] = []
        for _, group in LEVELS:
            groups: dict[Group, list[tuple[float, int]]] = {}
            for number, (cause, _) in enumerate(self._rows):
                groups.setdefault(group(cause), []).append((cause.quality_db, number))
            for rows in groups.values():
                rows.sort()
            self._groups.append(groups)

    def draw(self, cause: Cause, key: bytes) -> Effect:
        """Scores of a request with these causes."""
        number = int.from_bytes(blake2b(key, digest_size=8).digest(), "little")
        for level, (near_db, group) in enumerate(LEVELS):
            rows = self._groups[level].get(group(cause), [])
            near = _nearest(rows, cause.quality_db, near_db) if cause.end == SHOWN else rows
            if len(near) >= ENOUGH or (near and level == len(LEVELS) - 1):
                return self._rows[near[number % len(near)][1]][1]
        raise BadInput("a table without measured requests", "measure it again: semcast calibrate models")

    def of(self, story: Story, again: int = 0) -> tuple[Cause, Effect]:
        """Causes and scores of a request whose pictures are sketches; ``again``: number of another draw of the scores."""
        content = read(story.content.picture) if story.content else None
        shown = read(story.shown.picture) if story.shown else None
        cause = cause_of(read(story.capture.picture), content, shown, story.capture.task, self.stored.library)
        luck = story.capture.picture + f"{story.request}:{again}".encode()  # with the picture: another seed is other luck
        return cause, ended(self.draw(cause, luck), cause)


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


def _nearest(rows: list[tuple[float, int]], place: float, near_db: float) -> list[tuple[float, int]]:
    """All that are as good as equal, if these are `NEAREST` or more; else the nearest of those that are near, on both sides."""
    equal = _within(rows, place, EQUAL_DB)
    if len(equal) >= NEAREST:
        return rows[equal.start : equal.stop]
    near = _within(rows, place, near_db)
    if len(near) <= NEAREST:
        return rows[near.start : near.stop]
    middle = bisect_left(rows, (place, -1))
    low = min(max(middle - NEAREST // 2, near.start), near.stop - NEAREST)
    return rows[low : low + NEAREST]


def _within(rows: list[tuple[float, int]], place: float, db: float) -> range:
    return range(bisect_left(rows, (place - db, -1)), bisect_left(rows, (place + db, -1)))


@lru_cache(maxsize=2)
def shipped(folder: Path = WEIGHTS / "table") -> Outcomes:
    """The outcomes of the table in a folder; default: the package's."""
    return Outcomes(read_table(folder))
