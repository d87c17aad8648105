"""When a user takes pictures: a Poisson process whose rate follows the day."""

import math
from collections.abc import Sequence


def next_s(after_s: float, draw: float, rate_hz: float, shape: Sequence[float], day_s: float) -> float:
    """Time of the next event of a Poisson process with a rate that is constant over each part of a day.

    The process with rate r(t) is one of rate 1 in the time R(t), the integral of r: the next event is where R has grown by an
    exponential draw (Cinlar, "Introduction to Stochastic Processes", 1975, chapter 4.7).

    Args:
        after_s: Time of the event before, at least 0.
        draw: A draw from U[0, 1).
        rate_hz: Mean rate over a day, above 0.
        shape: Relative rates of the equal parts of a day, not all 0; empty: constant.
        day_s: Length of a day, which then begins again.

    Returns:
        Seconds, later than ``after_s``.
    """
    left = -math.log1p(-draw)
    if not shape:
        return after_s + left / rate_hz
    part_s = day_s / len(shape)
    scale = rate_hz * len(shape) / math.fsum(shape)
    a_day = rate_hz * day_s
    days, left = divmod(left, a_day)
    t_s, part = after_s + days * day_s, math.floor(after_s / part_s)
    ends_s = (part + 1) * part_s - after_s  # how long this part goes on
    while (room := scale * shape[part % len(shape)] * ends_s) < left:
        left -= room
        t_s += ends_s
        part, ends_s = part + 1, part_s
    rate = scale * shape[part % len(shape)]
    return t_s + (left / rate if rate else 0.0)
