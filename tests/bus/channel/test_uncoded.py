"""Closed forms of uncoded bit errors against their printed special cases, numerical integration, and counting."""

import math

import pytest
from scipy import integrate, stats
from scipy.special import erfc
from semcast.bus.channel.uncoded import closed_form, count_errors
from semcast.bus.errors import BadInput


def q(x: float) -> float:
    return 0.5 * float(erfc(x / math.sqrt(2)))


@pytest.mark.parametrize("snr_db", [-3.0, 2.0, 9.0, 16.0])
def test_special_cases(snr_db: float) -> None:
    snr = 10 ** (snr_db / 10)
    a, b = math.sqrt(snr / 5), math.sqrt(snr / 21)
    assert closed_form(1, snr_db) == pytest.approx(q(math.sqrt(2 * snr)))
    assert closed_form(2, snr_db) == pytest.approx(q(math.sqrt(snr)))
    assert closed_form(4, snr_db) == pytest.approx((3 * q(a) + 2 * q(3 * a) - q(5 * a)) / 4)
    assert closed_form(6, snr_db) == pytest.approx((7 * q(b) + 6 * q(3 * b) - q(5 * b) + q(9 * b) - q(13 * b)) / 12)


@pytest.mark.parametrize("bits", [1, 2, 4, 6])
def test_fading_is_the_mean_over_its_gains(bits: int) -> None:
    points = [1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0]
    for snr_db in (0.0, 10.0, 25.0):
        mean, _ = integrate.quad(
            lambda g, at=snr_db: math.exp(-g) * closed_form(bits, at + 10 * math.log10(g)), 1e-12, 50, limit=400, points=points
        )
        assert closed_form(bits, snr_db, "rayleigh") == pytest.approx(mean, rel=1e-4)


@pytest.mark.parametrize("bits", [1, 2, 4, 6])
@pytest.mark.parametrize("fading", ["awgn", "rayleigh"])
def test_counted_errors_are_those_of_the_closed_form(bits: int, fading) -> None:  # type: ignore[no-untyped-def]
    pytest.importorskip("sionna")
    wanted = closed_form(bits, 5.0, fading)
    wrong = count_errors(bits, 5.0, 200_000, fading, "uncoded", bits)
    n = 200_000 * bits  # the bits of one symbol share its noise: at worst they are wrong together
    assert abs(wrong - wanted * n) < 4 * math.sqrt(n * wanted * (1 - wanted) * bits)
    for mistake_db in (-3.01, 3.01):  # noise of sigma^2 in each of I and Q, Eb/N0 of QPSK taken for Es/N0, E|h|^2 = 2 ...
        assert stats.binomtest(wrong, n, closed_form(bits, 5.0 + mistake_db, fading)).pvalue < 1e-9


def test_an_unknown_modulation_is_refused() -> None:
    with pytest.raises(BadInput, match="3 bits"):
        closed_form(3, 1.0)
