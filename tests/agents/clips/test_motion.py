"""Completion and prediction against closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.agents.clips.completing import blended, repeated
from semcast.agents.clips.motion import completed, predicted, worth_telling
from semcast.bus.errors import BadInput

SPEEDS = st.floats(-4, 4)


@given(SPEEDS, SPEEDS, st.integers(2, 6))
def test_constant_velocity_is_completed_exactly(vx: float, vy: float, step: int) -> None:
    truth = {frame: (10 + vx * frame, 20 + vy * frame) for frame in range(13)}
    told = {frame: place for frame, place in truth.items() if frame % step == 0 or frame == 12}
    whole = completed(told)
    assert list(whole) == list(range(13))
    assert max(abs(a - b) for frame in truth for a, b in zip(whole[frame], truth[frame], strict=True)) < 1e-9


@given(SPEEDS, SPEEDS)
def test_constant_velocity_is_predicted(vx: float, vy: float) -> None:
    """A filter that knows nothing of the velocity at first and hears exact places: after enough of them it predicts exactly."""
    truth = {frame: (10 + vx * frame, 20 + vy * frame) for frame in range(20)}
    told = {frame: truth[frame] for frame in range(12)}
    whole = predicted(told, 19)
    assert all(whole[frame] == truth[frame] for frame in range(12))
    error = max(abs(a - b) for frame in range(12, 20) for a, b in zip(whole[frame], truth[frame], strict=True))
    assert error < 0.02 * max(abs(vx), abs(vy)) + 1e-9


def test_what_stands_still_is_told_once() -> None:
    assert worth_telling({frame: (3.0, 4.0) for frame in range(16)}, 1.0) == {0: (3.0, 4.0)}


@given(st.lists(st.tuples(st.floats(0, 64), st.floats(0, 64)), min_size=1, max_size=20), st.floats(0.1, 4))
def test_dead_reckoning_keeps_its_promise(places: list[tuple[float, float]], tolerance_px: float) -> None:
    """Whatever the path, the receiver is never further off than the tolerance."""
    truth = dict(enumerate(places))
    shown = predicted(worth_telling(truth, tolerance_px), len(places) - 1)
    assert max(abs(a - b) for frame in truth for a, b in zip(shown[frame], truth[frame], strict=True)) <= tolerance_px


def test_frames_that_are_missing_repeat_or_blend() -> None:
    dark, light = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 100, np.uint8)
    assert [int(frame[0, 0, 0]) for frame in repeated({1: dark, 3: light}, 5)] == [0, 0, 0, 100, 100]
    assert [int(frame[0, 0, 0]) for frame in blended({0: dark, 4: light}, 6)] == [0, 25, 50, 75, 100, 100]
    with pytest.raises(BadInput):
        repeated({}, 3)
