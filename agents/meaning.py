"""Semantic error: the share of a picture's meaning that did not come across, defined once for agents and metrics.

A picture means its things. For n true things and the things found in the other picture::

    error = 1 - (1/n) max_A sum_(i,j in A) f_ij,      0 where there is nothing to tell

over assignments A that use no thing twice. ``f_ij`` is 0 for different classes; if places count (task ``mapping``), also where
the intersection over union of the boxes is below 0.5; else it is how much the found thing looks like the true one: 1 for things
of a kind, ``likeness[i][j]`` in [0, 1] for a personal subject. Without likenesses this is 1 minus the object recovery of
GAI-SCN (Xia et al., arXiv 2308.15483, section IV) with each found thing used once. Things that were invented count nothing here.
"""

from collections.abc import Sequence

import numpy as np

from .models.boxes import iou
from .models.roles import Box

IN_PLACE = 0.5
"""Least intersection over union of a thing in its place."""
MAPPING = "mapping"
"""The task for which places count."""


def semantic_error(
    true: Sequence[Box], found: Sequence[Box], task: str, likeness: Sequence[Sequence[float]] | np.ndarray | None = None
) -> float:
    """See the module.

    Args:
        true: What there is.
        found: What was found in the other picture.
        task: ``"mapping"``: places count.
        likeness: In [0, 1], for each true thing one value a found thing; used for those with a subject's name. Default: 1.

    Returns:
        In [0, 1].
    """
    from scipy.optimize import linear_sum_assignment

    if not true:
        return 0.0
    if not found:
        return 1.0
    worth = np.zeros((len(true), len(found)))
    for i, thing in enumerate(true):
        for j, other in enumerate(found):
            if thing.label == other.label and (task != MAPPING or iou(thing, other) >= IN_PLACE):
                worth[i, j] = likeness[i][j] if likeness is not None and thing.subject else 1.0
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return 1.0 - float(worth[rows, columns].sum()) / len(true)


def recognised(true: Sequence[Box], found: Sequence[Box]) -> list[list[float]]:
    """Likeness as an extractor that knows the subjects tells it: 1 where it names the same one, else 0."""
    return [[float(thing.subject == other.subject) for other in found] for thing in true]
