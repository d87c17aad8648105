"""Baseline: who waits longest goes first."""

from ..protocols import Allocation, Draw, ScheduleContext


class Fifo:
    """Baseline: the transfer that has waited longest; on a tie the lower number."""

    def allocate(self, context: ScheduleContext, rng: Draw) -> Allocation:
        """Pick by waiting time alone."""
        first = min(context.queue, key=lambda transfer: (-transfer.waited_ns, transfer.number))
        return Allocation(first.number, f"waited longest of {len(context.queue)}")
