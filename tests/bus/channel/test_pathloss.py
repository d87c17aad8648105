"""Path loss points of TR 38.901 computed by hand, shadowing moments, thermal noise."""

import numpy as np
import pytest
from semcast.bus.channel import pathloss


def test_umi_los_before_the_break_point() -> None:
    # 3.5 GHz, 10 m and 1.5 m: break point 4*9*0.5*3.5e9/c = 210.1 m; d3D = sqrt(100^2 + 8.5^2) = 100.36 m
    assert pathloss.umi_db(100, 3.5e9, 10, 1.5, True) == pytest.approx(32.4 + 42.0328 + 10.8814, abs=0.001)


def test_umi_los_beyond_the_break_point() -> None:
    # d3D = 500.07 m; 40*log10 = 107.962; 9.5*log10(210.1^2 + 8.5^2) = 44.133
    assert pathloss.umi_db(500, 3.5e9, 10, 1.5, True) == pytest.approx(32.4 + 107.9624 + 10.8814 - 44.133, abs=0.01)
    assert pathloss.umi_db(210.2, 3.5e9, 10, 1.5, True) == pytest.approx(pathloss.umi_db(210.1, 3.5e9, 10, 1.5, True), abs=0.02)


def test_umi_nlos() -> None:
    # 35.3*log10(100.36) = 70.655; 21.3*log10(3.5) = 11.589
    assert pathloss.umi_db(100, 3.5e9, 10, 1.5, False) == pytest.approx(70.655 + 22.4 + 11.589, abs=0.001)
    assert all(pathloss.umi_db(d, 3.5e9, 10, 1.5, False) >= pathloss.umi_db(d, 3.5e9, 10, 1.5, True) for d in range(1, 2000, 7))


def test_near_field_is_that_of_10_m() -> None:
    assert pathloss.umi_db(0.0, 3.5e9, 10, 1.5, True) == pathloss.umi_db(10.0, 3.5e9, 10, 1.5, True)


def test_line_of_sight_probability() -> None:
    assert pathloss.los_probability(18) == 1
    assert pathloss.los_probability(36) == pytest.approx(0.5 + np.exp(-1) * 0.5)
    assert pathloss.los_probability(18.001) == pytest.approx(1, abs=1e-3)


def test_noise_and_mean_snr() -> None:
    assert pathloss.noise_dbm(1e6, 5) == pytest.approx(-109)
    assert pathloss.mean_snr_db(23, 115, 1e6, 5) == pytest.approx(17)


@pytest.mark.parametrize(("los", "sigma", "distance"), [(True, 4.0, 10.0), (False, 7.82, 13.0)])
def test_shadowing_is_gaussian_with_the_correlation_of_the_standard(los: bool, sigma: float, distance: float) -> None:
    here = np.array([pathloss.shadowing_db(seed, "bs", (31.0, 17.0), los) for seed in range(3000)])
    there = np.array([pathloss.shadowing_db(seed, "bs", (31.0 + distance, 17.0), los) for seed in range(3000)])
    assert here.std() == pytest.approx(sigma, rel=0.05)
    assert abs(here.mean()) < 0.1 * sigma
    assert np.corrcoef(here, there)[0, 1] == pytest.approx(np.exp(-1), abs=0.06)


def test_shadowing_is_continuous_in_space() -> None:
    a, b = (pathloss.shadowing_db(1, "bs", (x, 50.0), False) for x in (100.0, 100.001))
    assert a == pytest.approx(b, abs=0.1) and a != b
