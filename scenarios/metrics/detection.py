"""How much of a picture's objects survived: recovery with and without place, and F1. Pure functions of boxes.

``truth`` holds the objects of the original, ``found`` what the judge saw in the received picture. Two boxes match when their
classes are equal and, where place counts, their intersection over union is at least 0.5. A box matches at most one other.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...agents.models.boxes import iou
from ...agents.models.roles import Box

SAME_PLACE = 0.5
"""Least intersection over union at which two boxes are at the same place."""


def object_recovery(truth: Sequence[Box], found: Sequence[Box]) -> float:
    """Share of the original's objects whose class is found anywhere, as multisets: two dogs need two dogs.

    Returns:
        |truth classes & found classes| / |truth| in [0, 1]; 1 where the original holds nothing.
    """
    if not truth:
        return 1.0
    common = Counter(box.label for box in truth) & Counter(box.label for box in found)
    return common.total() / len(truth)


def object_count_discrepancy(truth: Sequence[Box], found: Sequence[Box]) -> int:
    """How many objects too many or too few there are, whatever their class: | |found| - |truth| |, at least 0.

    GAI-SCN (Xia et al., Fig. 5B) gives it as "object quantity discrepancy", its Fig. 5C (recovery ratio) is `object_recovery`.
    """
    return abs(len(found) - len(truth))


def matches(truth: Sequence[Box], found: Sequence[Box], least: float = SAME_PLACE) -> list[tuple[int, int]]:
    """The largest set of pairs (index in truth, index in found) of equal class and enough overlap; of these the best placed."""
    from scipy.optimize import linear_sum_assignment

    if not truth or not found:
        return []
    overlap = np.array([[iou(a, b) if a.label == b.label else 0.0 for b in found] for a in truth])
    # a pair counts a thousand times more than its overlap, so that the number of pairs comes first
    gain = np.where(overlap >= least, 1000.0 + overlap, 0.0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if gain[r, c] > 0]


def object_recovery_iou50(truth: Sequence[Box], found: Sequence[Box]) -> float:
    """Share of the original's objects found with their class at their place, in [0, 1]; 1 where the original holds nothing."""
    return len(matches(truth, found)) / len(truth) if truth else 1.0


@dataclass(frozen=True)
class DetectionScore:
    """Counts over pictures and what follows from them."""

    hits: int
    found: int
    truth: int

    @property
    def precision(self) -> float:
        """Share of what was found that is true; 1 where nothing was found."""
        return self.hits / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of what is true that was found; 1 where there is nothing."""
        return self.hits / self.truth if self.truth else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 1 where there is nothing and nothing was found."""
        return 2 * self.hits / (self.found + self.truth) if self.found + self.truth else 1.0


def detection_score(pictures: Iterable[tuple[Sequence[Box], Sequence[Box]]]) -> DetectionScore:
    """Pool (truth, found) of pictures; class and IoU 0.5 must agree."""
    hits = seen = true = 0
    for truth, found in pictures:
        hits += len(matches(truth, found))
        seen += len(found)
        true += len(truth)
    return DetectionScore(hits, seen, true)
