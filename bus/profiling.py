"""Where a worker's wall time goes: each moment counts to the innermost thing that is being done.

Nothing of this touches a run that is not profiled; in one that is, methods are replaced by timed ones, which costs about a
microsecond a call. Results do not depend on it.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from .calls import CallableModel, ModelSet
from .engine import Worker
from .envelope import Codec
from .exchange.rounds import NatsExchange

ENGINE, EXCHANGE, CODEC, TRACE, CHECKPOINTS, IDLE = "engine", "exchange", "codec", "trace", "checkpoints", "idle"
BUILDING, READING, PEERS = "start: agents", "start: models", "start: peers"


class Stopwatch:
    """Adds up seconds by name. At every moment exactly one name runs: the one entered last.

    Args:
        first: What runs until something is entered.

    Attributes:
        seconds: Name -> wall time.
    """

    def __init__(self, first: str) -> None:
        self.seconds: dict[str, float] = {first: 0.0}
        self._names = [first]
        self._since = time.perf_counter()

    def enter(self, name: str) -> None:
        """What was running waits until ``leave``."""
        self._book()
        self.seconds.setdefault(name, 0.0)
        self._names.append(name)

    def leave(self) -> None:
        """What ran before runs on."""
        self._book()
        self._names.pop()

    def _book(self) -> None:
        now = time.perf_counter()
        self.seconds[self._names[-1]] += now - self._since
        self._since = now

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time counted to ``name``."""

        def timed(*args: Any, **options: Any) -> Any:
            self.enter(name)
            try:
                return function(*args, **options)
            finally:
                self.leave()

        return timed

    def awaited(self, name: str, function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """The coroutine function, the time until it is done counted to ``name``; what runs meanwhile counts to its own."""

        async def awaited(*args: Any, **options: Any) -> Any:
            self.enter(name)
            try:
                return await function(*args, **options)
            finally:
                self.leave()

        return awaited


class TimedModels(Mapping[str, CallableModel]):
    """A set of models: reading one counts to ``READING``, its runs to ``model <role>``."""

    def __init__(self, models: ModelSet, watch: Stopwatch) -> None:
        self._models, self._watch = models, watch
        self._timed: dict[str, CallableModel] = {}

    @property
    def reading_s(self) -> float:
        """See ``ModelCalls``."""
        return getattr(self._models, "reading_s", 0.0)

    def __getitem__(self, role: str) -> CallableModel:
        if role not in self._timed:
            model = self._watch.timed(READING, self._models.__getitem__)(role)
            self._timed[role] = cast("CallableModel", _TimedModel(model, self._watch.timed(f"model {role}", model.run)))
        return self._timed[role]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)


class _TimedModel:
    def __init__(self, model: Any, run: Callable[[Sequence[Any]], list[Any]]) -> None:
        self._model, self.run = model, run

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def watch_worker(worker: Worker, watch: Stopwatch) -> None:
    """Time everything that a worker does, but what its models do (see `TimedModels`). To be called before it runs."""
    watched: dict[type, type] = {}
    for home in worker.homes.values():
        kind = home.agent.__class__
        if kind not in watched:
            watched[kind] = _watched(kind, f"agents {home.role.name}", watch)
        home.agent.__class__ = watched[kind]  # one class for all of a kind: there may be a million
    worker._encode = watch.timed(CODEC, worker._encode)
    if worker.trace is not None:
        sink: Any = worker.trace
        sink.write = watch.timed(TRACE, sink.write)
    if worker.on_interval is not None:
        worker.on_interval = watch.timed(CHECKPOINTS, worker.on_interval)
    exchange: Any = worker.exchange
    exchange.open = watch.awaited(PEERS, exchange.open)
    # In memory there is nothing to do but to wait for the other workers of this process, which have watches of their own.
    exchange.swap = watch.awaited(EXCHANGE if isinstance(exchange, NatsExchange) else IDLE, exchange.swap)
    if isinstance(exchange, NatsExchange):
        _watch_codec(exchange.codec, watch)
        for name in ("_on_part", "_on_message", "_on_control"):
            setattr(exchange, name, watch.timed(EXCHANGE, getattr(exchange, name)))
        waiting: Any = exchange._waiting
        waiting.wait = watch.awaited(IDLE, waiting.wait)


def _watched(kind: type, name: str, watch: Stopwatch) -> type:
    """A class of agents whose time counts to ``name``."""
    timed = {method: watch.timed(name, getattr(kind, method)) for method in ("start", "handle")}
    return type(kind.__name__, (kind,), {"__slots__": (), "__module__": kind.__module__, **timed})


def _watch_codec(codec: Codec, watch: Stopwatch) -> None:
    timed: Any = codec
    timed.decode, timed.split = watch.timed(CODEC, codec.decode), watch.timed(CODEC, codec.split)
