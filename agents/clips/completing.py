"""Frames that did not come, without any knowledge of what moves: the baselines of completion."""

from collections.abc import Mapping

import numpy as np

from ...bus.errors import BadInput
from ..scenes.draw import Pixels


def repeated(known: Mapping[int, Pixels], count: int) -> Pixels:
    """Each of ``count`` frames that is missing shows the last one before it (the first known one, ahead of that).

    Raises:
        BadInput: No frame is known.
    """
    frames = _known(known)
    return np.stack([known[max((each for each in frames if each <= number), default=frames[0])] for number in range(count)])


def blended(known: Mapping[int, Pixels], count: int) -> Pixels:
    """Each frame that is missing is a mean of its known neighbours, weighed by nearness; beyond them the last one repeats.

    Raises:
        BadInput: No frame is known.
    """
    frames = _known(known)
    result = []
    for number in range(count):
        before = max((each for each in frames if each <= number), default=frames[0])
        after = min((each for each in frames if each >= number), default=frames[-1])
        share = (number - before) / (after - before) if after > before else 0.0
        result.append(np.round((1 - share) * known[before].astype(float) + share * known[after].astype(float)))
    return np.asarray(np.stack(result), dtype=np.uint8)


def _known(known: Mapping[int, Pixels]) -> list[int]:
    if not known:
        raise BadInput("no frame of a clip is known", "at least one must have come")
    return sorted(known)
