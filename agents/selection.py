"""Best of n: which of several generated pictures agrees best with its prompt, by what an extractor finds in each.

The selection judge is the network's own extractor, which shares no weights with the judges of reports.
"""

import numpy as np
from msgspec import Struct

from .models.boxes import iou
from .models.roles import Box, Extraction, Generate
from .models.tiny.reading import read


class Asked(Struct):
    """What a prompt asks for: ``background`` (empty if it does not say) and ``things``, at their places if ``placed``."""

    background: str
    things: list[Box]
    placed: bool


def asked_by(call: Generate) -> Asked:
    """What the arguments of a generator ask for: the boxes, or else what the caption names."""
    said = read(call.caption)
    things = call.boxes or [Box(label, colour, 0, 0, 0, 0) for label, colour, _ in said.objects]
    return Asked(call.background or said.background, list(things), bool(call.boxes))


def agreement(asked: Asked, found: Extraction) -> float:
    """How well a picture's extraction agrees with what was asked, in [0, 1].

    The largest sum of likenesses over pairs of an asked and a found thing, none used twice, divided by the larger number of
    things; a tenth is the background's. Likeness of two things: 0 for different classes, else the found one's certainty times
    the mean of 1, of 1 for the same colour and, where places were asked for, of their intersection over union.
    """
    from scipy.optimize import linear_sum_assignment

    ground = 0.1 * (not asked.background or asked.background == found.background)
    if not asked.things or not found.boxes:
        return ground + 0.9 * (len(asked.things) == len(found.boxes))
    likeness = np.array([[_likeness(thing, box, asked.placed) for box in found.boxes] for thing in asked.things])
    rows, columns = linear_sum_assignment(likeness, maximize=True)
    return float(ground + 0.9 * likeness[rows, columns].sum() / max(likeness.shape))


def _likeness(thing: Box, box: Box, placed: bool) -> float:
    if thing.label and thing.label != box.label:
        return 0.0
    parts = [1.0, float(not thing.colour or thing.colour == box.colour)]
    if placed:
        parts.append(iou(thing, box))
    return box.score * sum(parts) / len(parts)
