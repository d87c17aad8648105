"""How well tracks follow things: MOTA (Bernardin and Stiefelhagen 2008) and IDF1 (Ristani et al. 2016) of a clip."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...agents.models.boxes import iou
from ...agents.models.roles import Box

LEAST_IOU = 0.5
Frames = Sequence[Mapping[int, Box]]
"""Of each frame, number of a thing or track -> its box."""


@dataclass(frozen=True)
class Followed:
    """Scores of one clip, at most 1, and what they are made of, counted in boxes over all frames.

    ``mota`` = 1 - (missed + false + switched) / true boxes; ``idf1`` = 2 IDTP / (true + found boxes), IDTP the most boxes that a
    one-to-one assignment of tracks to things can match. A clip in which nothing is and nothing is found has 1 of both;
    ``error_px``: mean distance of matched centres, None without any.
    """

    mota: float
    idf1: float
    missed: int
    false: int
    switched: int
    error_px: float | None


def followed(truth: Frames, found: Frames) -> Followed:
    """Compare tracks to the true ones; classes are not looked at. A match needs an IoU of `LEAST_IOU`.

    A pair that matched before is kept while it overlaps enough; the others are assigned so that most match, then most overlap.
    """
    from scipy.optimize import linear_sum_assignment

    before: dict[int, int] = {}
    missed = false = switched = 0
    together: Counter[tuple[int, int]] = Counter()
    distances = []
    for real, seen in zip(truth, found, strict=True):
        overlap = {(i, j): iou(one, two) for i, one in real.items() for j, two in seen.items()}
        enough = {pair: value for pair, value in overlap.items() if value >= LEAST_IOU}
        together.update(enough.keys())
        rows, columns = list(real), list(seen)
        gain = np.zeros((len(rows), len(columns)))
        for (i, j), value in enough.items():
            gain[rows.index(i), columns.index(j)] = 1 + value + (1000 if before.get(i) == j else 0)
        matched = {rows[r]: columns[c] for r, c in zip(*linear_sum_assignment(-gain), strict=True) if gain[r, c] > 0}
        missed, false = missed + len(real) - len(matched), false + len(seen) - len(matched)
        switched += sum(i in before and before[i] != j for i, j in matched.items())
        before |= matched
        distances += [float(np.hypot(real[i].cx - seen[j].cx, real[i].cy - seen[j].cy)) for i, j in matched.items()]
    true_boxes, found_boxes = sum(map(len, truth)), sum(map(len, found))
    error_px = sum(distances) / len(distances) if distances else None
    mota = 1 - (missed + false + switched) / true_boxes if true_boxes else float(not false)
    idf1 = 2 * _identities(together) / (true_boxes + found_boxes) if true_boxes + found_boxes else 1.0
    return Followed(mota, idf1, missed, false, switched, error_px)


def _identities(together: Mapping[tuple[int, int], int]) -> int:
    """The most boxes that a one-to-one assignment of tracks to things matches."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = sorted({i for i, _ in together}), sorted({j for _, j in together})
    counts = np.zeros((len(rows), len(columns)), dtype=int)
    for (i, j), count in together.items():
        counts[rows.index(i), columns.index(j)] = count
    return int(counts[linear_sum_assignment(-counts)].sum())
