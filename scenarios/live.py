"""What a run shows while it runs: a rich display on a terminal, a plain line every 5 s on a pipe, or nothing."""

import sys
import time
from types import TracebackType
from typing import IO, Protocol, Self

from ..agents.request import Progress

PLAIN_PERIOD_S = 5.0


class Display(Protocol):
    """Called with every progress report of a host; a context manager around the run."""

    def __call__(self, progress: Progress) -> None:
        """Show it."""

    def __enter__(self) -> Self:
        """Start showing."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop showing."""


def display(name: str, title: str, duration_s: float, stream: IO[str] | None = None) -> Display:
    """The display called ``name``: ``rich``, ``plain``, ``none``, or empty for the one that suits the stream (stderr)."""
    stream = stream or sys.stderr
    chosen = name or ("rich" if stream.isatty() else "plain")
    return {"rich": Rich, "plain": Plain, "none": Silent}[chosen](title, duration_s, stream)


class Silent:
    """Shows nothing. ``title`` and ``duration_s`` (simulated, of the traffic) are what the others show."""

    def __init__(self, title: str, duration_s: float, stream: IO[str]) -> None:
        self._title, self._duration_s, self._stream = title, duration_s, stream
        self._started_s = time.monotonic()
        self._last_s, self._last_windows, self._rate = self._started_s, 0, 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def __call__(self, progress: Progress) -> None:
        """Nothing to show."""

    def _windows_per_s(self, progress: Progress) -> float:
        """Windows a second of wall time since the last call that was at least a second ago."""
        now_s = time.monotonic()
        if now_s - self._last_s >= 1.0:
            self._rate = (progress.windows - self._last_windows) / (now_s - self._last_s)
            self._last_s, self._last_windows = now_s, progress.windows
        return self._rate


def _events(progress: Progress) -> str:
    return " ".join(f"{role} {count:,}" for role, count in sorted(progress.events.items()))


class Plain(Silent):
    """A line at once and then every 5 s."""

    _due_s = 0.0

    def __call__(self, progress: Progress) -> None:
        """Write a line if one is due."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + PLAIN_PERIOD_S
        self._stream.write(
            f"{now_s - self._started_s:6.1f} s  simulated {progress.sim_ns / 1e9:6.2f} of {self._duration_s:g} s  "
            f"{self._windows_per_s(progress):,.0f} windows/s  requests {progress.done}/{progress.started}  "
            f"events {_events(progress)}\n"
        )
        self._stream.flush()


class Rich(Silent):
    """A progress bar over simulated time with counts below it."""

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        self._bars = Bars(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=32),
            TextColumn("{task.fields[simulated]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[counts]}"),
            console=Console(file=self._stream),
        )
        self._task = self._bars.add_task(self._title, total=self._duration_s, simulated="starting", counts="")
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bars.stop()

    def __call__(self, progress: Progress) -> None:
        """Redraw."""
        simulated_s = progress.sim_ns / 1e9
        self._bars.update(
            self._task,
            completed=min(simulated_s, self._duration_s),
            simulated=f"{simulated_s:.2f} / {self._duration_s:g} s",
            counts=f"{progress.done}/{progress.started} requests  {self._windows_per_s(progress):,.0f}/s  {_events(progress)}",
        )
