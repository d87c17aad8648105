"""Generated clips of traffic: vehicles in two lanes of a street, and now and then an incident."""

import numpy as np

from ...bus import keys
from ...bus.errors import BadInput
from ..models.roles import PICTURE_SIDE, Box
from ..scenes.world import Scene
from .incidents import ANIMAL, ANIMALS, COLLISION, STOPPED, VEHICLES, Incident, incidents
from .world import Clip, Mover, Places, check_size, make_thing

LANES = (24.0, 42.0)
"""Rows of the lanes' middles: the upper one goes left, the lower one right."""
LEAST_FRAMES = 12
WHAT = ("", "", STOPPED, COLLISION, ANIMAL)
"""What clips show, equally likely: nothing in two of five."""


def street(*key: keys.Key) -> Scene:
    """An empty street."""
    return Scene("street", (), keys.integer(1 << 30, *key, "street"))


def make_traffic(*key: keys.Key, still: Scene, frames: int = 16, fps: int = 8) -> Clip:
    """Draw a clip of traffic from a key; `Clip.incidents` says what truly happens, by the rule of `incidents.incidents`."""
    check_size(frames, (1, 4))
    if frames < LEAST_FRAMES:
        raise BadInput(f"traffic of {frames} frames", f"at least {LEAST_FRAMES}, so that something can happen")
    rng = keys.generator(*key, "traffic")
    what = WHAT[int(rng.integers(len(WHAT)))]
    lane = int(rng.integers(2))
    if what == COLLISION:
        movers = _collision(rng, lane, frames)
    elif what == STOPPED:
        movers = [_vehicle(rng, lane, frames, stop=int(rng.integers(frames // 2 - 2, frames - 5)))]
    else:
        movers = [_vehicle(rng, lane, frames)]
    if rng.random() < 0.7:
        movers.append(_vehicle(rng, 1 - lane, frames))
    if what == ANIMAL:
        movers.append(_animal(rng, frames))
    clip = Clip(still, tuple(movers), frames, fps)
    return Clip(still, clip.movers, frames, fps, true_incidents(clip))


def true_incidents(clip: Clip) -> tuple[Incident, ...]:
    """What the rule says of the true movement."""
    courses: dict[int, tuple[str, dict[int, Box]]] = {}
    for frame in range(clip.frames):
        for number, box in clip.boxes(frame).items():
            courses.setdefault(number, (box.label, {}))[1][frame] = box
    return tuple(incidents(list(courses.values())))


def _vehicle(rng: np.random.Generator, lane: int, frames: int, stop: int | None = None) -> Mover:
    """A vehicle in its lane at one speed; with ``stop`` it brakes over three frames to stand from that frame on."""
    thing = make_thing(rng, VEHICLES, (13.0, 17.0))
    speed, way = float(rng.uniform(1.6, 3.2)), (-1, 1)[lane]
    row = LANES[lane] + float(rng.uniform(-2, 2))
    middle = float(rng.uniform(24, PICTURE_SIDE - 24))
    steps = np.full(frames, speed)
    if stop is not None:
        steps[stop - 2 : stop + 1] = speed * np.array([0.75, 0.5, 0.25])
        steps[stop + 1 :] = 0.0
    far = np.concatenate([[0.0], np.cumsum(steps[1:])])
    far -= far[-1] if stop is not None else far[-1] / 2
    return Mover(thing, _row(middle + way * far, row))


def _collision(rng: np.random.Generator, lane: int, frames: int) -> list[Mover]:
    """Two vehicles that meet in one lane, head on, and stand where they touch."""
    one, two = make_thing(rng, VEHICLES, (12.0, 15.0)), make_thing(rng, VEHICLES, (12.0, 15.0))
    crash = int(rng.integers(frames // 2 - 1, frames - 5))
    row, middle = LANES[lane] + float(rng.uniform(-2, 2)), float(rng.uniform(26, PICTURE_SIDE - 26))
    speeds = rng.uniform(1.5, 2.4, 2)
    before = np.maximum(crash - np.arange(frames), 0)
    left = middle - one.width / 2 + 0.5 - speeds[0] * before
    right = middle + two.width / 2 - 0.5 + speeds[1] * before
    return [Mover(one, _row(left, row)), Mover(two, _row(right, row))]


def _animal(rng: np.random.Generator, frames: int) -> Mover:
    """An animal that crosses the road from above or below."""
    thing = make_thing(rng, ANIMALS, (11.0, 14.0))
    way, speed = (-1, 1)[int(rng.integers(2))], float(rng.uniform(1.5, 2.5))
    column = float(rng.uniform(12, PICTURE_SIDE - 12))
    far = speed * (np.arange(frames) - (frames - 1) / 2)
    return Mover(thing, tuple((column, float(PICTURE_SIDE / 2 + way * each)) for each in far))


def _row(columns: np.ndarray, row: float) -> Places:
    return tuple((float(column), row) for column in columns)
