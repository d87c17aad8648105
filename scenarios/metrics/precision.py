"""Mean average precision at IoU 0.5 (mAP50), as COCO's evaluation defines it.

Of each class, all detections of all pictures are taken most certain first. In its picture a detection matches the true object
that is not matched yet with the highest intersection over union, if that is at least 0.5; else it is false. After each
detection, precision is the share of true ones so far and recall the share of the class's objects found. Precision is made non-
increasing from the right and read at the recalls 0, 0.01, ..., 1 (0 beyond the last one reached); their mean is the class's
average precision (AP). mAP50 is the mean over classes that have objects. A test compares with pycocotools.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...agents.models.boxes import iou
from ...agents.models.roles import Box
from .detection import SAME_PLACE

RECALLS = np.linspace(0.0, 1.0, 101)
Array = np.ndarray[Any, Any]
Pair = tuple[Sequence[Box], Sequence[Box]]
"""True and found boxes of one picture."""


@dataclass(frozen=True)
class Ranking:
    """The detections of one class, most certain first.

    Attributes:
        hit: Whether each matched an object, bool (detections,).
        picture: Number of each one's picture, (detections,).
        objects: True objects of the class in each picture, (pictures,).
    """

    hit: Array
    picture: Array
    objects: Array


def rankings(pairs: Sequence[Pair]) -> list[Ranking]:
    """One ranking for each class that has a true object, classes in alphabetical order."""
    labels = sorted({box.label for truth, _ in pairs for box in truth})
    return [_ranking(label, pairs) for label in labels]


def _ranking(label: str, pairs: Sequence[Pair]) -> Ranking:
    rows: list[tuple[float, int, bool]] = []
    objects = np.zeros(len(pairs), np.int64)
    for picture, (truth, found) in enumerate(pairs):
        free = [box for box in truth if box.label == label]
        objects[picture] = len(free)
        for box in sorted((box for box in found if box.label == label), key=lambda box: -box.score):
            overlaps = [iou(box, other) for other in free]
            hit = bool(overlaps) and max(overlaps) >= SAME_PLACE
            if hit:
                free.pop(overlaps.index(max(overlaps)))
            rows.append((box.score, picture, hit))
    rows.sort(key=lambda row: -row[0])  # stable: equal scores stay in the order of the pictures
    return Ranking(np.array([row[2] for row in rows], bool), np.array([row[1] for row in rows], np.int64), objects)


def average_precision(ranking: Ranking, weights: Array) -> Array:
    """AP with every picture counted `weights` times.

    Args:
        ranking: Of one class.
        weights: (resamples, pictures), whole numbers; ones for the plain AP.

    Returns:
        (resamples,) in [0, 1]; NaN where no object is left.
    """
    weights = np.asarray(weights, dtype=np.float64)
    objects = weights @ ranking.objects
    counted = weights[:, ranking.picture]
    hits = np.cumsum(counted * ranking.hit, axis=1)
    total = np.cumsum(counted, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        recall = hits / objects[:, None]
        precision = np.where(total > 0, hits / total, 0.0)
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    padded = np.concatenate([precision, np.zeros((len(weights), 1))], axis=1)
    read = np.zeros((len(weights), len(RECALLS)))
    for column, level in enumerate(RECALLS):
        first = (recall < level).sum(axis=1)
        read[:, column] = padded[np.arange(len(weights)), first]
    return np.where(objects > 0, read.mean(axis=1), np.nan)


def map50(pairs: Sequence[Pair], weights: Array | None = None) -> Array:
    """mAP50 of pictures.

    Args:
        pairs: True and found boxes of each.
        weights: As in `average_precision`; without them, each picture once.

    Returns:
        (resamples,), a single one without `weights`; NaN where there are no objects at all.
    """
    chosen = np.ones((1, len(pairs))) if weights is None else weights
    values = np.array([average_precision(ranking, chosen) for ranking in rankings(pairs)]).reshape(-1, len(chosen))
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0))
