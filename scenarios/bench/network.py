"""``semcast bench network``: a whole quickstart against a bare loop over the same model calls, with and without its trace."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from ...agents.base import PAYLOADS, make_agents, make_world
from ...agents.checkpoint import Checkpoints
from ...agents.models.loading import load_models
from ...agents.worker import WorkerSpec, make_worker
from ...bus.calls import CallableModel, ModelCalls, ModelSet
from ...bus.collector import seldom_collecting
from ...bus.engine import Worker
from ...bus.envelope import Codec
from ...bus.exchange.memory import Hub, MemoryExchange
from ...bus.trace import TraceWriter
from ..build import network_settings
from ..loading import load
from .turns import Result

OPTIONS = ("repeats", "quick")
Batches = list[tuple[CallableModel, Sequence[Any]]]


def run(
    repeats: int = 5, progress: Callable[[str], None] = lambda text: None, scenario: str = "quickstart", quick: bool = False
) -> Result:
    """Host memory, one worker, tiny models; CPU time. A turn runs the bare loop, the network without and with its trace.

    Args:
        repeats: Turns; a value is the median over the turns, a ratio the median of the turns' ratios.
        progress: Told what is measured next.
        scenario: Name in the catalog, ``quick`` or whole.

    Returns:
        ``network_s`` (against the bare loop) and ``trace_s`` (against the network without) -> ``value``, ``unit``, ``ratio``
        (larger is slower), ``against``, ``workload``.
    """
    settings = network_settings(load(scenario, quick=quick))
    models = load_models("tiny")
    batches: Batches = []
    progress("the model calls of one run, noted")
    _timed(Worker(make_world(settings, "bench"), _agents(settings), _alone(), models=_Noting(models, batches), codec=_codec()))
    times: list[tuple[float, float, float]] = []
    for turn in range(repeats):
        progress(f"turn {turn + 1} of {repeats}")
        bare_s = _bare_s(batches)
        plain_s = _timed(Worker(make_world(settings, "bench"), _agents(settings), _alone(), models=models, codec=_codec()))
        with tempfile.TemporaryDirectory(prefix="semcast-bench-") as folder:
            Checkpoints(Path(folder)).prepare()
            spec = WorkerSpec(run="bench", index=0, workers=1, settings=settings, folder=folder)
            worker, trace = make_worker(spec, _alone(), lambda part: None)
            worker.calls = ModelCalls(models)  # those that are read already, as in the run without
            traced_s = _timed(worker, trace)
        times.append((bare_s, plain_s, traced_s))
    bare_s, plain_s, traced_s = (statistics.median(each) for each in zip(*times, strict=True))
    workload = f"{scenario}, host memory, {len(batches)} batches of model calls"
    return {
        "network_s": {
            "value": plain_s,
            "unit": "s of CPU",
            "ratio": statistics.median(plain / bare for bare, plain, _ in times),
            "against": f"bare loop over the same batches: {bare_s:.4g} s",
            "workload": f"{workload}, no trace",
        },
        "trace_s": {
            "value": traced_s,
            "unit": "s of CPU",
            "ratio": statistics.median(traced / plain for _, plain, traced in times),
            "against": f"without trace and checkpoints: {plain_s:.4g} s",
            "workload": workload,
        },
    }


class _Noting(Mapping[str, CallableModel]):
    """Models that note the batches that they run."""

    def __init__(self, models: ModelSet, batches: Batches) -> None:
        self._models, self._batches = models, batches

    def __getitem__(self, role: str) -> CallableModel:
        return cast("CallableModel", _NotingModel(self._models[role], self._batches))

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)


class _NotingModel:
    def __init__(self, model: CallableModel, batches: Batches) -> None:
        self._model, self._batches = model, batches

    def run(self, arguments: Sequence[Any]) -> list[Any]:
        self._batches.append((self._model, arguments))
        return self._model.run(arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def _agents(settings: Any) -> list[Any]:
    return make_agents(settings, make_world(settings, "bench").ids)


def _alone() -> MemoryExchange:
    return MemoryExchange(Hub(1), 0)


def _codec() -> Codec:
    return Codec(PAYLOADS)


def _timed(worker: Worker, trace: TraceWriter | None = None) -> float:
    started_s = time.process_time()
    with seldom_collecting():
        asyncio.run(worker.run())
    if trace is not None:
        trace.close(chains=worker.intervals)
    return time.process_time() - started_s


def _bare_s(batches: Batches) -> float:
    started_s = time.process_time()
    for model, arguments in batches:
        model.run(arguments)
    return time.process_time() - started_s
