"""Where the workers of a run live: this process, processes of this machine, or Ray actors (ray_hosting.py).

All three run ``agents.worker``; nothing that a user sees depends on the choice.
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ..bus.chain_log import run_digest
from ..bus.collector import seldom_collecting
from ..bus.errors import BadInput
from ..bus.exchange.chaos import Chaos
from ..bus.exchange.memory import Hub, MemoryExchange
from ..bus.server import LOOPBACK, ExternalServer, NatsServer, nats_server
from . import participants
from .base import make_world
from .checkpoint import WorkerResult
from .processes import ProcessFleet
from .progress import Total, added
from .recovery import Fleet, Supervisor, ended, first_specs
from .request import Progress, RunReport, RunRequest, worker_count
from .worker import WorkerSpec, run_worker

log = logging.getLogger(__name__)

HOSTS = ("memory", "nats", "ray")
Tell = Callable[[Progress], None]


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
        Missing: No NATS server, no Ray cluster, no room in it, no run folder on one of its nodes.
        RunFailed: A worker failed; its log is in the run folder.
    """
    started = time.monotonic()
    if request.folder:
        request = msgspec.structs.replace(request, folder=str(Path(request.folder).resolve()))  # workers live in other folders
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
        fleet: Fleet = ProcessFleet()
        here = LOOPBACK
        if request.host == "ray":
            from .ray_hosting import ray_fleet

            fleet, here = stack.enter_context(ray_fleet(request, workers))
            start_s["Ray"] = time.monotonic() - started
        server = stack.enter_context(_server(request, workers, world.shards, here))
        tell = stack.enter_context(participants.place_told(request, world, server, on_progress))
        start_s["NATS"] = time.monotonic() - started - sum(start_s.values())
        specs = [msgspec.structs.replace(spec, access=server.worker(spec.index)) for spec in specs]
        supervisor = Supervisor(fleet, server, specs, Total(workers, tell).update, stall_s=request.stall_s, watch=watch)
        results = supervisor.run()
    start_s["workers"] = supervisor.ready_s
    report = _report(results, time.monotonic() - started)
    return msgspec.structs.replace(report, recoveries=supervisor.recoveries, start_s=start_s | report.start_s)


def _check(request: RunRequest, workers: int) -> None:
    """Refuse what cannot be run, before anything is started."""
    if request.host not in HOSTS:
        raise BadInput(f"host {request.host!r} is unknown", f"choose one of {', '.join(HOSTS)}")
    world = make_world(request.settings, request.run)
    if not 1 <= workers <= world.shards:
        raise BadInput(f"{workers} workers: at least 1 and at most {world.shards} (the number of shards)", "--workers N")
    participants.check(request.host, request.external, request.pace)
    for option, given, hosts in (("--nats", request.nats, ("nats", "ray")), ("--address", request.address, ("ray",))):
        if given and request.host not in hosts:
            raise BadInput(f"{option} says nothing to host {request.host}", f"--host {hosts[-1]}, or leave {option} out")
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
        start_s={name: max(result.start_s.get(name, 0.0) for result in results) for name in results[0].start_s},
        memory_bytes=[result.memory_bytes for result in results],
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
def _server(request: RunRequest, workers: int, shards: int, here: str) -> Iterator[NatsServer | ExternalServer]:
    """The run's NATS server; an embedded one listens at ``here`` and lives no longer than the run.

    Leaves the observer's credential in the folder.
    """
    server = nats_server(request.run, workers, shards, request.nats or None, external=request.external, host=here)
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
