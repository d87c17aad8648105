"""What a worker still has to do, by window: a window's events are put in order when their turn has come.

Nearly all that is sent lies in later windows, and nearly in order. So to append it to its window and to sort that once costs
less than to keep everything in one heap, and the cost of an event does not grow with the number of those that wait.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

from .clock import NEVER
from .homes import Home

Entry = tuple[int, int, str, int, Any, Home]
"""(t_deliver, priority, source, sequence), no two of them equal, what happens then, to whom. Ids are in the order of ranks."""


class EventQueue(dict[int, list[Entry]]):
    """Window -> its entries, in no order: ``queue[t_ns // lookahead_ns].append(entry)``.

    Args:
        lookahead_ns: Length of a window.
    """

    def __init__(self, lookahead_ns: int) -> None:
        super().__init__()
        self._lookahead_ns = lookahead_ns
        self._windows: list[int] = []

    def __missing__(self, window: int) -> list[Entry]:
        heapq.heappush(self._windows, window)
        found = self[window] = []
        return found

    def floor_ns(self) -> int:
        """Start of the first window in which something is to do; ``NEVER`` where there is none."""
        return self._windows[0] * self._lookahead_ns if self._windows else NEVER

    def take(self, window: int) -> list[Entry]:
        """Remove what is to do in a window, in key order. No earlier one may hold anything."""
        if not self._windows or self._windows[0] != window:
            return []
        heapq.heappop(self._windows)
        due = self.pop(window)
        due.sort()
        return due

    def entries(self) -> Iterator[Entry]:
        """All that waits, in key order."""
        for window in sorted(self._windows):
            yield from sorted(self[window])

    def clear(self) -> None:
        """Forget everything."""
        super().clear()
        self._windows.clear()
