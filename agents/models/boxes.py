"""Geometry of boxes."""

from .roles import Box


def iou(one: Box, two: Box) -> float:
    """Intersection over union of two boxes, in [0, 1]; 0 where both have no area."""
    wide = min(one.cx + one.width / 2, two.cx + two.width / 2) - max(one.cx - one.width / 2, two.cx - two.width / 2)
    high = min(one.cy + one.height / 2, two.cy + two.height / 2) - max(one.cy - one.height / 2, two.cy - two.height / 2)
    if wide <= 0 or high <= 0:
        return 0.0
    return wide * high / (one.width * one.height + two.width * two.height - wide * high)
