"""What a run needs to go on after a worker, or all of it, was lost: snapshots, and reports of workers that have ended.

All of it lies in ``snapshots/`` of the run folder, which only its owner can read, as it holds users' KBs:
``r<round>-w<worker>.msgpack`` is a worker between two windows (bus/snapshot.py) and its place in the trace,
``end-w<worker>.json`` the report of one that has ended, ``incarnation`` the highest number given to a worker so far.
Files are written in one step. A worker keeps its last two snapshots: when it writes one, all have written the one before.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from ..bus import snapshot
from ..bus.engine import Worker, WorkerReport
from ..bus.errors import BadInput, LeftBehind
from ..bus.trace import TracePlace

_SNAPSHOT = re.compile(r"r(\d{1,12})-w(\d{1,6})\.msgpack")


class Checkpoint(Struct, frozen=True):
    """A worker's snapshot, its place in the trace, and how many requests it has seen ``started`` and ``done``."""

    worker: bytes
    trace: TracePlace
    started: int = 0
    done: int = 0


class WorkerResult(Struct, frozen=True):
    """What one worker reports: the engine's report, the number of messages it refused as invalid, and where its wall time went.

    ``seconds``: see ``bus.profiling``; empty unless asked for.
    """

    report: WorkerReport
    rejected: int = 0
    seconds: dict[str, float] = {}


class Checkpoints:
    """The ``snapshots/`` of one run.

    Args:
        run: Run folder.
    """

    def __init__(self, run: Path) -> None:
        self.folder = run / "snapshots"

    def prepare(self) -> None:
        """Make the folder."""
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def save(self, worker: int, round: int, checkpoint: Checkpoint) -> None:
        """Keep a worker's checkpoint and forget its last but two."""
        self._write(f"r{round}-w{worker}.msgpack", msgspec.msgpack.encode(checkpoint))
        for old in sorted(each for each, index in self._found() if index == worker)[:-2]:
            (self.folder / f"r{old}-w{worker}.msgpack").unlink(missing_ok=True)

    def load(self, worker: int, round: int) -> Checkpoint:
        """A worker's checkpoint.

        Raises:
            LeftBehind: It is not there: a predecessor that still lived has written newer ones meanwhile.
            BadInput: It is damaged.
        """
        path = self.folder / f"r{round}-w{worker}.msgpack"
        hint = "start the run again: semcast run RUN/scenario.toml"
        try:
            return msgspec.msgpack.decode(path.read_bytes(), type=Checkpoint)
        except FileNotFoundError:
            raise LeftBehind(f"{path} is not there", hint) from None
        except (OSError, ValueError, RecursionError) as error:
            raise BadInput(f"{path} cannot be read: {error}", hint) from None

    def newest(self, workers: int) -> int:
        """The latest round of which all workers have a checkpoint; 0: none, the run begins anew."""
        complete = Counter(round for round, _ in self._found())
        return max((round for round, count in complete.items() if count == workers), default=0)

    def next_incarnation(self) -> int:
        """A number higher than any before, also over several lives of the driver."""
        path = self.folder / "incarnation"
        number = int(path.read_text()) + 1 if path.exists() else 0
        self._write("incarnation", str(number).encode())
        return number

    def save_end(self, result: WorkerResult) -> None:
        """Keep the report of a worker that has ended."""
        self._write(f"end-w{result.report.index}.json", msgspec.json.encode(result))

    def end(self, worker: int) -> WorkerResult | None:
        """The report of a worker, if it has ended."""
        path = self.folder / f"end-w{worker}.json"
        return msgspec.json.decode(path.read_bytes(), type=WorkerResult) if path.exists() else None

    def remove(self) -> None:
        """The run has ended well and needs none of this any more."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _found(self) -> list[tuple[int, int]]:
        """(round, worker) of all checkpoints."""
        matches = [_SNAPSHOT.fullmatch(path.name) for path in self.folder.glob("r*.msgpack")]
        return [(int(match[1]), int(match[2])) for match in matches if match]

    def _write(self, name: str, raw: bytes) -> None:
        """Write a file in one step, also against a loss of power, and against two who write the same one."""
        part = self.folder / f"{name}.{os.getpid()}.part"
        with part.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.folder / name)


class CheckpointWriter:
    """Writes a worker's checkpoints as it goes, all workers at the same rounds.

    Args:
        checkpoints: Of the run.
        spacing: A checkpoint at every so many intervals of the hash chains.
        place: Ends the trace's segments; tells where the trace stands, and how many requests have started and are done.
        interval: Of the checkpoint from which the worker goes on.
    """

    def __init__(
        self, checkpoints: Checkpoints, spacing: int, place: Callable[[], tuple[TracePlace, int, int]], interval: int = 0
    ) -> None:
        self._checkpoints, self._spacing, self._place = checkpoints, spacing, place
        self._last = interval // spacing

    def __call__(self, worker: Worker) -> None:
        """An interval has ended."""
        if worker.interval // self._spacing == self._last:
            return
        self._last = worker.interval // self._spacing
        self._checkpoints.save(worker.index, worker.round, Checkpoint(snapshot.take(worker), *self._place()))
        worker.exchange.saved(worker.round)
