"""Incidents of traffic, by one rule for true and for tracked movement: something stopped, a collision, an animal on the road."""

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

from ..models.roles import Box

STOPPED, COLLISION, ANIMAL = "stopped", "collision", "animal"
KINDS = (STOPPED, COLLISION, ANIMAL)
VEHICLES = ("car", "bus", "bicycle")
ANIMALS = ("dog", "cat", "bird")
ROAD = (14.0, 50.0)
"""Rows (y in pixels) between which the road lies."""
MOVING_PX, STILL_PX = 1.0, 0.5
"""Pixels a frame: a vehicle that moved at least at the first and now at most at the second has stopped."""
STILL_FRAMES = 4
"""Frames over which it must have stood."""
TOUCH_PX = 3.0
"""Gap between two boxes at which vehicles touch."""
ON_ROAD_FRAMES = 3

Course = tuple[str, Mapping[int, Box]]
"""Class of a thing, and frame -> its box."""


class Incident(Struct, frozen=True, array_like=True):
    """``kind`` (one of `KINDS`), the ``frame`` in which it began, and the place: pixels from left and top."""

    kind: str
    frame: int
    cx: float
    cy: float


def incidents(courses: Sequence[Course]) -> list[Incident]:
    """What has happened by the end of a clip, in order of kind, frame and place.

    A vehicle that moved (`MOVING_PX` over `STILL_FRAMES`) and then stands still to the end has stopped; two that stand and touch
    have collided, and are not told as stopped; an animal is on the road after `ON_ROAD_FRAMES` there. Parked cars are none.
    """
    found: list[Incident] = []
    standing = [(stop, places) for label, places in courses if label in VEHICLES and (stop := _stop(places)) is not None]
    crashed: list[int] = []
    for i, (first, one) in enumerate(standing):
        for j, (second, two) in enumerate(standing[:i]):
            here, there = one[max(one)], two[max(two)]
            if _gap(here, there) <= TOUCH_PX:
                crashed += [i, j]
                found.append(Incident(COLLISION, max(first, second), (here.cx + there.cx) / 2, (here.cy + there.cy) / 2))
    for i, (stop, places) in enumerate(standing):
        if i not in crashed:
            last = places[max(places)]
            found.append(Incident(STOPPED, stop, last.cx, last.cy))
    for label, places in courses:
        road = [frame for frame in sorted(places) if ROAD[0] <= places[frame].cy <= ROAD[1]]
        if label in ANIMALS and len(road) >= ON_ROAD_FRAMES:
            found.append(Incident(ANIMAL, road[0], places[road[-1]].cx, places[road[-1]].cy))
    return sorted(found, key=lambda each: (KINDS.index(each.kind), each.frame, each.cx, each.cy))


def _stop(places: Mapping[int, Box]) -> int | None:
    """First frame of a stand that lasts to the end of a track and was preceded by movement; None without."""
    frames = sorted(places)
    if len(frames) < 2 * STILL_FRAMES:
        return None
    end = places[frames[-1]]
    stand = len(frames)
    while stand > 0 and _distance(places[frames[stand - 1]], end) <= STILL_PX * STILL_FRAMES / 2:
        stand -= 1
    if len(frames) - stand < STILL_FRAMES or stand < STILL_FRAMES:
        return None
    before, after = places[frames[stand - STILL_FRAMES]], places[frames[stand - 1]]
    moved = _distance(before, after) / max(frames[stand - 1] - frames[stand - STILL_FRAMES], 1)
    fastest = max(moved, _distance(places[frames[0]], end) / max(frames[stand] - frames[0], 1))
    return frames[stand] if fastest >= MOVING_PX else None


def _distance(one: Box, two: Box) -> float:
    return math.hypot(one.cx - two.cx, one.cy - two.cy)


def _gap(one: Box, two: Box) -> float:
    """Pixels between two boxes along the axis on which they are further apart; negative where they overlap."""
    wide = abs(one.cx - two.cx) - (one.width + two.width) / 2
    high = abs(one.cy - two.cy) - (one.height + two.height) / 2
    return max(wide, high)
