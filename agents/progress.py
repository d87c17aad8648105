"""What all workers together report."""

from collections.abc import Callable, Iterable

from .request import Progress


def added(parts: Iterable[dict[str, float]]) -> dict[str, float]:
    """The sums by name."""
    total: dict[str, float] = {}
    for part in parts:
        for name, seconds in part.items():
            total[name] = total.get(name, 0.0) + seconds
    return total


class Total:
    """Adds up the progress of all workers and tells the sum."""

    def __init__(self, workers: int, tell: Callable[[Progress], None]) -> None:
        self._parts = [Progress(0, 0, {}) for _ in range(workers)]
        self._tell = tell

    def update(self, index: int, part: Progress) -> None:
        """A worker has told how far it is."""
        self._parts[index] = part
        events: dict[str, int] = {}
        for each in self._parts:
            for role, count in each.events.items():
                events[role] = events.get(role, 0) + count
        self._tell(
            Progress(
                sim_ns=max(each.sim_ns for each in self._parts),
                windows=max(each.windows for each in self._parts),
                events=dict(sorted(events.items())),
                started=sum(each.started for each in self._parts),
                done=sum(each.done for each in self._parts),
                memory_bytes=sum(each.memory_bytes for each in self._parts),
            )
        )
