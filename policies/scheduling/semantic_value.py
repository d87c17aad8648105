"""Semantic value per symbol: what means most for the air that it takes goes first."""

import math
from dataclasses import dataclass
from typing import Annotated

from ..protocols import Allocation, Draw, QueuedTransfer, ScheduleContext
from .proportional_fair import rate

MOST_ROBUST = 0.49
"""Bits a complex symbol at which a transfer's ``symbols`` are counted: those of the most robust scheme, QPSK at rate 1/4."""


@dataclass(frozen=True)
class Parameters:
    """Worth of a transfer by its purpose, and how fast a picture loses it while it waits."""

    picture: Annotated[float, "worth of a picture's features"] = 1.0
    prompt: Annotated[float, "worth of a prompt: a picture that is still to be drawn and sent"] = 1.0
    csi: Annotated[float, "worth of a channel report, for which a picture waits"] = 1.0
    knowledge: Annotated[float, "worth of KB items, which a prompt may wait for"] = 0.5
    other: Annotated[float, "worth of anything else (feedback, summaries, preparation)"] = 0.05
    half_s: Annotated[float, "time in s in which waiting halves what a picture is worth"] = 2.0

    def __post_init__(self) -> None:
        if min(self.picture, self.prompt, self.csi, self.knowledge, self.other) < 0.0 or self.half_s <= 0.0:
            raise ValueError("worths must not be negative, and half_s must be above 0")


class SemanticValue:
    """The transfer with the largest ``value / expected symbols``, aged so that nothing starves.

    ``value = w_purpose``; expected symbols are those at the scheme for the last reported SNR, ``symbols * 0.49 / log2(1 + SNR)``
    for coded bits and ``symbols`` for features, whose number is fixed. What waits gains: ``value * 2^(waited / half_s)``, the
    inverse of the timeliness that it loses (``agents.satisfaction``), as in the weighted-shortest-job rule of Smith (1956) with
    ageing. The idea of ordering by semantic value is the papers' (GAI-SCN, section V); the weights are ours.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def allocate(self, context: ScheduleContext, rng: Draw) -> Allocation:
        """Pick by value per symbol; on a tie who waits longest, then the lower number."""
        rated = {transfer.number: self._worth(transfer) for transfer in context.queue}
        best = max(context.queue, key=lambda transfer: (rated[transfer.number], transfer.waited_ns, -transfer.number))
        return Allocation(best.number, f"{best.purpose} of {best.user}: {1e3 * rated[best.number]:.3g} a 1000 symbols")

    def _worth(self, transfer: QueuedTransfer) -> float:
        own = self.parameters
        worth = {"features": own.picture, "prompt": own.prompt, "csi": own.csi, "kb": own.knowledge}.get(
            transfer.purpose, own.other
        )
        share = 1.0 if transfer.purpose == "features" else min(1.0, MOST_ROBUST / max(rate(transfer.snr_db), 1e-3))
        ageing = min(60.0, transfer.waited_ns * 1e-9 / own.half_s)
        return worth * math.exp2(ageing) / max(1.0, transfer.symbols * share)
