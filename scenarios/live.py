"""What a run shows while it runs: a rich display on a terminal, a plain line every 5 s on a pipe, or nothing."""

import sys
import time
from types import TracebackType
from typing import IO, Protocol, Self

from ..agents.request import Progress

PLAIN_PERIOD_S = 5.0
ESTIMATED_AFTER_S, ESTIMATED_FROM = 10.0, 0.05
"""No rest is estimated before so much wall time, and so much of the simulated time, has passed."""


class Display(Protocol):
    """Called with every progress report of a host; a context manager around the run."""

    def __call__(self, progress: Progress) -> None:
        """Show it."""

    def note(self, text: str) -> None:
        """Show what is done now, as it takes its time."""

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
        self._last_s, self._last_events, self._rate = self._started_s, 0, 0.0
        self._first: tuple[float, float] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def __call__(self, progress: Progress) -> None:
        """Nothing to show."""

    def note(self, text: str) -> None:
        """Nothing to show."""

    def _pace(self, progress: Progress) -> str:
        """Events a second of wall time lately, memory, and how long the rest of the traffic will take at the mean pace so far."""
        now_s, events = time.monotonic(), sum(progress.events.values())
        if now_s - self._last_s >= 1.0:
            self._rate = (events - self._last_events) / (now_s - self._last_s)
            self._last_s, self._last_events = now_s, events
        said = f"{self._rate:,.0f} events/s"
        if progress.memory_bytes:
            said += f"  {progress.memory_bytes / 1e9:.1f} GB"
        simulated_s = progress.sim_ns / 1e9
        if self._first is None:
            self._first = (now_s, simulated_s)
        (first_s, from_s), left_s = self._first, self._duration_s - simulated_s
        done = (simulated_s - from_s) / self._duration_s
        if left_s > 0 and done >= ESTIMATED_FROM and now_s - first_s > ESTIMATED_AFTER_S:
            said += f"  about {(now_s - first_s) / (simulated_s - from_s) * left_s:,.0f} s left"
        return said


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
            f"requests {progress.done:,}/{progress.started:,}  events {_events(progress)}  {self._pace(progress)}\n"
        )
        self._stream.flush()

    def note(self, text: str) -> None:
        """Write a line."""
        self._stream.write(f"{time.monotonic() - self._started_s:6.1f} s  {text}\n")
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
            counts=f"{progress.done:,}/{progress.started:,} requests  {_events(progress)}  {self._pace(progress)}",
        )

    def note(self, text: str) -> None:
        """Say it where the simulated time stands."""
        self._bars.update(self._task, simulated=text)
