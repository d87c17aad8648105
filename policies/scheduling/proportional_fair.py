"""Proportional fair: serve a user when its channel is good for this user, but let nobody starve."""

import math
from dataclasses import dataclass
from typing import Annotated

from ..protocols import Allocation, Draw, QueuedTransfer, ScheduleContext


@dataclass(frozen=True)
class Parameters:
    """``alpha``: 0 serves the best channel only, 1 is proportional fair, more is fairer still."""

    alpha: Annotated[float, "exponent of what a user already got"] = 1.0

    def __post_init__(self) -> None:
        if self.alpha < 0.0:
            raise ValueError(f"alpha = {self.alpha} is negative")


def rate(snr_db: float) -> float:
    """Shannon's bits a complex symbol at ``snr_db``."""
    return math.log2(1.0 + 10.0 ** (min(max(snr_db, -60.0), 60.0) / 10.0))


class ProportionalFair:
    """The transfer with the largest ``r / T^alpha``: rate now over what its user got so far.

    ``r = log2(1 + SNR)`` and ``T = (1 + S) log2(1 + mean SNR)``, S the symbols served so far: T estimates the bits they carried
    (Viswanath, Tse, Laroia 2002).
    Where no mean is known the SNR now stands for it, and with ``alpha`` = 1 whoever got the fewest symbols is next.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def allocate(self, context: ScheduleContext, rng: Draw) -> Allocation:
        """Pick by the metric; on a tie who waits longest, then the lower number."""
        served = dict(context.served)

        def metric(transfer: QueuedTransfer) -> float:
            now = rate(transfer.snr_db)
            mean = now if transfer.mean_snr_db is None else rate(transfer.mean_snr_db)
            got = (1.0 + served.get(transfer.user, 0)) * mean
            return math.log(now) - self.parameters.alpha * math.log(got)  # the order of r / T^alpha, whatever alpha

        best = max(context.queue, key=lambda transfer: (metric(transfer), transfer.waited_ns, -transfer.number))
        reason = f"{best.user}: {rate(best.snr_db):.2f} bit/symbol now, {served.get(best.user, 0)} symbols so far"
        return Allocation(best.number, reason)
