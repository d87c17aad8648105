"""Moments, distribution and correlation of the Jakes sum."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import j0
from semcast.bus.channel import fading


def gains(t_s: float, links: int = 4000, doppler: float = 50.0) -> np.ndarray:
    return np.array([fading.rayleigh(7, "bs.1", f"user.{i}", t_s, doppler) for i in range(links)])


def test_mean_power_is_one_and_mean_is_zero() -> None:
    h = gains(0.123)
    assert np.mean(np.abs(h) ** 2) == pytest.approx(1, abs=0.06)
    assert abs(np.mean(h)) < 0.06
    assert np.mean(h.real**2) == pytest.approx(0.5, abs=0.04)
    assert np.mean(h.imag**2) == pytest.approx(0.5, abs=0.04)


def test_power_of_one_link_over_time_is_one() -> None:
    power = [abs(fading.rayleigh(1, "b", f"u{i}", t * 0.1, 50.0)) ** 2 for i in range(40) for t in range(100)]
    assert np.mean(power) == pytest.approx(1, abs=0.06)


def test_envelope_is_rayleigh_and_phase_uniform() -> None:
    h = gains(1.5)
    assert stats.kstest(np.abs(h), stats.rayleigh(scale=np.sqrt(0.5)).cdf).pvalue > 0.01
    assert stats.kstest(np.angle(h), stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 0.01


@pytest.mark.parametrize("tau_s", [0.002, 0.005, 0.01, 0.02])
def test_autocorrelation_is_j0(tau_s: float) -> None:
    measured = np.mean(gains(1 + tau_s) * gains(1.0).conj())
    assert measured.real == pytest.approx(j0(2 * np.pi * 50 * tau_s), abs=0.06)
    assert abs(measured.imag) < 0.06


def test_links_are_independent() -> None:
    a, b = gains(0.0), np.array([fading.rayleigh(7, "bs.2", f"user.{i}", 0.0, 50.0) for i in range(4000)])
    assert abs(np.mean(a * b.conj())) < 0.05


def test_doppler_and_coherence_time() -> None:
    assert fading.doppler_hz(30.0, 3.5e9) == pytest.approx(350.2, abs=0.1)
    assert fading.coherence_ns(100.0) == 4_230_000
    assert fading.coherence_ns(0.0) == 3_600_000_000_000
