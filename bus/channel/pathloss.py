"""Large-scale gain of a link: 3GPP TR 38.901 UMi street canyon, spatially consistent shadowing, thermal noise.

Valid for carriers of 0.5 to 100 GHz and distances up to 5 km; below 10 m on the ground the value at 10 m is used.
Left out: outdoor-to-indoor loss, antenna patterns (gains are isotropic), the correlation between LOS and NLOS shadowing.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from .. import keys

_LIGHT_MPS = 299_792_458.0
_WAVES = 64
SHADOW_DB = {True: 4.0, False: 7.82}
"""Standard deviation of the shadowing, LOS and NLOS (TR 38.901 Table 7.4.1-1)."""
SHADOW_M = {True: 10.0, False: 13.0}
"""Distance over which the shadowing's correlation falls to 1/e, LOS and NLOS (TR 38.901 Table 7.5-6)."""


def umi_db(distance_m: float, carrier_hz: float, bs_height_m: float, user_height_m: float, los: bool) -> float:
    """Path loss in dB of UMi street canyon (TR 38.901 Table 7.4.1-1, with the environment height of 1 m).

    Args:
        distance_m: Ground distance (2D).
        carrier_hz: Carrier frequency.
        bs_height_m: Height of the base station's antenna.
        user_height_m: Height of the user's antenna.
        los: Whether there is a line of sight.
    """
    d2 = max(distance_m, 10.0)
    step_m = bs_height_m - user_height_m
    log_d3 = 0.5 * math.log10(d2 * d2 + step_m * step_m)
    log_ghz = math.log10(carrier_hz * 1e-9)
    break_m = 4 * (bs_height_m - 1) * (user_height_m - 1) * carrier_hz / _LIGHT_MPS
    if d2 <= break_m:
        clear = 32.4 + 21 * log_d3 + 20 * log_ghz
    else:
        clear = 32.4 + 40 * log_d3 + 20 * log_ghz - 9.5 * math.log10(break_m**2 + step_m**2)
    if los:
        return clear
    return max(clear, 35.3 * log_d3 + 22.4 + 21.3 * log_ghz - 0.3 * (user_height_m - 1.5))


def los_probability(distance_m: float) -> float:
    """Probability of a line of sight at a ground distance (TR 38.901 Table 7.4.2-1, UMi street canyon)."""
    if distance_m <= 18:
        return 1.0
    return 18 / distance_m + math.exp(-distance_m / 36) * (1 - 18 / distance_m)


@lru_cache(maxsize=1 << 14)  # 1.5 kB each: all base stations of a large network
def _waves(seed: int, bs_id: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Wave vectors (for a correlation distance of 1 m) and phases of a base station's shadowing field, each ``(64,)``."""
    rng = keys.generator(seed, "shadowing", bs_id)
    # The plane spectrum of exp(-d) is (1 + k^2)^(-3/2): its radial distribution 1 - (1 + k^2)^(-1/2) is inverted here.
    radius = np.sqrt((1 - rng.random(_WAVES)) ** -2 - 1)
    angle, phase = 2 * np.pi * rng.random((2, _WAVES))
    return radius * np.cos(angle), radius * np.sin(angle), phase


@lru_cache(maxsize=1 << 12)
def shadowing_fields(seed: int, bs_ids: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Wave vectors and phases of several base stations, each ``(stations, 64)``."""
    kx, ky, phase = zip(*(_waves(seed, bs_id) for bs_id in bs_ids), strict=True)
    return np.stack(kx), np.stack(ky), np.stack(phase)


def shadowings_db(seed: int, bs_ids: tuple[str, ...], position_m: tuple[float, float], los: Sequence[bool]) -> list[float]:
    """`shadowing_db` of several base stations at one place, in one go."""
    kx, ky, phase = shadowing_fields(seed, bs_ids)
    metres = np.array([SHADOW_M[each] for each in los])[:, None]
    field = np.cos(kx * (position_m[0] / metres) + ky * (position_m[1] / metres) + phase).sum(axis=1) * math.sqrt(2 / _WAVES)
    return [SHADOW_DB[each] * float(value) for each, value in zip(los, field, strict=True)]


def shadowing_db(seed: int, bs_id: str, position_m: tuple[float, float], los: bool) -> float:
    """Log-normal shadowing in dB: one field per base station over the plane, so that near users see nearly the same.

    A sum of 64 keyed plane waves with the exponential correlation of TR 38.901 section 7.4.4.
    """
    kx, ky, phase = _waves(seed, bs_id)
    x, y = position_m[0] / SHADOW_M[los], position_m[1] / SHADOW_M[los]
    field = float(np.cos(kx * x + ky * y + phase).sum()) * math.sqrt(2 / _WAVES)
    return SHADOW_DB[los] * field


def noise_dbm(bandwidth_hz: float, noise_figure_db: float) -> float:
    """Thermal noise power at 290 K in a bandwidth: -174 dBm/Hz, plus the receiver's noise figure."""
    return -174.0 + 10 * math.log10(bandwidth_hz) + noise_figure_db


def mean_snr_db(power_dbm: float, loss_db: float, bandwidth_hz: float, noise_figure_db: float) -> float:
    """Mean Es/N0 per complex symbol in dB, at one symbol a second and hertz of bandwidth."""
    return power_dbm - loss_db - noise_dbm(bandwidth_hz, noise_figure_db)
