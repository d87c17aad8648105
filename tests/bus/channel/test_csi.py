"""Quantiser and change rule of CSI reports."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.bus.channel import Air, Area, CsiReport, Radio
from semcast.bus.channel.csi import HIGH_DB, LOW_DB, dequantise, quantise


@given(st.floats(LOW_DB, HIGH_DB), st.integers(1, 16))
def test_quantiser_errs_by_half_a_step_at_most(snr_db: float, bits: int) -> None:
    level = quantise(snr_db, bits)
    assert 0 <= level < 2**bits
    assert abs(dequantise(level, bits) - snr_db) <= (HIGH_DB - LOW_DB) / (2**bits - 1) / 2 + 1e-9


@given(st.integers(1, 12).flatmap(lambda bits: st.tuples(st.integers(0, 2**bits - 1), st.just(bits))))
def test_levels_come_back(level_bits: tuple[int, int]) -> None:
    assert quantise(dequantise(*level_bits), level_bits[1]) == level_bits[0]


def test_out_of_range_is_the_nearest_end() -> None:
    assert dequantise(quantise(-80, 5), 5) == LOW_DB
    assert dequantise(quantise(80, 5), 5) == HIGH_DB


def test_age() -> None:
    assert CsiReport(0, quantise(10.0, 8), 8).age_ns(7) == 7


def test_measurement_is_noisy_unbiased_and_charged() -> None:
    radio = Radio(fixed_snr_db=5.0, fading="awgn", pilots=4, csi_bits=12)
    link = Air(1, radio, Area(10, 10), {"bs": (0, 0)}).link("bs", "u")
    reports = [link.measure(t, "down") for t in range(800)]
    assert len({r.level for r in reports}) > 100
    assert np.mean([10 ** (r.snr_db / 10) for r in reports]) == pytest.approx(10**0.5, rel=0.05)
    assert {(r.bits, r.pilot_symbols) for r in reports} == {(12, 4)}
    assert reports[7].t_ns == 7


def test_perfect_csi_by_setting() -> None:
    radio = Radio(fixed_snr_db=5.0, pilots=None, csi_bits=16)
    link = Air(1, radio, Area(10, 10), {"bs": (0, 0)}).link("bs", "u")
    report = link.measure(10**9, "up")
    assert report.snr_db == pytest.approx(link.snr_db(10**9, "up"), abs=0.001) and report.pilot_symbols == 0
