"""The traffic of a day: against the closed form of its expected counts, and its limits."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.agents.traffic import next_s
from semcast.bus import keys

SHAPE = (1.0, 0.0, 3.0, 2.0)


def events(rate_hz: float, shape: tuple[float, ...], day_s: float, until_s: float, *key: str) -> list[float]:
    times, t_s = [], 0.0
    while (t_s := next_s(t_s, keys.uniform("events", *key, len(times)), rate_hz, shape, day_s)) < until_s:
        times.append(t_s)
    return times


def test_every_part_of_the_day_has_its_share() -> None:
    rate_hz, day_s = 50.0, 40.0
    times = events(rate_hz, SHAPE, day_s, 2 * day_s)
    for part in range(8):
        count = sum(part * 10 <= t < (part + 1) * 10 for t in times)
        expected = rate_hz * 10 * SHAPE[part % 4] * 4 / sum(SHAPE)
        assert abs(count - expected) <= 4 * math.sqrt(expected)


def test_a_flat_day_is_a_plain_poisson_process() -> None:
    for after_s, draw in ((0.0, 0.3), (7.25, 0.999), (19.9, 0.0001)):
        plain = next_s(after_s, draw, 0.7, (), 0.0)
        assert plain == after_s - math.log1p(-draw) / 0.7
        assert next_s(after_s, draw, 0.7, (2.0,) * 5, 20.0) == pytest.approx(plain, rel=1e-12)


@given(
    st.floats(0, 1000),
    st.floats(0, 1, exclude_max=True),
    st.lists(st.floats(0, 9), min_size=1, max_size=24).filter(lambda shape: sum(shape) > 0.1),
)
def test_the_integral_of_the_rate_grows_by_the_draw(after_s: float, draw: float, shape: list[float]) -> None:
    day_s, rate_hz = 60.0, 0.5

    def integral(t_s: float) -> float:
        days, rest = divmod(t_s, day_s)
        part_s = day_s / len(shape)
        within = sum(share * min(max(rest - part * part_s, 0.0), part_s) for part, share in enumerate(shape))
        return rate_hz * day_s * (days + within / (part_s * sum(shape)))

    later_s = next_s(after_s, draw, rate_hz, shape, day_s)
    assert later_s >= after_s
    assert integral(later_s) - integral(after_s) == pytest.approx(-math.log1p(-draw), abs=1e-6)
