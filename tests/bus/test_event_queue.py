"""The queue of a worker against a plain heap; the log of chain values against plain lists."""

import heapq
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.bus.chain_log import ChainColumns, ChainLog
from semcast.bus.clock import NEVER
from semcast.bus.event_queue import Entry, EventQueue

L = 10
HOME: Any = None
TIMES = st.lists(st.integers(0, 200), max_size=60)


@given(TIMES, TIMES)
def test_windows_come_in_the_order_of_a_heap(first: Sequence[int], more: Sequence[int]) -> None:
    """Some come before, some while it is emptied, those at least a window after what is being done."""
    queue, heap, later = EventQueue(L), [], list(more)
    entries: list[Entry] = [(t, t % 3, f"user.{t % 7}", number, None, HOME) for number, t in enumerate(first)]
    for entry in entries:
        queue[entry[0] // L].append(entry)
        heapq.heappush(heap, entry)
    assert list(queue.entries()) == sorted(entries)
    while heap:
        window = heap[0][0] // L
        assert queue.floor_ns() == window * L and queue.take(window - 1) == []
        due = queue.take(window)
        assert due == [heapq.heappop(heap) for _ in due] and (not heap or heap[0][0] // L > window)
        if later:
            entry = ((window + 1) * L + later.pop(), 2, "user.0", len(first) + len(later), None, HOME)
            queue[entry[0] // L].append(entry)
            heapq.heappush(heap, entry)
    assert queue.floor_ns() == NEVER and not queue


NAMES = ("bs.0", "user.0", "user.1", "user.2")


def log_of(intervals: Sequence[Sequence[int]]) -> tuple[ChainLog, dict[str, list[tuple[int, str]]]]:
    """A log, and what it holds as plain lists; agent ``a`` has the value a + 16 x i at the end of the i-th interval."""
    log, plain = ChainLog(NAMES), {name: [] for name in NAMES}
    for i, numbers in enumerate(intervals):
        values = [bytes([number + 16 * i]) * 16 for number in numbers]
        log.close(3 * i, numbers, values)
        for number, value in zip(numbers, values, strict=True):
            plain[NAMES[number]].append((3 * i, value.hex()))
    return log, plain


@given(st.lists(st.lists(st.integers(0, 3), unique=True), max_size=8))
def test_the_log_holds_what_was_closed_also_after_a_snapshot(intervals: Sequence[Sequence[int]]) -> None:
    log, plain = log_of(intervals)
    again = ChainLog(NAMES)
    again.restore(log.columns())
    for each in (log, again):
        assert dict(each) == plain
        assert {NAMES[number]: value.hex() for number, value in each.last()} == {k: v[-1][1] for k, v in plain.items() if v}


def test_a_log_goes_on_after_it_was_read() -> None:
    log, _ = log_of([[0, 2], [2]])
    assert [interval for interval, _ in log["user.1"]] == [0, 3]
    log.close(9, [2, 3], [bytes(16), bytes(16)])
    assert [interval for interval, _ in log["user.1"]] == [0, 3, 9] and log["user.2"] == [(9, "00" * 16)]
    with pytest.raises(KeyError):
        log["user.3"]


@pytest.mark.parametrize(
    "columns",
    [
        ChainColumns([(0, 2)], b"\0\0\0\0", bytes(16)),
        ChainColumns([(0, 1)], b"\0\0\0\0", bytes(15)),
        ChainColumns([(0, 1)], b"\0\0\0", bytes(16)),
        ChainColumns([(0, 1)], b"\4\0\0\0", bytes(16)),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns: ChainColumns) -> None:
    with pytest.raises(ValueError):
        ChainLog(NAMES).restore(columns)
