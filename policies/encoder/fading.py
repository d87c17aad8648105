"""What an old, noisy SNR report says about the SNR now: a small discrete distribution."""

from math import cos, fsum, log10, pi, sin, sqrt

_HALF = (
    (1.1544053947399682, 0.2401231786050127),
    (2.366759410734541, 0.030757123967586515),
    (3.7504397177257425, 0.00054826885597221714),
)
HERMITE = ((0.0, 16 / 35), *_HALF, *((-node, weight) for node, weight in _HALF))
"""Gauss-Hermite rule of 7 (node, weight) pairs for a standard normal variable."""
_FOLDED = ((0.0, 16 / 35), *((node, 2.0 * weight) for node, weight in _HALF))
"""The same for even functions."""


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
        spread = sqrt(fresh * mean / 2.0)
        for along, weight_i in HERMITE:
            for across, weight_q in _FOLDED:
                snr = (rho * sqrt(then) + spread * along) ** 2 + (spread * across) ** 2
                found.append((10.0 * log10(max(snr, 1e-6)), weight * weight_i * weight_q))
    return found
