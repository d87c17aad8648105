"""One worker of a run, wherever it lives: builds world, agents, exchange, models and trace, and runs the engine.

A worker process is started with a ``WorkerSpec`` as JSON on standard input and answers with lines of JSON on standard
output: progress now and then, a sign of life every second, the report at the end. Its standard input stays open; when it
closes, the parent is gone. A worker that is made anew goes on from a checkpoint (checkpoint.py).
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from ..bus import snapshot
from ..bus.access import Access
from ..bus.calls import ModelSet
from ..bus.collector import seldom_collecting
from ..bus.engine import TraceSink, Worker, WorkerReport
from ..bus.envelope import Codec, Envelope
from ..bus.errors import RunFailed, SemcastError
from ..bus.exchange import Exchange
from ..bus.exchange.chaos import Chaos
from ..bus.exchange.nats import nats_exchange
from ..bus.exchange.rounds import NatsExchange
from ..bus.messages import Failure
from ..bus.profiling import BUILDING, ENGINE, Stopwatch, TimedModels, watch_worker
from ..bus.recorded_calls import RecordedCalls, recorded_results
from ..bus.records import Capture, Shown
from ..bus.tap import Tap
from ..bus.trace import TraceWriter, trace_metadata
from .base import PAYLOADS, make_agents, make_world
from .checkpoint import Checkpoint, Checkpoints, CheckpointWriter, WorkerResult
from .memory import peak_memory_bytes
from .models.cpu import cpu_kind
from .models.framewise import FramewiseModels
from .models.hub.settings import HubSettings
from .models.loading import load_models
from .models.roles import Arguments
from .participants import let_in
from .request import Progress
from .settings import NetworkSettings

log = logging.getLogger(__name__)

TERMINATED = 128 + signal.SIGTERM
"""Exit status of a worker process that was asked to end."""
AGENTS_A_SPACING = 25_000
"""Checkpoints of large networks are rarer: they cost time by the agent."""
ALIVE_S = 1.0
"""A worker gives a sign of life so often, also while it computes."""


class WorkerSpec(Struct, frozen=True):
    """Everything one worker is told. ``access``: its NATS server and its own credentials; None in host ``memory``.

    ``folder``: the run folder, empty to keep no trace. ``uvloop``: use it where it is installed. ``spacing``: a checkpoint at
    every so many intervals of the hash chains. ``incarnation``: of this worker. ``resume``: round of the checkpoint from which
    it goes on; 0: it begins. ``profile``: report where the wall time goes. ``external``, ``pace``,
    ``exogenous``, ``recorded``: see `RunRequest`.
    """

    run: str
    index: int
    workers: int
    settings: NetworkSettings
    models: str = "tiny"
    hub: HubSettings = HubSettings()
    device: str = "cpu"
    batch: int = 0
    exchange: str = "subjects"
    access: Access | None = None
    folder: str = ""
    tap: tuple[str, ...] = ()
    chaos: Chaos | None = None
    uvloop: bool = True
    metadata: dict[str, str] = {}
    spacing: int = 8
    incarnation: int = 0
    resume: int = 0
    profile: bool = False
    external: bool = False
    pace: float = 0.0
    exogenous: str = ""
    recorded: str = ""


def make_worker(
    spec: WorkerSpec, exchange: Exchange, on_progress: Callable[[Progress], None], watch: Stopwatch | None = None
) -> tuple[Worker, TraceWriter | None]:
    """Build a worker around its exchange, in the state of the checkpoint from which it goes on."""
    world = make_world(spec.settings, spec.run)
    mine = [name for rank, name in enumerate(world.ids) if world.worker(rank, spec.workers) == spec.index]
    checkpoints = Checkpoints(Path(spec.folder)) if spec.folder else None
    before = checkpoints.load(spec.index, spec.resume) if checkpoints and spec.resume else None
    trace = None
    if spec.folder:
        data = trace_metadata(world, **spec.metadata, cpu=cpu_kind(spec.device))
        after = before.trace if before else None
        trace = TraceWriter(Path(spec.folder) / "trace", spec.index, data, incarnation=spec.incarnation, after=after)
    sink: TraceSink | None = trace
    if spec.tap and isinstance(exchange, NatsExchange):
        sink = Tap(exchange, spec.tap, trace)
    counting = _Counting(sink, before)
    models: ModelSet = load_models(spec.models, hub=spec.hub, device="cpu" if spec.recorded else spec.device, batch=spec.batch)
    if spec.settings.traffic.content == "clips":
        models = FramewiseModels(models)
    worker = Worker(
        world,
        make_agents(spec.settings, mine),
        exchange,
        index=spec.index,
        workers=spec.workers,
        models=TimedModels(models, watch) if watch else models,
        codec=Codec(PAYLOADS),
        trace=counting,
    )
    if spec.recorded:
        worker.calls = RecordedCalls(models, recorded_results(Path(spec.recorded), mine, Codec(PAYLOADS)))
    if before is not None:
        snapshot.restore(worker, before.worker, Codec(Arguments))
        log.info("worker %d, incarnation %d, goes on with round %d", spec.index, spec.incarnation, spec.resume)
    let_in(spec, worker)
    if checkpoints and trace:
        writer = trace  # for the closure
        place = lambda: (writer.rotate(), counting.started, counting.done)  # noqa: E731
        spacing = spec.spacing * (1 + len(world.ids) // AGENTS_A_SPACING)
        worker.on_interval = CheckpointWriter(checkpoints, spec.incarnation, spacing, place, worker.interval)
    worker.on_window = _ProgressTeller(worker, counting, on_progress)
    if watch:
        watch_worker(worker, watch)
    return worker, trace


class _Counting:
    """Passes records on to the trace and counts requests as they start and end, for progress."""

    def __init__(self, trace: TraceSink | None, before: Checkpoint | None) -> None:
        self._trace = trace
        self.started = before.started if before else 0
        self.done = before.done if before else 0

    def write(self, envelope: Envelope, raw: bytes, private: bool) -> None:
        kind = envelope.payload.__class__
        if kind is Capture:
            self.started += 1 + len(envelope.payload.further)
        elif kind is Shown or kind is Failure:
            self.done += 1
        if self._trace is not None:
            self._trace.write(envelope, raw, private)


class _ProgressTeller:
    """Tells progress five times a second of wall time at most, and the first result at once; nothing else depends on it."""

    def __init__(self, worker: Worker, counting: _Counting, tell: Callable[[Progress], None]) -> None:
        self._worker, self._counting, self._tell = worker, counting, tell
        self._next = 0.0
        self._told_first = False

    def __call__(self, t_ns: int, events: int) -> None:
        now = time.monotonic()
        first = self._counting.done > 0 and not self._told_first
        if now < self._next and not first:
            return
        self._next, self._told_first = now + 0.2, self._told_first or first
        worker = self._worker
        self._tell(
            Progress(
                sim_ns=t_ns,
                windows=worker.windows,
                events=worker.events_by_role(),
                started=self._counting.started,
                done=self._counting.done,
                memory_bytes=peak_memory_bytes(),
            )
        )


async def run_worker(
    spec: WorkerSpec,
    exchange: Exchange,
    on_progress: Callable[[Progress], None],
    on_result: Callable[[WorkerResult], None] = lambda result: None,
) -> WorkerResult:
    """Run one worker to the end of the run.

    Its trace is closed with its chain values also when it fails. At the end its report is in the run folder and told to
    ``on_result`` before its peers hear that it needs them no more.
    """
    watch = Stopwatch(ENGINE) if spec.profile else None
    began_s = time.monotonic()
    worker, trace = (watch.timed(BUILDING, make_worker) if watch else make_worker)(spec, exchange, on_progress, watch)
    made_s = time.monotonic() - began_s

    def result(report: WorkerReport) -> WorkerResult:
        counts = getattr(exchange, "counts", None)
        return WorkerResult(
            report,
            rejected=counts.rejected if counts else 0,
            seconds=watch.seconds if watch else {},
            start_s={"agents": made_s, "models": worker.calls.reading_s},
            memory_bytes=peak_memory_bytes(),
        )

    def end(report: WorkerReport) -> None:
        if trace is not None:
            trace.close(chains=worker.intervals)
            Checkpoints(Path(spec.folder)).save_end(result(report), spec.incarnation)
        on_result(result(report))

    worker.on_end = end
    try:
        return result(await worker.run())
    finally:
        if trace is not None:
            worker.close_interval()
            trace.close(chains=worker.intervals)


def run_over_nats(
    spec: WorkerSpec, on_progress: Callable[[Progress], None], on_result: Callable[[WorkerResult], None]
) -> WorkerResult:
    """Run one worker that reaches the others over NATS, in an event loop of its own; see `run_worker`."""
    assert spec.access is not None
    rejected = Path(spec.folder) / f"rejected-w{spec.index}.bin" if spec.folder else None
    exchange = nats_exchange(
        spec.exchange,
        make_world(spec.settings, spec.run),
        spec.index,
        spec.workers,
        spec.access,
        codec=Codec(PAYLOADS),
        chaos=spec.chaos,
        rejected=rejected,
        incarnation=spec.incarnation,
        recovers=bool(spec.folder),
    )
    with seldom_collecting(), asyncio.Runner(loop_factory=_uvloop() if spec.uvloop else None) as runner:
        return runner.run(run_worker(spec, exchange, on_progress, on_result))


def _uvloop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loop where it is installed; results do not depend on it."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop  # type: ignore[no-any-return]


def main() -> int:
    """The worker process: a ``WorkerSpec`` on standard input, progress and result on standard output."""
    spec = msgspec.json.decode(sys.stdin.buffer.readline(), type=WorkerSpec)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    # As a Ctrl-C, which the event loop takes between two steps and ends the run in order: the trace is closed.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    if spec.folder:
        log_to(Path(spec.folder))
    threading.Thread(target=_show_life, daemon=True).start()
    try:
        run_over_nats(spec, lambda progress: _say({"progress": progress}), lambda result: _say({"result": result}))
    except SemcastError as error:
        _say({"error": [type(error).__name__, error.message, error.hint]})
        return error.exit_code
    except OSError as error:
        _say({"error": no_room(error)})
        return 1
    except KeyboardInterrupt:
        return TERMINATED
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the driver ends all workers, also one that is just leaving
    return 0


def no_room(error: OSError) -> list[str]:
    """What the driver is told of a file that a worker cannot write: kind of error, message, hint."""
    return [RunFailed.__name__, f"a worker cannot go on: {error}", "make room or mend the rights, then: semcast run --resume RUN"]


def log_to(folder: Path) -> None:
    """Append this process's log of semcast to the run's log file."""
    handler = logging.FileHandler(folder / "run.log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("semcast")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


_speaking = threading.Lock()


def _say(what: dict[str, object]) -> None:
    with _speaking:
        sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
        sys.stdout.buffer.flush()


def _show_life() -> None:
    while True:
        time.sleep(ALIVE_S)
        _say({})


def _die_with_parent() -> None:
    """Standard input ends when the parent is gone, however it went; then this worker has nobody to work for."""
    while os.read(sys.stdin.fileno(), 1 << 12):
        pass
    os._exit(1)


if __name__ == "__main__":
    raise SystemExit(main())
