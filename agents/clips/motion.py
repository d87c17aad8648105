"""Places that were not told: those between two that were, on a line; those that follow, by a Kalman filter."""

from collections.abc import Mapping

import numpy as np

PLACE_STD_PX, TURN_STD_PX = 0.3, 0.25
"""Standard deviation of a told place (half pixels, and the detector's own), and of the change of velocity a frame."""
SPEED_STD_PX = 3.0
"""Of the velocity, of which nothing is known at first."""

Points = Mapping[int, tuple[float, float]]
"""Frame -> centre in pixels."""


class Predictor:
    """Kalman filter of one coordinate pair, model of constant velocity: state (place, velocity) of each axis, both alike.

    x' = x + v dt, v' = v + w, w ~ N(0, TURN_STD_PX^2 dt) a step of dt frames; told places z = x + n, n ~ N(0, PLACE_STD_PX^2)
    (Bar-Shalom, Li, Kirubarajan, Estimation with Applications to Tracking and Navigation, 2001, section 6.2.1).
    """

    def __init__(self, frame: int, place: tuple[float, float]) -> None:
        self.frame = frame
        self._place, self._speed = np.asarray(place, np.float64), np.zeros(2)
        self._spread = np.diag([PLACE_STD_PX**2, SPEED_STD_PX**2])

    def at(self, frame: int) -> tuple[float, float]:
        """Where it should be in a frame."""
        x, y = self._place + self._speed * (frame - self.frame)
        return float(x), float(y)

    def told(self, frame: int, place: tuple[float, float]) -> None:
        """It truly was there in that (later) frame."""
        step = frame - self.frame
        move = np.array([[1.0, step], [0.0, 1.0]])
        noise = TURN_STD_PX**2 * step * np.array([[step**2 / 3, step / 2], [step / 2, 1.0]])
        spread = move @ self._spread @ move.T + noise
        gain = spread[:, 0] / (spread[0, 0] + PLACE_STD_PX**2)
        surprise = np.asarray(place, np.float64) - np.asarray(self.at(frame))
        self._place = self._place + self._speed * step + gain[0] * surprise
        self._speed = self._speed + gain[1] * surprise
        self._spread = spread - np.outer(gain, spread[0])
        self.frame = frame


def completed(points: Points) -> dict[int, tuple[float, float]]:
    """All frames from the first told one to the last, places between told ones on a line between these."""
    frames = sorted(points)
    whole = dict(points)
    for before, after in zip(frames, frames[1:], strict=False):
        for frame in range(before + 1, after):
            share = (frame - before) / (after - before)
            (x, y), (xx, yy) = points[before], points[after]
            whole[frame] = ((1 - share) * x + share * xx, (1 - share) * y + share * yy)
    return {frame: whole[frame] for frame in sorted(whole)}


def predicted(points: Points, last: int) -> dict[int, tuple[float, float]]:
    """All frames from the first told one to ``last``; each that was not told is predicted from those told before it."""
    frames = sorted(points)
    predictor = Predictor(frames[0], points[frames[0]])
    whole = {}
    for frame in range(frames[0], last + 1):
        if frame in points and frame > frames[0]:
            predictor.told(frame, points[frame])
        whole[frame] = points.get(frame) or predictor.at(frame)
    return whole


def worth_telling(points: Points, tolerance_px: float) -> dict[int, tuple[float, float]]:
    """Of a thing's places those that its receiver could not predict, to ``tolerance_px`` in x or y, from those told before.

    The sender runs the receiver's own predictor (dead reckoning), so that it knows what will be shown without them.
    """
    frames = sorted(points)
    predictor = Predictor(frames[0], points[frames[0]])
    chosen = {frames[0]: points[frames[0]]}
    for frame in frames[1:]:
        x, y = predictor.at(frame)
        if max(abs(x - points[frame][0]), abs(y - points[frame][1])) > tolerance_px:
            chosen[frame] = points[frame]
            predictor.told(frame, points[frame])
    return chosen
