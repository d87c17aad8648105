"""What an old, noisy SNR report says about the SNR now: a small discrete distribution."""

from functools import cache, lru_cache
from itertools import accumulate, pairwise
from math import cos, fsum, log, log10, pi, sin, sqrt
from statistics import NormalDist

COHERENCE = 0.423
"""Coherence time in Doppler periods (Rappaport, "Wireless Communications", eq. 5.40.c)."""
SHARES = (1 / 64, 1 / 64, 1 / 32, *(1 / 16,) * 15)
"""Probabilities of the parts that a fading distribution is cut into, from low to high: finer in the fades."""
_BOUNDS = [NormalDist().inv_cdf(end) for end in accumulate(SHARES[:-1])]
_DENSITY = [0.0, *(NormalDist().pdf(bound) for bound in _BOUNDS), 0.0]
NORMAL = tuple((low - high) / share for (low, high), share in zip(pairwise(_DENSITY), SHARES, strict=True))
"""Means of a standard normal variable over the parts of `SHARES`."""
STEP, LAST = 0.125, 48
"""Amplitudes of the constant part, in units of the fading part's root mean square, for which the cuts are tabled: k STEP."""
RINGS, SECTORS = 128, 24


def snr_now(
    csi_snr_db: float, std_db: float, age_s: float, doppler_hz: float, mean_snr_db: float | None
) -> list[tuple[float, float]]:
    """Distribution of the SNR now, given a report.

    The channel is held for a coherence time ``T = 0.423 / f_D`` (block Rayleigh fading), whose blocks the asker does not see. A
    report of age tau is still of this block with probability ``1 - tau / T``, and then errs by a normal error of ``std_db``.
    Else the channel has aged by k blocks (tau / T, rounded, at least 1) as a Rayleigh process with Jakes' correlation
    ``rho = J0(2 pi f_D k T)`` in its first-order form ``h = rho h_then + sqrt(1 - rho^2) w``, w complex normal with the mean
    power (Clarke 1968); the report's error matters no more. Without a known mean the reported SNR stands for it. Each value is
    the mean in dB of a part of the distribution, so that the expectation of anything linear in dB over the part is exact.

    Args:
        csi_snr_db: Reported SNR in dB.
        std_db: Standard deviation of the report's error in dB.
        age_s: Age of the report when the SNR is wanted.
        doppler_hz: Maximum Doppler shift f_D.
        mean_snr_db: Mean SNR of the link in dB, if known.

    Returns:
        (SNR in dB, probability) pairs; the probabilities sum to 1.
    """
    blocks = age_s * doppler_hz / COHERENCE
    held = max(0.0, 1.0 - blocks)
    found = [(csi_snr_db + std_db * level, held * share) for level, share in zip(NORMAL, SHARES, strict=True)] if held else []
    if held < 1.0:
        levels = _aged(csi_snr_db, csi_snr_db if mean_snr_db is None else mean_snr_db, _correlation(max(1, round(blocks))))
        found += [(level_db, (1.0 - held) * share) for level_db, share in zip(levels, SHARES, strict=True)]
    return found


def quantile_db(points: list[tuple[float, float]], probability: float) -> float:
    """The SNR in dB below which the channel is with a probability in (0, 1): linear between the middles of the points' parts."""
    before_db, passed, below = None, 0.0, 0.0
    for snr_db, weight in sorted(points):
        middle = below + weight / 2.0
        if middle >= probability:
            if before_db is None:
                return snr_db
            return before_db + (snr_db - before_db) * (probability - passed) / (middle - passed)
        before_db, passed, below = snr_db, middle, below + weight
    return max(points)[0]


def _aged(then_db: float, mean_db: float, rho: float) -> list[float]:
    """Levels of the SNR in dB where the channel has kept a correlation of ``rho``, below 1, with that of ``then_db``."""
    fading_db = mean_db + 10.0 * log10(1.0 - rho * rho)
    return [fading_db + level_db for level_db in rician_levels(abs(rho) * 10.0 ** ((then_db - fading_db) / 20.0))]


@lru_cache(maxsize=1024)
def _correlation(blocks: int) -> float:
    """Jakes' correlation of two blocks."""
    return bessel_j0(2.0 * pi * COHERENCE * blocks)


def rician_levels(steady: float) -> list[float]:
    """Means of ``10 log10 |steady + w|^2`` over the parts of `SHARES`; w unit complex normal.

    Linear between the tabled amplitudes. Beyond the last one the fading is small: its decibels shrink as 1 / ``steady``.
    """
    place = steady / STEP
    k = int(place)
    if k >= LAST:
        scale, last_db, middle_db = LAST / place, 20.0 * log10(LAST * STEP), 20.0 * log10(steady)
        return [middle_db + (level_db - last_db) * scale for level_db in _row(LAST)]
    part = place - k
    return [low + part * (high - low) for low, high in zip(_row(k), _row(k + 1), strict=True)]


@cache
def _row(k: int) -> tuple[float, ...]:
    """The levels for the tabled amplitude ``k STEP``: equally likely points of w (half a plane will do), sorted and cut."""
    steady = k * STEP
    powers = [-log(1.0 - (ring + 0.5) / RINGS) for ring in range(RINGS)]
    cosines = [cos(pi * (sector + 0.5) / SECTORS) for sector in range(SECTORS)]
    values = sorted(10.0 * log10(steady * steady + p + 2.0 * steady * sqrt(p) * c) for p in powers for c in cosines)
    ends = [round(end * len(values)) for end in accumulate(SHARES, initial=0.0)]
    return tuple(fsum(values[low:high]) / (high - low) for low, high in pairwise(ends))


def bessel_j0(x: float) -> float:
    """Bessel function of the first kind and order 0; 0 beyond |x| = 1000, where it is below 0.03.

    Bessel's integral ``(2/pi) int_0^(pi/2) cos(x sin t) dt`` by the midpoint rule, exact to rounding for a periodic function.
    """
    if abs(x) > 1000.0:
        return 0.0
    sines = _sines(8 + int(abs(x)) // 2)
    return fsum(cos(x * sine) for sine in sines) / len(sines)


@cache
def _sines(n: int) -> tuple[float, ...]:
    return tuple(sin(pi * (k + 0.5) / (2 * n)) for k in range(n))
