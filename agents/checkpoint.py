"""What a run needs to go on after a worker, or all of it, was lost: snapshots, and reports of workers that have ended.

All of it lies in ``snapshots/`` of the run folder, which only its owner can read, as it holds users' KBs:
``r<round>-w<worker>-i<incarnation>.msgpack`` is a worker between two windows (bus/snapshot.py) and its place in the trace,
``end-w<worker>-i<incarnation>.json`` the report of one that has ended, ``incarnations.json`` who began where. Files are written
in one step. A worker keeps its last two snapshots: when it writes one, all have written the one before.

One that stood still and was replaced may wake up and run ahead of its successor. So what it writes then does not count, and it
learns of it before it tells anybody.
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
from ..bus.errors import BadInput, LeftBehind, RunFailed
from ..bus.trace import TracePlace

_SNAPSHOT = re.compile(r"r(\d{1,12})-w(\d{1,6})-i(\d{1,9})\.msgpack")
ALL = -1
"""Stands for all workers in the table of incarnations."""


class Checkpoint(Struct, frozen=True):
    """A worker's snapshot, its place in the trace, and how many requests it has seen ``started`` and ``done``."""

    worker: bytes
    trace: TracePlace
    started: int = 0
    done: int = 0


class WorkerResult(Struct, frozen=True):
    """What one worker reports: the engine's report, the number of messages it refused as invalid, and where its wall time went.

    ``seconds``: see ``bus.profiling``; empty unless asked for. ``start_s``: what it did before its first event, in s of wall
    time: making ``agents``, reading ``models``. ``memory_bytes``: its process's at most.
    """

    report: WorkerReport
    rejected: int = 0
    seconds: dict[str, float] = {}
    start_s: dict[str, float] = {}
    memory_bytes: int = 0


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

    def begin(self, worker: int, round: int) -> int:
        """Note that a new incarnation of a worker (or of `ALL`) goes on from a round; returns its number.

        Numbers rise over all workers and all lives of the driver.
        """
        table = self._begun()
        self._write("incarnations.json", msgspec.json.encode([*table, (worker, round)]))
        return len(table)

    def has_begun(self, incarnation: int) -> bool:
        """Whether an incarnation was noted here: whether this is the folder that the driver has."""
        return len(self._begun()) > incarnation

    def check_living(self, worker: int, incarnation: int) -> None:
        """See that a worker has not been replaced.

        Raises:
            RunFailed: It has.
        """
        if self._latest(worker) > incarnation:
            raise RunFailed(f"worker {worker} was replaced while it stood still")

    def save(self, worker: int, incarnation: int, round: int, checkpoint: Checkpoint) -> None:
        """Keep a worker's checkpoint and forget its last but two.

        Raises:
            RunFailed: The worker was replaced.
        """
        self._write(_name(round, worker, incarnation), msgspec.msgpack.encode(checkpoint))
        self.check_living(worker, incarnation)
        for old in sorted(name for name in self._counting() if name[1] == worker)[:-2]:
            (self.folder / _name(*old)).unlink(missing_ok=True)

    def load(self, worker: int, round: int) -> Checkpoint:
        """A worker's checkpoint.

        Raises:
            LeftBehind: It is not there: a predecessor that still lived has written newer ones meanwhile.
            BadInput: It is damaged.
        """
        found = [name for name in self._counting() if name[:2] == (round, worker)]
        hint = "start the run again: semcast run RUN/scenario.toml"
        if not found:
            raise LeftBehind(f"{self.folder} has no snapshot of worker {worker} at round {round}", hint)
        path = self.folder / _name(*max(found))
        try:
            return msgspec.msgpack.decode(path.read_bytes(), type=Checkpoint)
        except (OSError, ValueError, RecursionError) as error:
            raise BadInput(f"{path} cannot be read: {error}", hint) from None

    def newest(self, workers: int) -> int:
        """The latest round of which all workers have a checkpoint; 0: none, the run begins anew."""
        complete = Counter(round for round, _ in {(round, worker) for round, worker, _ in self._counting()})
        return max((round for round, count in complete.items() if count == workers), default=0)

    def save_end(self, result: WorkerResult, incarnation: int) -> None:
        """Keep the report of a worker that has ended.

        Raises:
            RunFailed: The worker was replaced.
        """
        name = f"end-w{result.report.index}-i{incarnation}.json"
        self._write(name, msgspec.json.encode(result))
        try:
            self.check_living(result.report.index, incarnation)
        except RunFailed:
            (self.folder / name).unlink(missing_ok=True)
            raise

    def end(self, worker: int, incarnation: int | None = None) -> WorkerResult | None:
        """The report of an incarnation of a worker (default: the latest), if it has ended."""
        path = self.folder / f"end-w{worker}-i{self._latest(worker) if incarnation is None else incarnation}.json"
        return msgspec.json.decode(path.read_bytes(), type=WorkerResult) if path.exists() else None

    def remove(self) -> None:
        """The run has ended well and needs none of this any more."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _begun(self) -> list[tuple[int, int]]:
        """Of each incarnation: worker and the round from which it went on."""
        path = self.folder / "incarnations.json"
        return msgspec.json.decode(path.read_bytes(), type=list[tuple[int, int]]) if path.exists() else []

    def _latest(self, worker: int) -> int:
        """The latest incarnation of a worker."""
        return max((number for number, (who, _) in enumerate(self._begun()) if who in (worker, ALL)), default=0)

    def _counting(self) -> list[tuple[int, int, int]]:
        """(round, worker, incarnation) of all checkpoints that no later incarnation of the worker has begun before."""
        matches = [_SNAPSHOT.fullmatch(path.name) for path in self.folder.glob("r*.msgpack")]
        found = [(int(match[1]), int(match[2]), int(match[3])) for match in matches if match]
        begun = list(enumerate(self._begun()))
        return [
            (round, worker, incarnation)
            for round, worker, incarnation in found
            if all(first >= round for number, (who, first) in begun if number > incarnation and who in (worker, ALL))
        ]

    def _write(self, name: str, raw: bytes) -> None:
        """Write a file in one step, also against a loss of power, and against two who write the same one."""
        part = self.folder / f"{name}.{os.getpid()}.part"
        with part.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.folder / name)


def _name(round: int, worker: int, incarnation: int) -> str:
    return f"r{round}-w{worker}-i{incarnation}.msgpack"


class CheckpointWriter:
    """Writes a worker's checkpoints as it goes, all workers at the same rounds.

    Args:
        checkpoints: Of the run.
        incarnation: Of the worker.
        spacing: A checkpoint at every so many intervals of the hash chains.
        place: Ends the trace's segments; tells where the trace stands, and how many requests have started and are done.
        interval: Of the checkpoint from which the worker goes on.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        incarnation: int,
        spacing: int,
        place: Callable[[], tuple[TracePlace, int, int]],
        interval: int = 0,
    ) -> None:
        self._checkpoints, self._incarnation, self._spacing, self._place = checkpoints, incarnation, spacing, place
        self._last = interval // spacing

    def __call__(self, worker: Worker) -> None:
        """An interval has ended."""
        if worker.interval // self._spacing == self._last:
            return
        self._last = worker.interval // self._spacing
        shot = Checkpoint(snapshot.take(worker), *self._place())
        self._checkpoints.save(worker.index, self._incarnation, worker.round, shot)
        worker.exchange.saved(worker.round)
