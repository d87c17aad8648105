"""What an old, noisy SNR report says about the SNR now: a small discrete distribution."""

from itertools import pairwise
from math import cos, fsum, log, log10, pi, sin, sqrt

HERMITE = (
    (-2.8569700138728056, 0.011257411327720691),
    (-1.3556261799742659, 0.2220759220056126),
    (0.0, 0.5333333333333333),
    (1.3556261799742659, 0.2220759220056126),
    (2.8569700138728056, 0.011257411327720691),
)
"""Gauss-Hermite rule of 5 (node, weight) pairs for a standard normal variable."""

RINGS, SECTORS = 12, 6


def _rings() -> tuple[float, ...]:
    """Mean power of a unit complex normal variable in each of ``RINGS`` rings of equal probability; their mean is 1."""
    tails = [1.0 - k / RINGS for k in range(RINGS + 1)]
    partial = [tail * (1.0 - log(tail)) if tail > 0.0 else 0.0 for tail in tails]
    return tuple((inner - outer) * RINGS for inner, outer in pairwise(partial))


_POINTS = tuple((sqrt(power), cos(pi * (k + 0.5) / SECTORS)) for power in _rings() for k in range(SECTORS))
"""(magnitude, cosine of the angle) of equally likely points of a unit complex normal variable; half a plane will do."""


def bessel_j0(x: float) -> float:
    """Bessel function of the first kind and order 0; 0 beyond |x| = 1000, where it is below 0.03.

    Bessel's integral ``(1/pi) int_0^pi cos(x sin t) dt`` by the midpoint rule, exact to rounding for a periodic function.
    """
    if abs(x) > 1000.0:
        return 0.0
    n = 16 + int(abs(x))
    return fsum(cos(x * sin(pi * (k + 0.5) / n)) for k in range(n)) / n


def snr_now(
    csi_snr_db: float, std_db: float, age_s: float, doppler_hz: float, mean_snr_db: float | None
) -> list[tuple[float, float]]:
    """Distribution of the SNR now, given a report.

    The report errs by a normal error of ``std_db``. Its channel then ages as a Rayleigh process with Jakes' correlation
    ``rho = J0(2 pi f_D tau)`` in its first-order form ``h = rho h_then + sqrt(1 - rho^2) w``, w complex normal with the mean
    power (Clarke 1968). Without a known mean the reported SNR stands for it.

    Args:
        csi_snr_db: Reported SNR in dB.
        std_db: Standard deviation of the report's error in dB.
        age_s: Age of the report.
        doppler_hz: Maximum Doppler shift.
        mean_snr_db: Mean SNR of the link in dB, if known.

    Returns:
        (SNR in dB, probability) pairs; the probabilities sum to 1.
    """
    rho = bessel_j0(2.0 * pi * doppler_hz * age_s)
    fresh = 1.0 - rho * rho
    reports = [(csi_snr_db + node * std_db, weight) for node, weight in HERMITE] if std_db > 0.0 else [(csi_snr_db, 1.0)]
    if fresh < 1e-12:
        return reports
    found = []
    for then_db, weight in reports:
        then = 10.0 ** (then_db / 10.0)
        mean = then if mean_snr_db is None else 10.0 ** (mean_snr_db / 10.0)
        steady, spread = rho * sqrt(then), sqrt(fresh * mean)
        for magnitude, cosine in _POINTS:
            moved = spread * magnitude
            snr = max(steady * steady + moved * moved + 2.0 * steady * moved * cosine, 1e-6)
            found.append((10.0 * log10(snr), weight / len(_POINTS)))
    return found
