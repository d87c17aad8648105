"""Counted symbols: the account and the estimate of symbols that are really sent, from the same draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.bus import keys
from semcast.bus.channel import Air, Area, Link, Radio, unit_power

MS = 10**6


def link(**radio: object) -> Link:
    return Air(1, Radio(**radio), Area(600, 600), {"bs.0": (100.0, 100.0)}, 3.0).link("bs.0", "user.1")  # type: ignore[arg-type]


@given(
    st.integers(1, 3000),
    st.integers(0, 10**9),
    st.sampled_from([1.0e6, 0.7e6, 3.0e5]),
    st.sampled_from([None, 10_000, 333_333, 5 * MS]),
    st.sampled_from(["up", "down"]),
)
def test_what_they_cost_and_how_they_are_heard(
    number: int, t_ns: int, bandwidth_hz: float, coherence_ns: int | None, way: str
) -> None:
    air = link(bandwidth_hz=bandwidth_hz, coherence_ns=coherence_ns)
    symbols = unit_power(keys.complex_normal(number, "counted", number))
    sent = air.send_symbols(symbols, t_ns, way, ("a",))  # type: ignore[arg-type]
    counted = air.send_counted(number, t_ns, way, ("a",))  # type: ignore[arg-type]
    assert counted.account == sent.account
    assert counted.snr_db == sent.snr_db


@pytest.mark.parametrize("radio", [{"fading": "awgn", "fixed_snr_db": 7.0}, {"pilots": None, "coherence_ns": 100_000}])
def test_also_without_fading_and_with_perfect_estimates(radio: dict[str, object]) -> None:
    air = link(**radio)
    sent = air.send_symbols(unit_power(np.ones(1024, np.complex64)), 5 * MS, "down", ("b",))
    counted = air.send_counted(1024, 5 * MS, "down", ("b",))
    assert (counted.account, counted.snr_db) == (sent.account, sent.snr_db)
