"""Mobility: inside, continuous, never too fast, looked up without history."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.bus.channel import Area, position
from semcast.bus.errors import BadInput

AREA = Area(400, 250)
SECOND = 10**9


@given(st.integers(0, 9), st.integers(0, 5000 * SECOND), st.integers(0, 60 * SECOND), st.floats(0.1, 40))
def test_inside_the_area_and_never_faster_than_its_speed(user: int, t_ns: int, step_ns: int, speed: float) -> None:
    x0, y0 = position(3, f"user.{user}", t_ns, AREA, speed)
    x1, y1 = position(3, f"user.{user}", t_ns + step_ns, AREA, speed)
    assert 0 <= x0 <= 400 and 0 <= y0 <= 250
    assert math.hypot(x1 - x0, y1 - y0) <= speed * step_ns * 1e-9 + 1e-5


def test_walks_at_exactly_its_speed_and_rests_between() -> None:
    steps = []
    for t in range(2000):
        (x0, y0), (x1, y1) = (position(3, "user.1", (2 * t + d) * SECOND // 2, AREA, 5.0) for d in (0, 1))
        steps.append(math.hypot(x1 - x0, y1 - y0))
    walking = sum(step == pytest.approx(2.5, abs=1e-6) for step in steps)
    resting = sum(step == 0 for step in steps)
    assert walking > 500 and resting > 500
    assert walking + resting > 1900  # the rest are seconds in which a leg begins or ends


def test_any_instant_without_history() -> None:
    late = position(3, "user.1", 10**15, AREA, 5.0)
    position(3, "user.1", 0, AREA, 5.0)
    assert position(3, "user.1", 10**15, AREA, 5.0) == late


def test_users_and_seeds_differ_and_nobody_moves_at_zero() -> None:
    places = {position(seed, user, 0, AREA, 1.0) for seed in (1, 2) for user in ("a", "b")}
    assert len(places) == 4
    assert position(1, "a", 0, AREA, 0.0) == position(1, "a", 10**12, AREA, 0.0)


def test_waypoints_are_spread_over_the_area() -> None:
    xs = [position(1, f"user.{i}", 0, AREA, 0.0)[0] for i in range(400)]
    assert sum(xs) / 400 == pytest.approx(200, abs=20)


def test_an_empty_area_is_refused() -> None:
    with pytest.raises(BadInput, match="empty"):
        Area(0, 10)
