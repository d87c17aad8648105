"""Workers as Ray actors, and whole runs as Ray tasks, on this machine or on a cluster. The only file that imports ray.

Ray places the workers and watches over them; messages never travel as Ray calls. A cluster gets the package, and what policies
are plugged in, from the driver; the run folder has to be on a file system that all nodes share.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import msgspec

from ..bus.errors import BadInput, Missing, RunFailed, SemcastError
from ..bus.server import LOOPBACK
from .checkpoint import Checkpoints, WorkerResult
from .recovery import Gone, Line, Said
from .request import Progress, RunRequest
from .settings import PolicySettings
from .worker import WorkerSpec, log_to, no_room, run_over_nats

log = logging.getLogger(__name__)

NO_CLUSTER = (
    "start one with `ray start --head` and give its address (newer versions of Ray want its token here, too: "
    "`ray get-auth-token`), or leave --address out"
)
ROOM_S = 60.0
"""Wall-clock time in which a cluster must find room for all workers, where their placement is asked for."""
_SHARED_S = 10.0
_PACKAGE = __package__.partition(".")[0]
Argument = TypeVar("Argument")
Answer = TypeVar("Answer")


class RayFleet:
    """See ``recovery.Fleet``.

    Args:
        ray: The library, connected.
        options: Of the actors.
        placement: Of one worker; default: wherever there is room.
        sources: Source files of plugged-in policies, by their path here; None where workers can read them themselves.
    """

    def __init__(
        self,
        ray: Any,
        options: dict[str, Any],
        placement: Callable[[int], dict[str, Any]] = lambda index: {},
        sources: dict[str, bytes] | None = None,
    ) -> None:
        self._ray, self._placement, self._sources = ray, placement, sources or {}
        self._actor = ray.remote(_RayWorker)
        self._options = options | {"max_concurrency": 2, "max_restarts": 0}
        self._actors: dict[tuple[int, int], Any] = {}
        self._running: dict[Any, tuple[int, int]] = {}
        self._asked: dict[Any, tuple[int, int]] = {}
        self._pids: dict[tuple[int, int], int] = {}

    def start(self, spec: WorkerSpec) -> None:
        """Start an actor, wherever there is room or its placement says."""
        key = (spec.index, spec.incarnation)
        made = self._actor.options(**self._options, **self._placement(spec.index))
        actor = self._actors[key] = made.remote(msgspec.json.encode(spec), self._sources)
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
                self._ray.kill(self._actors[key])  # it may only be out of reach, and keep its share
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
        """End an actor at once."""
        self._ray.kill(self._actors[index, incarnation])

    def pid(self, index: int, incarnation: int) -> int:
        """Process id of an actor, 0 before it has told."""
        return self._pids.get((index, incarnation), 0)

    def close(self) -> None:
        """End all actors."""
        for actor in self._actors.values():
            self._ray.kill(actor)


class _RayWorker:
    """The actor: a thin shell. Two threads: one runs, the other answers what there is to tell."""

    def __init__(self, spec: bytes, sources: dict[str, bytes]) -> None:
        self._spec, self._sources = spec, sources
        self._progress: Progress | None = None
        self._result: WorkerResult | None = None

    def run(self) -> bytes:
        spec = msgspec.json.decode(self._spec, type=WorkerSpec)
        try:
            if spec.folder:
                check_shared(spec)
                log_to(Path(spec.folder))
            with unpacked(spec, self._sources) as ready:
                return msgspec.json.encode(Line(result=run_over_nats(ready, self._keep, self._end)))
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


def check_shared(spec: WorkerSpec, patience_s: float = _SHARED_S) -> None:
    """See that this machine has the run folder, and not another one of that name.

    Raises:
        Missing: It has not.
    """
    checkpoints, until = Checkpoints(Path(spec.folder)), time.monotonic() + patience_s
    while not checkpoints.has_begun(spec.incarnation):
        if time.monotonic() > until:
            raise Missing(
                f"worker {spec.index} on {socket.gethostname()} does not find the driver's run folder {spec.folder}",
                "mount one file system at the same place on all nodes (NFS, for instance) and give a folder on it: --out FOLDER",
            )
        time.sleep(0.2)  # a network file system may show it a moment later


# --- plugged-in policies ----------------------------------------------------------------------------------------------


def plugin_sources(policies: Sequence[PolicySettings]) -> dict[str, bytes]:
    """Contents of the files of policies that were named ``path.py:Class``, by path."""
    paths = (policy.target.rpartition(":")[0] for policy in policies)
    return {path: Path(path).read_bytes() for path in paths if path.endswith(".py")}


def plugin_modules(policies: Sequence[PolicySettings]) -> list[str]:
    """Where the top-level packages of policies lie that were named by module or entry point: a folder or a file each."""
    places = [policy.target.rpartition(":")[0] for policy in policies]
    names = {place.partition(".")[0]: None for place in places if not place.endswith(".py")}
    return [_place(import_module(name)) for name in names if name != _PACKAGE]


def _place(module: ModuleType) -> str:
    """Folder of a package, or file of a module; as Ray's jobs cannot take modules themselves."""
    return next(iter(getattr(module, "__path__", ())), None) or str(module.__file__)


@contextlib.contextmanager
def unpacked(spec: WorkerSpec, sources: dict[str, bytes]) -> Iterator[WorkerSpec]:
    """The order of a worker with the files of its policies laid down on this machine."""
    if not sources:
        yield spec
        return
    with tempfile.TemporaryDirectory(prefix="semcast-plugins-") as folder:
        places = {}
        for number, (path, source) in enumerate(sources.items()):
            place = Path(folder) / str(number) / Path(path).name
            place.parent.mkdir()
            place.write_bytes(source)
            places[path] = str(place)
        policies = []
        for policy in spec.settings.policies:
            path, _, name = policy.target.rpartition(":")
            policies.append(msgspec.structs.replace(policy, target=f"{places.get(path, path)}:{name}"))
        yield msgspec.structs.replace(spec, settings=msgspec.structs.replace(spec.settings, policies=tuple(policies)))


# --- where workers live -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def ray_fleet(request: RunRequest, workers: int) -> Iterator[tuple[RayFleet, str]]:
    """Actors in the cluster of the request, in the one joined before, or in one of our own.

    Yields:
        The fleet, and the address of this machine at which all nodes reach it.

    Raises:
        Missing: No cluster, or no room in it.
        RunFailed: Ray failed.
    """
    import ray

    joined, policies = ray.is_initialized(), request.settings.policies
    if not joined:
        _connect(ray, request.address, modules=plugin_modules(policies) if request.address else ())
    try:
        resources = ray.cluster_resources()
        processors = [node["Resources"].get("CPU", 0.0) for node in ray.nodes() if node["Alive"]]
        options: dict[str, Any] = {"num_cpus": processor_share(processors, workers)}
        if request.gpus_per_worker:
            options["num_gpus"] = request.gpus_per_worker
            _check_gpus(resources.get("GPU", 0.0), request.gpus_per_worker, workers)
        sources = plugin_sources(policies) if request.address or joined else {}
        here = ray.util.get_node_ip_address() if request.address or joined else LOOPBACK
        # Ray tells of lost actors and nodes on stdout, which is for answers.
        with contextlib.redirect_stdout(sys.stderr), _placement(ray, request.placement, options, workers) as placement:
            yield RayFleet(ray, options, placement, sources), here
    except ray.exceptions.RayError as error:
        raise RunFailed(f"Ray failed: {error}", "run again with --host memory to see whether Ray is the cause") from error
    finally:
        if not joined:
            ray.shutdown()


def processor_share(processors: Sequence[float], workers: int) -> float:
    """Of one processor for each worker: the largest of at most 1 with which all find room on nodes with so many processors.

    A multiple of 0.0001, as Ray counts.
    """
    there = [each for each in processors if each > 0] or [1.0]
    shares = [1.0, *(each / count for each in there for count in range(1, workers + 1))]
    fitting = (min(1.0, share) for share in shares if sum(int(each / share + 1e-9) for each in there) >= workers)
    return max(0.0001, int(10_000 * max(fitting)) / 10_000)


def _check_gpus(there: float, each: float, workers: int) -> None:
    # Shares of a GPU cannot be joined: three halves need two of them.
    fit = int(1 / each) * int(there) if each <= 1 else int(there / each)
    if fit < workers:
        raise Missing(
            f"{workers} workers with {each:g} GPUs each find no room: Ray knows of {there:g} GPUs",
            "ask for less (cluster.gpus_per_worker), take fewer --workers, or `ray start --num-gpus N` on nodes that have some",
        )


@contextlib.contextmanager
def _placement(ray: Any, how: str, options: dict[str, Any], workers: int) -> Iterator[Callable[[int], dict[str, Any]]]:
    """Options that put each worker into a bundle of its own: apart (``spread``), together (``pack``), or none (``any``)."""
    if how == "any":
        yield lambda index: {}
        return
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    bundle = {"CPU": options["num_cpus"]} | ({"GPU": options["num_gpus"]} if "num_gpus" in options else {})
    group = ray.util.placement_group([bundle] * workers, strategy=how.upper())
    try:
        if not group.wait(ROOM_S):
            raise Missing(
                f"the Ray cluster has no room for {workers} workers of {bundle} within {ROOM_S:.0f} s",
                "`ray status` shows what is taken; take fewer --workers, or add nodes",
            )
        yield lambda index: {"scheduling_strategy": PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=index)}
    finally:
        ray.util.remove_placement_group(group)


def _connect(ray: Any, address: str, processors: int | None = None, modules: Sequence[str] = ()) -> None:
    """Start a Ray of our own on this machine (with so many processors), or join the cluster at ``address``.

    A cluster gets the package and ``modules``.
    """
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address:
        import semcast

        _reach(address)
        options |= {"address": address, "runtime_env": {"py_modules": [_place(semcast), *modules]}}
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
    """Try a ``host:port`` for five seconds; Ray alone would try for minutes.

    Raises:
        BadInput: It is for Ray's client, through which nodes could not reach us.
        Missing: Nothing is there.
    """
    if address.startswith("ray://"):
        raise BadInput(
            f"--address {address}: a run is started on a node of the cluster, not through Ray's client",
            "run it on a node with --address auto, or send it there: ray job submit -- semcast run SCENARIO --address auto",
        )
    host, _, port = address.rpartition("//")[2].rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), 5).close()
    except OSError as error:
        raise Missing(f"cannot reach the Ray cluster at {address!r}: {error}", NO_CLUSTER) from None


# --- whole runs -------------------------------------------------------------------------------------------------------


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
