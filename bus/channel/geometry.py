"""Where users are: random waypoint legs with pauses, as a closed form in time.

Leg ``k`` of a user runs between two waypoints, each keyed by the user and its number and uniform in the area. Every leg has the
same duration, that of crossing the area's diagonal, so the leg of an instant is a division. The user walks at its
speed and rests at the waypoint until the leg ends. Left out: streets, walls, groups.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

from .. import keys
from ..errors import BadInput


@dataclass(frozen=True)
class Area:
    """The rectangle ``[0, width_m] x [0, height_m]`` in which users move."""

    width_m: float
    height_m: float

    def __post_init__(self) -> None:
        if not (0 < self.width_m < math.inf and 0 < self.height_m < math.inf):
            raise BadInput(f"area {self.width_m} x {self.height_m} m is empty or endless", "give two positive lengths in metres")


@lru_cache(maxsize=1 << 16)
def _waypoint(seed: int, user_id: str, leg: int, area: Area) -> tuple[float, float]:
    x, y = (keys.uniform(seed, "waypoint", user_id, leg, axis) for axis in ("x", "y"))
    return x * area.width_m, y * area.height_m


@lru_cache(maxsize=1 << 16)
def _phase(seed: int, user_id: str) -> float:
    return keys.uniform(seed, "waypoint phase", user_id)


def position(seed: int, user_id: str, t_ns: int, area: Area, speed_mps: float) -> tuple[float, float]:
    """Position ``(x, y)`` in metres at ``t_ns``; the path is continuous and never faster than ``speed_mps``."""
    if speed_mps <= 0:
        return _waypoint(seed, user_id, 0, area)
    leg_s = math.hypot(area.width_m, area.height_m) / speed_mps
    legs = t_ns * 1e-9 / leg_s + _phase(seed, user_id)
    leg = math.floor(legs)
    x0, y0 = _waypoint(seed, user_id, leg, area)
    x1, y1 = _waypoint(seed, user_id, leg + 1, area)
    length = math.hypot(x1 - x0, y1 - y0)
    done = min(1.0, (legs - leg) * leg_s * speed_mps / max(length, 1e-9))
    return x0 + done * (x1 - x0), y0 + done * (y1 - y0)
