"""What commands share that make many runs: where they go, how they are resumed, and how far they are."""

import argparse
import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...bus.errors import BadInput
from .options import load_scenario

if TYPE_CHECKING:
    from ..comparison.cells import Cell
    from ..comparison.plan import Point
    from ..schema import Scenario


ALIVE_S = 10.0
"""Nothing is quiet for longer."""


def add_where(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where many runs go."""
    parser.add_argument(
        "--jobs", metavar="N", type=int, default=os.cpu_count() or 1, help="runs at once (default: one a core); 1: without Ray"
    )
    parser.add_argument("--address", metavar="A", default="", help="Ray cluster to run on (default: a local one)")
    parser.add_argument("--host", default="", help=argparse.SUPPRESS)


class Runner:
    """Runs points with seeds, in the folder of a comparison or sweep, and tells how far it is.

    Args:
        args: The parsed options of `options.add_scenario` and `add_where`.
        out: The folder; finished runs that it holds are not made again.

    Raises:
        BadInput: A host was asked for.
    """

    def __init__(self, args: argparse.Namespace, out: Path) -> None:
        if args.host:
            raise BadInput(
                f"--host {args.host}: each of these runs is one process, and no result depends on its host",
                "--jobs N: how many run at once; --address A: on a Ray cluster",
            )
        self._args, self._out = args, out
        self.progress = Progress()

    def __call__(self, points: "Sequence[tuple[Point, int]]") -> "list[Cell]":
        """All cells, in order."""
        from ..comparison.cells import jobs, run_all

        args = self._args
        scenarios = [(point, self.scenario(point, seed)) for point, seed in points]
        self.progress.begin(len(points))
        self._out.mkdir(parents=True, exist_ok=True)
        try:
            with self.progress.alive():
                return run_all(jobs(self._out, scenarios), self.progress.tell, processes=args.jobs, address=args.address)
        except KeyboardInterrupt:
            print(f"finished runs are kept in {self._out}: give the same command again to go on", file=sys.stderr)
            raise

    def scenario(self, point: "Point", seed: int) -> "Scenario":
        """The scenario of a point, as it runs in a cell."""
        values = {path.replace(".", "__"): value for path, value in point.overrides.items()}
        return load_scenario(self._args, **({"host": "memory", "workers": 1} | values | {"seed": seed}))


class Progress:
    """Counts runs on stderr, with an estimate of the time left. ``total`` may be set any time before the first is told."""

    def __init__(self) -> None:
        self.total = 0
        self._done, self._fresh, self._started = 0, 0, time.monotonic()
        self._last = self._started

    def begin(self, runs: int) -> None:
        """Say how many runs there are, before the first ends."""
        self.total = self.total or runs
        if not self._done:
            print(f"{self.total} runs to make or to find", file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def alive(self, period_s: float = ALIVE_S) -> Iterator[None]:
        """Within, something is told at least every ``period_s``: runs take long, and say nothing themselves."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(period_s):
                quiet_s = time.monotonic() - self._last
                if quiet_s >= period_s:
                    told = f"{self._done}/{self.total} runs{self._left()}, {quiet_s:.0f} s since the last"
                    print(told, file=sys.stderr, flush=True)

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def tell(self, number: int, what: str, fresh: bool) -> None:
        """``number`` more are done; only ``fresh`` ones, which were not found from an earlier time, tell how long one takes."""
        self._fresh += number if fresh else 0
        self._done += number
        self._last = time.monotonic()
        print(f"{self._done}/{self.total} runs{self._left()}  {what}", file=sys.stderr, flush=True)

    def _left(self) -> str:
        missing = self.total - self._done
        if not self._fresh or missing <= 0:
            return ""
        left_s = (time.monotonic() - self._started) / self._fresh * missing
        return f", about {left_s / 60:.0f} min left" if left_s > 90 else f", about {left_s:.0f} s left"
