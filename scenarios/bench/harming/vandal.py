"""Carries out a schedule on a running network, in a thread of its own."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ....agents.recovery import Supervisor
from ....bus.errors import RunFailed
from ....bus.server import NatsServer
from .cluster import Cluster
from .family import signal_all
from .proxy import Proxy
from .schedule import Fault, Schedule

log = logging.getLogger(__name__)

STALL_S = 3.0
"""Silence after which a run's driver takes a worker for lost."""
LIMIT_S = 240.0
"""A run that goes on for longer is taken for one that hangs."""
_POLL_S = 0.004


class Vandal:
    """Does what a schedule says.

    Args:
        schedule: What to do.
        folder: Of the run.
        usual_s: Wall time of an undisturbed run.
        server: The run's server, where it is not the driver's own.
        proxy: On the way to it.
        cluster: Of Ray.
        limit_s: Wall time after which the run is taken for one that hangs.

    Attributes:
        done: Faults that were carried out; others found the run at its end already.
        pids: All workers seen.
    """

    def __init__(
        self,
        schedule: Schedule,
        folder: Path,
        usual_s: float,
        *,
        server: NatsServer | None = None,
        proxy: Proxy | None = None,
        cluster: Cluster | None = None,
        limit_s: float = LIMIT_S,
    ) -> None:
        self.done: list[Fault] = []
        self.pids: set[int] = set()
        self._schedule, self._folder, self._usual_s = schedule, folder, usual_s
        self._server, self._proxy, self._cluster, self._limit_s = server, proxy, cluster, limit_s
        self._supervisor: Supervisor | None = None
        self._recoveries = 0
        self._spared: set[tuple[int, int]] = set()
        self._begun_s = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.error: BaseException | None = None

    def watch(self, supervisor: Supervisor) -> None:
        """For `hosting.run`.

        Raises:
            RunFailed: The run hangs.
        """
        if self._supervisor is None:
            self._supervisor = supervisor
            self._spare_the_stalled(supervisor)
            self._thread.start()
        self._note_workers()
        if time.monotonic() - self._begun_s > self._limit_s:
            raise RunFailed(f"it did not end within {self._limit_s:.0f} s")

    def leave(self) -> None:
        """The run is over."""
        self._over.set()
        if self._supervisor is not None:
            self._thread.join()
        if self.error is not None:
            raise self.error

    def _spare_the_stalled(self, supervisor: Supervisor) -> None:
        """A stalled worker comes back after it was replaced: as on a machine that the driver cannot reach meanwhile."""
        kill: Callable[[int, int], None] = supervisor.fleet.kill

        def spare(index: int, incarnation: int) -> None:
            if (index, incarnation) not in self._spared:
                kill(index, incarnation)

        supervisor.fleet.kill = spare  # type: ignore[method-assign]

    def _work(self) -> None:
        try:
            for fault in self._schedule.faults:
                if not self._wait_for(fault) or self._over.is_set():
                    return
                self._do(fault)
        except BaseException as error:
            self.error = error

    def _wait_for(self, fault: Fault) -> bool:
        """Wait for a fault's moment; false when it does not come any more."""
        assert self._supervisor is not None
        when, since = fault.when, 0.0
        before = rounds(self._folder)
        seen = set(before)
        while not self._over.is_set():
            now = time.monotonic()
            seen |= rounds(self._folder)
            if when.after == "time" and now - self._begun_s >= when.value * self._usual_s:
                return True
            if when.after == "checkpoint" and len(seen - before) >= when.value:
                return True
            if when.after == "report" and any((self._folder / "snapshots").glob("end-w*.json")):
                return True
            if when.after == "recovery" and not since and self._supervisor.recoveries > self._recoveries:
                since = now
            if since and now - since >= when.value:
                return True
            time.sleep(_POLL_S)
        return False

    def _do(self, fault: Fault) -> None:
        log.info("schedule %d: %s", self._schedule.number, fault)
        self.done.append(fault)
        self._recoveries = self._supervisor.recoveries if self._supervisor else 0
        if fault.what in {"kill", "terminate"}:
            signal_all([self._pid(fault.worker)], signal.SIGKILL if fault.what == "kill" else signal.SIGTERM)
        elif fault.what == "pause":
            self._pause([self._pid(fault.worker)], fault.for_s)
        elif fault.what == "stall":
            self._stall(fault)
        elif fault.what == "kill all":
            signal_all([self._pid(index) for index in range(self._schedule.workers)], signal.SIGKILL)
        elif fault.what == "cut":
            assert self._proxy is not None
            self._proxy.cut(fault.for_s)
        elif fault.what == "node":
            assert self._cluster is not None
            self._cluster.lose()
        else:
            self._harm_server(fault)

    def _harm_server(self, fault: Fault) -> None:
        assert self._supervisor is not None
        server = self._server or self._supervisor.server
        assert isinstance(server, NatsServer)
        if fault.what == "pause server":
            self._pause([server.pid], fault.for_s)
            return
        workers = [self._pid(fault.worker)] if fault.what == "worker and server" else []
        signal_all([server.pid, *workers], signal.SIGKILL)
        if self._server is not None:  # nobody else starts it again
            time.sleep(fault.for_s)
            self._server.mend()

    def _pause(self, pids: list[int], for_s: float) -> None:
        signal_all(pids, signal.SIGSTOP)
        self._over.wait(for_s)
        signal_all(pids, signal.SIGCONT)

    def _stall(self, fault: Fault) -> None:
        assert self._supervisor is not None
        spec = self._supervisor.specs[fault.worker]
        self._spared.add((spec.index, spec.incarnation))
        pid = self._pid(fault.worker)
        signal_all([pid], signal.SIGSTOP)
        until = time.monotonic() + 4 * STALL_S
        while self._supervisor.specs[fault.worker].incarnation == spec.incarnation:
            if self._over.is_set() or time.monotonic() > until:
                break
            time.sleep(_POLL_S)
        self._over.wait(fault.for_s)
        signal_all([pid], signal.SIGCONT)

    def _pid(self, index: int) -> int:
        """Process id of a worker's living incarnation; of Ray's it is known a moment after the start. 0: there is none."""
        assert self._supervisor is not None
        while not self._over.is_set():
            if pid := self._supervisor.fleet.pid(index, self._supervisor.specs[index].incarnation):
                self.pids.add(pid)
                return pid
            time.sleep(_POLL_S)
        return 0

    def _note_workers(self) -> None:
        assert self._supervisor is not None
        for spec in self._supervisor.specs:
            self.pids.add(self._supervisor.fleet.pid(spec.index, spec.incarnation))
        self.pids.discard(0)


def rounds(folder: Path) -> set[int]:
    """Rounds of which some worker has a checkpoint now."""
    return {int(path.name[1:].partition("-")[0]) for path in (folder / "snapshots").glob("r*-w*.msgpack")}
