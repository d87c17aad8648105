"""What users measure of their downlink: a running mean that is reported when it changes, single values when asked for."""

import math

from msgspec import Struct

from ..bus.channel import Radio
from ..bus.channel.csi import HIGH_DB, LOW_DB

MEMORY = 0.1
"""Weight of a new measurement in the running mean, once there are more than 1 / MEMORY of them."""
LEAST_GAP = 5
"""Measurements between two reports of the mean."""


class RunningMean(Struct):
    """Mean SNR over a link's fading, in linear power."""

    linear: float = 0.0
    count: int = 0

    def add(self, snr_db: float) -> None:
        """Take one measurement: a plain mean at first, then a fading one."""
        self.count += 1
        weight = max(MEMORY, 1 / self.count)
        self.linear += weight * (10 ** (snr_db / 10) - self.linear)

    @property
    def db(self) -> float:
        """The mean in dB; below any report when nothing was measured."""
        return 10 * math.log10(self.linear) if self.linear > 0 else LOW_DB


def error_std_db(snr_db: float, radio: Radio) -> float:
    """Standard deviation in dB of the error of one reported measurement.

    Quantisation in steps of D is uniform (``D / sqrt(12)``); p pilots of SNR g estimate |h|^2 with a relative error of
    variance ``2 / (p g)``, to first order.
    """
    step = (HIGH_DB - LOW_DB) / ((1 << radio.csi_bits) - 1)
    pilots = 0.0
    if radio.pilots:
        pilots = (10 / math.log(10)) ** 2 * 2 / (radio.pilots * max(10 ** (snr_db / 10), 0.1))
    return math.sqrt(step * step / 12 + pilots)
