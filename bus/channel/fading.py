"""Small-scale fading: a Jakes sum of sinusoids per link, held over coherence blocks.

h(t) = M^(-1/2) sum_m exp(j (2 pi f_D t cos a_m + p_m)),  a_m = (2 pi m + u_m) / M,  m = 0 .. M - 1,

with keyed p_m, u_m uniform in [0, 2 pi) (Zheng and Xiao, "Simulation models with correct statistical properties for Rayleigh
fading channels", 2003). Over the keys E h = 0, E|h|^2 = 1, E h(t + s) h*(t) = J0(2 pi f_D s), and |h|^4 is 2 - 1/M instead of 2.
"""

from functools import lru_cache

import numpy as np

from .. import keys

WAVES = 32
_LIGHT_MPS = 299_792_458.0


@lru_cache(maxsize=1 << 10)
def doppler_hz(speed_mps: float, carrier_hz: float) -> float:
    """Largest Doppler shift at a speed."""
    return speed_mps * carrier_hz / _LIGHT_MPS


@lru_cache(maxsize=1 << 10)
def coherence_ns(doppler: float) -> int:
    """Coherence time 0.423 / f_D (Rappaport, "Wireless Communications", eq. 5.40.c) in ns; one hour if nothing moves."""
    return max(1, round(0.423e9 / doppler)) if doppler > 0 else 3_600_000_000_000


@lru_cache(maxsize=1 << 16)
def _waves(seed: int, bs_id: str, user_id: str) -> tuple[np.ndarray, np.ndarray]:
    u, p = 2 * np.pi * keys.uniforms((2, WAVES), seed, "fading", bs_id, user_id)
    return 2 * np.pi * np.cos((2 * np.pi * np.arange(WAVES) + u) / WAVES), p


@lru_cache(maxsize=1 << 12)  # one instant is looked up by who hears, who measures and who records
def rayleigh(seed: int, bs_id: str, user_id: str, t_s: float, doppler: float) -> complex:
    """Complex gain h of a link at one instant, E|h|^2 = 1; the same for both directions (time division duplex)."""
    cosines, phases = _waves(seed, bs_id, user_id)
    angles = cosines * (doppler * t_s) + phases
    scale = WAVES**-0.5
    return complex(float(np.cos(angles).sum()) * scale, float(np.sin(angles).sum()) * scale)
