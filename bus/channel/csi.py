"""Channel state information: measured from pilots, quantised, time-stamped; by the time it is used it is old."""

from dataclasses import dataclass

LOW_DB, HIGH_DB = -10.0, 30.0
"""Range of reported SNRs; values outside are reported as the nearest end."""


@dataclass(frozen=True)
class CsiReport:
    """What a receiver reports of its link.

    Attributes:
        t_ns: When it was measured.
        level: Quantised SNR, 0 to 2^bits - 1.
        bits: Length of the report; to be charged where it is sent.
        pilot_symbols: Pilots that were sent for the measurement; to be charged.
    """

    t_ns: int
    level: int
    bits: int
    pilot_symbols: int = 0

    @property
    def snr_db(self) -> float:
        """The reported |h|^2 Es / N0 in dB."""
        return dequantise(self.level, self.bits)

    def age_ns(self, now_ns: int) -> int:
        """How old the measurement is."""
        return now_ns - self.t_ns


def quantise(snr_db: float, bits: int) -> int:
    """Nearest of 2^bits levels that divide [`LOW_DB`, `HIGH_DB`] evenly, ends included."""
    top = (1 << bits) - 1
    return min(top, max(0, round((snr_db - LOW_DB) / (HIGH_DB - LOW_DB) * top)))


def dequantise(level: int, bits: int) -> float:
    """SNR in dB of a level."""
    return LOW_DB + level * (HIGH_DB - LOW_DB) / ((1 << bits) - 1)
