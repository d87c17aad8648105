"""Participants: programs outside that act as users while a run goes on (bus/asks.py). How they find it, and how it hears them."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..bus.asks import AskLog, read_log
from ..bus.clock import ns
from ..bus.engine import Worker
from ..bus.envelope import EXOGENOUS, Codec
from ..bus.errors import BadInput
from ..bus.exchange.rounds import NatsExchange
from ..bus.inlet import AskInlet, injection
from ..bus.messages import Ask
from ..bus.outside import Injection, Outside, Pace
from ..bus.payload import kind_of
from ..bus.server import ExternalServer, NatsServer
from ..bus.subjects import Subjects, asks_of, shards_of
from ..bus.trace_reading import TraceReader
from .base import PAYLOADS
from .checkpoint import Checkpoints
from .user_sending import UserSending

if TYPE_CHECKING:
    from ..bus.world import World
    from .request import Progress, RunRequest
    from .worker import WorkerSpec

Tell = Callable[["Progress"], None]
PLACE = "participant.json"
"""In the run folder while the run goes on: ``url``, the server with the participants' credential; ``run``, the run's id in
subjects; ``asks``, the subject for asks of each user."""


def check(host: str, external: bool, pace: float) -> None:
    """See that a run can be had from outside, and at this pace.

    Raises:
        BadInput: It cannot.
    """
    if external and host == "memory":
        raise BadInput(
            "programs outside reach a run over NATS, and host memory has none", "semcast run SCENARIO --external --host nats"
        )
    if not 0 <= pace < math.inf:
        raise BadInput(f"--pace {pace:g}: expected simulated seconds in a second, such as 1", "0 is as fast as possible")


@contextlib.contextmanager
def place_told(request: RunRequest, world: World, server: NatsServer | ExternalServer, tell: Tell) -> Iterator[Tell]:
    """Within, as soon as the first progress has been told, `PLACE` lies in the run folder, for its owner only.

    All workers listen by then. The password of a server that is not ours is not in it. What is yielded tells the progress.
    """
    path = Path(request.folder) / PLACE
    path.unlink(missing_ok=True)  # of a driver that was killed: its server is gone

    def and_place(progress: Progress) -> None:
        if progress.windows and not path.exists():
            _write_place(path, request, world, server)
        tell(progress)

    try:
        yield and_place if request.external else tell
    finally:
        path.unlink(missing_ok=True)


def _write_place(path: Path, request: RunRequest, world: World, server: NatsServer | ExternalServer) -> None:
    own = isinstance(server, NatsServer)
    subjects = Subjects(world.run, world.ids, world.shards)
    users = [user.id for user in request.settings.users]
    place = {
        "url": server.participant.url_with_password if own else server.participant.url,
        "run": world.run,
        "asks": {user: subjects.ask(user) for user in users},
    }
    part = path.with_name(f"{PLACE}.part")
    part.touch(mode=0o600)
    part.write_text(json.dumps(place, indent=1) + "\n")
    part.replace(path)  # whoever waits for the file finds all of it


def let_in(spec: WorkerSpec, worker: Worker) -> None:
    """Connect a worker, in the state from which it goes on, to the outside: what came before, and what comes from now on."""
    mine = worker.homes
    begin_ns = max(worker.granted, 0) * worker.world.lookahead_ns
    if spec.exogenous:
        worker.inject([each for each in recorded(Path(spec.exogenous)) if each.agent in mine and each.t_ns >= begin_ns])
    path = Checkpoints(Path(spec.folder)).folder / f"asks-w{spec.index}" if spec.folder else None
    log = AskLog(path) if spec.external and path else None
    accepted = log.entries if log else read_log(path) if path else []
    worker.inject([injection(each, number) for number, each in enumerate(accepted) if each.t_ns >= begin_ns])
    until_ns = ns(spec.settings.traffic.duration_s)
    pace = Pace(spec.pace, until_ns) if spec.index == 0 and (spec.external or spec.pace) else None
    exchange = worker.exchange
    if log is None or not isinstance(exchange, NatsExchange):
        worker.outside = Outside(None, pace)
        return

    def is_new() -> bool:
        told = exchange.horizons
        return all(peer in told for peer in exchange.peers) and worker.round > max(told.values(), default=-1)

    worker.outside = Outside(_inlet(spec, worker, exchange, log), pace, is_new)


def _inlet(spec: WorkerSpec, worker: Worker, exchange: NatsExchange, log: AskLog) -> AskInlet:
    world, traffic = worker.world, spec.settings.traffic
    assert spec.access is not None
    shards = shards_of(spec.index, spec.workers, world.shards)
    users = {exchange.subjects.ask(name): name for name in worker.homes if isinstance(worker.homes[name].agent, UserSending)}

    def cannot(user: str, ask: Ask) -> str:
        return cast(UserSending, worker.homes[user].agent).cannot(ask)

    return AskInlet(
        spec.access,
        [asks_of(world.run, shard) for shard in shards],
        users,
        cannot,
        log,
        (ns(traffic.start_s), ns(traffic.duration_s)),
        exchange.counts,
        exchange.rejected,
    )


def recorded(run: Path) -> Sequence[Injection]:
    """What came from outside in a run, by its trace.

    Raises:
        BadInput: There is no trace.
    """
    records = TraceReader(run, Codec(PAYLOADS)).records(kind=kind_of(Ask.__name__), private=False)
    return [Injection.of(record.envelope) for record in records if record.envelope.origin == EXOGENOUS]
