"""The driver's care for its workers: one that was killed, or stands still, is made anew from a checkpoint; so is the server.

A new incarnation of a worker starts from the newest checkpoint that all workers have. It does again what its predecessor did,
which its peers drop as duplicates, and is sent what it misses; the digest is that of an undisturbed run. Peers refuse what a
predecessor that still lives says. An error of a scenario or a plug-in would come again: it ends the run.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

from ..bus.errors import BadInput, LeftBehind, Missing, RunFailed, SemcastError
from .checkpoint import ALL, Checkpoints, WorkerResult
from .request import Progress
from .worker import WorkerSpec

log = logging.getLogger(__name__)

ATTEMPTS = 5
"""A worker that was lost so often with no new checkpoint between is not made anew."""
_LISTEN_S = 0.2


class Line(Struct, frozen=True):
    """One line that a worker says; an empty one is a sign of life."""

    progress: Progress | None = None
    result: WorkerResult | None = None
    error: list[str] | None = None


class Gone(Struct, frozen=True):
    """A worker is no more. ``lost``: something from outside ended it, so that another attempt makes sense."""

    reason: str
    lost: bool


class Said(Struct, frozen=True):
    """What is heard of one incarnation of a worker."""

    index: int
    incarnation: int
    what: Line | Gone


class Fleet(Protocol):
    """Workers, wherever they live."""

    def start(self, spec: WorkerSpec) -> None:
        """Start an incarnation of a worker."""

    def listen(self, timeout_s: float) -> list[Said]:
        """What was said since the last call; waits for something so long at most."""

    def kill(self, index: int, incarnation: int) -> None:
        """End an incarnation at once, as far as it can be reached."""

    def pid(self, index: int, incarnation: int) -> int:
        """Process id of an incarnation, on its machine."""

    def close(self) -> None:
        """End all of them."""


class Server(Protocol):
    """The NATS server of the run."""

    def mend(self) -> bool:
        """Start it again if it has died and is ours; whether it was."""


def first_specs(specs: Sequence[WorkerSpec]) -> list[WorkerSpec]:
    """The specs of a run that begins or, where its folder has checkpoints, goes on."""
    if not specs[0].folder:
        return list(specs)
    checkpoints = Checkpoints(Path(specs[0].folder))
    checkpoints.prepare()
    newest = checkpoints.newest(len(specs))
    incarnation = checkpoints.begin(ALL, newest)
    return [msgspec.structs.replace(spec, resume=newest, incarnation=incarnation) for spec in specs]


def ended(folder: str, incarnations: Sequence[int | None]) -> list[WorkerResult]:
    """The reports of all workers in a run folder, if these incarnations (None: the latest) have all ended; else nothing."""
    if not folder:
        return []
    ends = [Checkpoints(Path(folder)).end(index, incarnation) for index, incarnation in enumerate(incarnations)]
    return [end for end in ends if end] if all(ends) else []


class Supervisor:
    """Sees a run to its end.

    Args:
        fleet: Where the workers live.
        server: Of the run.
        specs: One a worker, see `first_specs`.
        on_progress: Told the progress of a worker: index, progress.
        stall_s: Wall-clock time without a sign of life after which a worker is taken for lost.
        watch: Called a few times a second with this supervisor; for tests that do harm.

    Attributes:
        specs: The living incarnations.
        recoveries: How often a worker or the server was made anew.
        ready_s: Wall-clock time from the start of the first worker until all had been heard.
    """

    def __init__(
        self,
        fleet: Fleet,
        server: Server,
        specs: Sequence[WorkerSpec],
        on_progress: Callable[[int, Progress], None],
        *,
        stall_s: float,
        watch: Callable[[Supervisor], None] | None = None,
    ) -> None:
        self.fleet, self.server, self.specs = fleet, server, list(specs)
        self.recoveries = 0
        self.ready_s = 0.0
        self._silent = {spec.index for spec in specs}
        self._started_s = time.monotonic()
        self._on_progress, self._stall_s, self._watch = on_progress, stall_s, watch
        self._checkpoints = Checkpoints(Path(specs[0].folder)) if specs[0].folder else None
        self._results: dict[int, WorkerResult] = {}
        self._heard_s = [0.0] * len(specs)
        self._losses: dict[tuple[int, int], int] = {}

    def run(self) -> list[WorkerResult]:
        """Run to the end; all workers are gone when this returns.

        Raises:
            SemcastError: A worker failed, or was lost too often.
        """
        try:
            for spec in self.specs:
                self._start(spec)
            while len(self._results) < len(self.specs):
                for said in self.fleet.listen(_LISTEN_S):
                    self._hear(said)
                if self.server.mend():
                    self.recoveries += 1
                    log.warning("the NATS server was lost and is there again")
                self._look_for_stalled()
                if self._watch is not None:
                    self._watch(self)
            return [self._results[index] for index in range(len(self.specs))]
        except KeyboardInterrupt:
            log.warning("interrupted: workers close their traces")
            raise
        finally:
            self.fleet.close()

    def _start(self, spec: WorkerSpec) -> None:
        self.specs[spec.index] = spec
        # Importing takes its time before the first sign of life.
        self._heard_s[spec.index] = time.monotonic() + 60.0
        self.fleet.start(spec)

    def _hear(self, said: Said) -> None:
        spec, what = self.specs[said.index], said.what
        if said.incarnation != spec.incarnation:
            return
        self._heard_s[said.index] = now = time.monotonic()
        if said.index in self._silent:
            self._silent.remove(said.index)
            self.ready_s = now - self._started_s
        if isinstance(what, Gone):
            self._lost(spec, what)
        elif what.progress is not None:
            self._on_progress(said.index, what.progress)
        elif what.result is not None:
            self._results[said.index] = what.result
        elif what.error is not None and what.error[0] == LeftBehind.__name__:
            self._lost(spec, Gone("went on from a checkpoint that its peers have left behind", lost=True))
        elif what.error is not None:
            raise as_error(*what.error)

    def _look_for_stalled(self) -> None:
        now = time.monotonic()
        for spec in self.specs:
            if spec.index not in self._results and now - self._heard_s[spec.index] > self._stall_s:
                self.fleet.kill(spec.index, spec.incarnation)
                self._lost(spec, Gone(f"gave no sign of life for {self._stall_s:.0f} s", lost=True))

    def _lost(self, spec: WorkerSpec, gone: Gone) -> None:
        """Make a worker anew, unless all have ended: its peers may still need what it sent last.

        One that has ended well and left may be needed, too, by a peer that was lost after it had said goodbye.
        """
        where = "its last words are in the run's run.log"
        if self._all_ended():
            return
        if (not gone.lost and spec.index not in self._results) or self._checkpoints is None:
            raise RunFailed(f"worker {spec.index} {gone.reason} and no result", where)
        newest = self._checkpoints.newest(len(self.specs))
        losses = self._losses[spec.index, newest] = self._losses.get((spec.index, newest), 0) + 1
        if losses > ATTEMPTS:
            raise RunFailed(f"worker {spec.index} was lost {losses} times at the same place; now it {gone.reason}", where)
        self.recoveries += 1
        self._results.pop(spec.index, None)
        log.warning("worker %d %s; it is made anew from round %d", spec.index, gone.reason, newest)
        incarnation = self._checkpoints.begin(spec.index, newest)
        if not self._all_ended():  # it may have just woken up and ended; from now on it cannot
            self._start(msgspec.structs.replace(spec, resume=newest, incarnation=incarnation))

    def _all_ended(self) -> bool:
        """Whether all incarnations that count have ended; takes their reports then."""
        if results := ended(self.specs[0].folder, [spec.incarnation for spec in self.specs]):
            self._results = dict(enumerate(results))
        return bool(results)


def as_error(name: str, message: str, hint: str) -> SemcastError:
    """The error that a worker has told of."""
    kinds: dict[str, type[SemcastError]] = {kind.__name__: kind for kind in (BadInput, Missing, RunFailed)}
    return kinds.get(name, RunFailed)(message, hint)
