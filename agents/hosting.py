"""Where the workers of a run live: this process, processes of this machine, or Ray actors. The only file that imports ray.

All three run ``agents.worker``; nothing that a user sees depends on the choice. Ray places the workers and watches over
them; messages never travel as Ray calls. `run_everywhere` puts whole runs, many of them, on Ray.
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ..bus.collector import seldom_collecting
from ..bus.engine import run_digest
from ..bus.errors import BadInput, Missing, RunFailed, SemcastError
from ..bus.exchange.chaos import Chaos
from ..bus.exchange.memory import Hub, MemoryExchange
from ..bus.server import ExternalServer, NatsServer, nats_server
from . import participants
from .base import make_world
from .checkpoint import WorkerResult
from .processes import ProcessFleet
from .progress import Total, added
from .recovery import Fleet, Gone, Line, Said, Supervisor, ended, first_specs
from .request import Progress, RunReport, RunRequest, worker_count
from .worker import WorkerSpec, log_to, no_room, run_over_nats, run_worker

log = logging.getLogger(__name__)

HOSTS = ("memory", "nats", "ray")
NO_CLUSTER = (
    "start one with `ray start --head` and give its address (newer versions of Ray want its token here, too: "
    "`ray get-auth-token`), or leave --address out"
)
Tell = Callable[[Progress], None]
Argument = TypeVar("Argument")
Answer = TypeVar("Answer")


def run(
    request: RunRequest,
    on_progress: Tell,
    *,
    chaos: Chaos | None = None,
    uvloop: bool = True,
    watch: Callable[[Supervisor], None] | None = None,
) -> RunReport:
    """Run a network to its end and report; where its folder has checkpoints, from these on.

    Args:
        request: What to run and where. ``workers`` 0 means one a core (memory: one).
        on_progress: Called from the driver's thread a few times a second.
        chaos: Disturbances of the exchange, for tests.
        uvloop: Use uvloop in the workers where it is installed.
        watch: See ``Supervisor``.

    Raises:
        BadInput: Host, exchange or number of workers make no sense.
        Missing: No NATS server, no Ray cluster.
        RunFailed: A worker failed; its log is in the run folder.
    """
    started = time.monotonic()
    workers = worker_count(request.host, request.workers)
    _check(request, workers)
    if results := ended(request.folder, [None] * workers):
        log.info("all workers had ended already")
        return _report(results, time.monotonic() - started)
    specs = first_specs(_specs(request, workers, chaos, uvloop))
    if request.host == "memory":
        return _report(_in_memory(specs, on_progress), time.monotonic() - started)
    with contextlib.ExitStack() as stack:
        start_s: dict[str, float] = {}
        world = make_world(request.settings, request.run)
        server = stack.enter_context(_server(request, workers, world.shards))
        tell = stack.enter_context(participants.place_told(request, world, server, on_progress))
        start_s["NATS"] = time.monotonic() - started
        specs = [msgspec.structs.replace(spec, access=server.worker(spec.index)) for spec in specs]
        fleet: Fleet = ProcessFleet()
        if request.host == "ray":
            fleet = stack.enter_context(_ray_fleet(request.address, workers))
            start_s["Ray"] = time.monotonic() - started - start_s["NATS"]
        supervisor = Supervisor(fleet, server, specs, Total(workers, tell).update, stall_s=request.stall_s, watch=watch)
        results = supervisor.run()
    start_s["workers"] = supervisor.ready_s
    report = _report(results, time.monotonic() - started)
    return msgspec.structs.replace(report, recoveries=supervisor.recoveries, start_s=start_s)


def _check(request: RunRequest, workers: int) -> None:
    """Refuse what cannot be run, before anything is started."""
    if request.host not in HOSTS:
        raise BadInput(f"host {request.host!r} is unknown", f"choose one of {', '.join(HOSTS)}")
    world = make_world(request.settings, request.run)
    if not 1 <= workers <= world.shards:
        raise BadInput(f"{workers} workers: at least 1 and at most {world.shards} (the number of shards)", "--workers N")
    participants.check(request.host, request.external, request.pace)
    for name in request.tap:
        if name not in world.ids:
            near = difflib.get_close_matches(name, world.ids, 1)
            hint = f"did you mean {near[0]}?" if near else f"for instance {world.ids[-1]}"
            raise BadInput(f"--tap {name}: no agent has that id", hint)


def _specs(request: RunRequest, workers: int, chaos: Chaos | None, uvloop: bool) -> list[WorkerSpec]:
    """What each worker is told: all of the request that concerns it, by the names of the fields."""
    shared = [name for name in WorkerSpec.__struct_fields__ if name in RunRequest.__struct_fields__]
    told: dict[str, Any] = {name: getattr(request, name) for name in shared} | {"workers": workers}
    return [WorkerSpec(index=index, chaos=chaos, uvloop=uvloop, **told) for index in range(workers)]


def _report(results: Sequence[WorkerResult], wall_s: float) -> RunReport:
    reports = [result.report for result in results]
    chains = {name: value for report in reports for name, value in report.chains.items()}
    return RunReport(
        digest=run_digest(chains),
        chains=dict(sorted(chains.items())),
        windows=max(report.windows for report in reports),
        events=sum(report.events for report in reports),
        wall_s=wall_s,
        sim_s=max(report.t_ns for report in reports) / 1e9,
        rejected=sum(result.rejected for result in results),
        seconds=added(result.seconds for result in results),
    )


# --- memory -----------------------------------------------------------------------------------------------------------


def _in_memory(specs: Sequence[WorkerSpec], tell: Tell) -> list[WorkerResult]:
    hub, total = Hub(len(specs)), Total(len(specs), tell)

    async def together() -> list[WorkerResult]:
        tasks = [
            run_worker(spec, MemoryExchange(hub, spec.index, spec.chaos), lambda part, i=spec.index: total.update(i, part))  # type: ignore[misc]
            for spec in specs
        ]
        return list(await asyncio.gather(*tasks))

    with seldom_collecting():
        return asyncio.run(together())


# --- over NATS --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _server(request: RunRequest, workers: int, shards: int) -> Iterator[NatsServer | ExternalServer]:
    """The run's NATS server; an embedded one lives no longer than the run. Leaves the observer's credential in the folder."""
    server = nats_server(request.run, workers, shards, request.nats or None, external=request.external)
    server.start()
    link = Path(request.folder) / "observer.url" if request.folder else None
    try:
        if link is not None and isinstance(server, NatsServer):
            link.touch(mode=0o600)
            link.write_text(server.observer_file.read_text())
        yield server
    finally:
        if link is not None:
            link.unlink(missing_ok=True)
        server.stop()


# --- ray --------------------------------------------------------------------------------------------------------------


def run_everywhere(
    function: Callable[[Argument], Answer], arguments: Sequence[Argument], *, jobs: int = 0, address: str = ""
) -> Generator[tuple[int, Answer], None, None]:
    """Call a function with each argument, as Ray tasks of one processor each, and yield ``(index, answer)`` as they end.

    Arguments and answers travel as data, so that the machines of a cluster need no common folder. A task whose machine is
    lost is tried again elsewhere. Closing the iterator, or an error in it, ends all tasks. Within `connected` the workers stay.

    Args:
        function: A function of a module that workers can import.
        arguments: One a call.
        jobs: How many at once on this machine; 1 means in this process, without Ray, in order; 0 one a core.
        address: A Ray cluster instead of this machine; its processors then set how many run at once.

    Raises:
        Missing: No Ray cluster.
        RunFailed: Ray failed. What ``function`` raises itself ends the calls, too, as RunFailed: it should answer instead.
    """
    if jobs == 1 and not address:
        for index, argument in enumerate(arguments):
            yield index, function(argument)
        return
    import ray

    joined = ray.is_initialized()
    if not joined:
        _connect(ray, address, jobs or None)
    running: dict[Any, int] = {}
    try:
        task = ray.remote(function).options(num_cpus=1)
        running = {task.remote(argument): index for index, argument in enumerate(arguments)}
        while running:
            for reference in ray.wait(list(running), timeout=1.0)[0]:
                yield running.pop(reference), ray.get(reference)
    except ray.exceptions.RayError as error:
        raise RunFailed(f"a Ray task failed: {error}", "run again with --jobs 1 to see whether Ray is the cause") from error
    finally:
        if not joined:
            ray.shutdown()  # of a cluster, too: the tasks of a driver that left are ended
        for reference in running if joined else ():
            ray.cancel(reference, force=True)


@contextlib.contextmanager
def connected(*, jobs: int = 0, address: str = "") -> Iterator[None]:
    """Within, one call of `run_everywhere` after the other finds the same Ray, and workers that have loaded what they need."""
    if jobs == 1 and not address:
        yield
        return
    import ray

    _connect(ray, address, jobs or None)
    try:
        yield
    finally:
        ray.shutdown()


class _RayWorker:
    """The actor: a thin shell. Two threads: one runs, the other answers what there is to tell."""

    def __init__(self, spec: bytes) -> None:
        self._spec = spec
        self._progress: Progress | None = None
        self._result: WorkerResult | None = None

    def run(self) -> bytes:
        spec = msgspec.json.decode(self._spec, type=WorkerSpec)
        if spec.folder:
            log_to(Path(spec.folder))
        try:
            return msgspec.json.encode(Line(result=run_over_nats(spec, self._keep, self._end)))
        except SemcastError as error:
            return msgspec.json.encode(Line(error=[type(error).__name__, error.message, error.hint]))
        except OSError as error:
            return msgspec.json.encode(Line(error=no_room(error)))

    def _keep(self, progress: Progress) -> None:
        self._progress = progress

    def _end(self, result: WorkerResult) -> None:
        self._result = result

    def news(self) -> tuple[int, bytes]:
        """Process id, and a line."""
        return os.getpid(), msgspec.json.encode(Line(progress=self._progress, result=self._result))


class _RayFleet:
    """See ``recovery.Fleet``; ``share`` of a processor for each worker."""

    def __init__(self, ray: Any, share: float) -> None:
        self._ray = ray
        self._actor = ray.remote(_RayWorker).options(num_cpus=share, max_concurrency=2, max_restarts=0)
        self._actors: dict[tuple[int, int], Any] = {}
        self._running: dict[Any, tuple[int, int]] = {}
        self._asked: dict[Any, tuple[int, int]] = {}
        self._pids: dict[tuple[int, int], int] = {}

    def start(self, spec: WorkerSpec) -> None:
        """Start an actor, wherever there is room."""
        key = (spec.index, spec.incarnation)
        actor = self._actors[key] = self._actor.remote(msgspec.json.encode(spec))
        self._running[actor.run.remote()] = key
        self._asked[actor.news.remote()] = key

    def listen(self, timeout_s: float) -> list[Said]:
        """Who has ended, and the news that actors were asked for in the last call; each is asked again when it has answered."""
        errors = self._ray.exceptions
        said: list[Said] = []
        if not self._running:
            time.sleep(timeout_s)
        for reference in self._ray.wait(list(self._running), timeout=timeout_s)[0] if self._running else ():
            key = self._running.pop(reference)
            try:
                said.append(Said(*key, msgspec.json.decode(self._ray.get(reference), type=Line)))
                said.append(Said(*key, Gone("has left", lost=False)))
                self._ray.kill(self._actors[key])  # or it would keep its share of a processor from a worker that is made anew
            except errors.RayTaskError as error:
                said.append(Said(*key, Gone(f"failed: {error}", lost=False)))
            except errors.RayError as error:  # actor, worker process or node
                said.append(Said(*key, Gone(f"was lost: {str(error).splitlines()[0]}", lost=True)))
        answered = self._ray.wait(list(self._asked), num_returns=len(self._asked), timeout=0)[0] if self._asked else ()
        for reference in answered:
            key = self._asked.pop(reference)
            try:
                self._pids[key], raw = self._ray.get(reference)
            except errors.RayError:
                continue  # its run tells more
            line = msgspec.json.decode(raw, type=Line)
            said += [Said(*key, Line(progress=line.progress)), *([Said(*key, Line(result=line.result))] if line.result else [])]
            self._asked[self._actors[key].news.remote()] = key
        return said

    def kill(self, index: int, incarnation: int) -> None:
        """End an actor."""
        self._ray.kill(self._actors[index, incarnation])

    def pid(self, index: int, incarnation: int) -> int:
        """Process id of an actor, 0 before it has told."""
        return self._pids.get((index, incarnation), 0)

    def close(self) -> None:
        """End all actors."""
        for actor in self._actors.values():
            self._ray.kill(actor)


@contextlib.contextmanager
def _ray_fleet(address: str, workers: int) -> Iterator[_RayFleet]:
    """Actors in the cluster at ``address``, in the one joined before, or in one of our own."""
    import ray

    joined = ray.is_initialized()
    if not joined:
        _connect(ray, address)
    try:
        share = min(1.0, int(1000 * ray.cluster_resources().get("CPU", 1.0) / workers) / 1000)
        with contextlib.redirect_stdout(sys.stderr):  # where Ray tells of lost actors and nodes; stdout is for answers
            yield _RayFleet(ray, share)
    except ray.exceptions.RayError as error:
        raise RunFailed(f"Ray failed: {error}", "run again with --host memory to see whether Ray is the cause") from error
    finally:
        if not joined:
            ray.shutdown()


def _connect(ray: Any, address: str, processors: int | None = None) -> None:
    """Start a Ray of our own on this machine (with so many processors), or join the cluster at ``address``."""
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address:
        import semcast

        _reach(address)
        options |= {"address": address, "runtime_env": {"py_modules": [semcast]}}
    else:
        options |= {"address": "local", "num_cpus": processors, "include_dashboard": False}
    ours = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(**options)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, ours)  # Ray's own would end the driver without a word in the run folder
    except Exception as error:  # of any class: a node that is slow to start is a plain Exception
        where = f"the Ray cluster at {address!r}" if address else "a local Ray"
        raise Missing(f"cannot reach {where}: {error}", NO_CLUSTER) from error


def _reach(address: str) -> None:
    """Try a ``host:port`` for five seconds; Ray alone would try for minutes."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), 5).close()
    except OSError as error:
        raise Missing(f"cannot reach the Ray cluster at {address!r}: {error}", NO_CLUSTER) from None
