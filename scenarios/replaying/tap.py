"""A finished run played onto NATS, so that a subscriber meets it as if it went on now."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...agents.base import PAYLOADS, make_world
from ...bus.audience import Audience, StageServer
from ...bus.envelope import Codec
from ...bus.errors import BadInput, RunFailed
from ...bus.exchange.client import Refused
from ...bus.exchange.link import connect
from ...bus.exchange.live import Live
from ...bus.playing import Played, on_subjects, play
from ...bus.server import ExternalServer
from ...bus.subjects import ROOT, Subjects, to_agent
from ...bus.trace_reading import TraceReader, TraceRecord
from ..build import network_settings
from ..loading import load
from .recorded import refuse_newer, refuse_unknown

CREDENTIAL = "observer.url"
"""In the run folder while it is played, as while it runs: the URL with the observer's password."""
_CONNECT_S = 5.0
_ASK_S = 0.2
_SETTLE_S = 0.5
"""After the first subscription: a program that subscribes to several subjects does so one after the other."""
_STUCK_S = 10.0


@dataclass(frozen=True)
class Stage:
    """Where a run is played, for those who want to see it.

    Attributes:
        url: Of the server, without a password.
        credential: File with the URL and the observer's password; None for a server that is not ours.
        everything: Subject of all messages.
        one_agent: Subject of what reaches one agent, as an example.
        messages: How many there will be.
        start_ns: Delivery time of the first message.
        end_ns: Delivery time of the last message.
    """

    url: str
    credential: Path | None
    everything: str
    one_agent: str
    messages: int
    start_ns: int
    end_ns: int


@dataclass(frozen=True)
class Tapped:
    """A play that has ended: what was played, and how many subscribers there were at its end (None: cannot be known)."""

    played: Played
    subscribers: int | None


Progress = Callable[[Played], None]


def tap(
    run: Path,
    *,
    speed: float = 1.0,
    wait_s: float | None = None,
    nats: str = "",
    on_stage: Callable[[Stage], None] = lambda stage: None,
    on_progress: Progress = lambda played: None,
) -> Tapped:
    """Publish what a run's agents sent each other, on the same subjects, as the same bytes, in the order of delivery.

    Args:
        run: Run folder, of any status; a trace that was cut is played up to the cut.
        speed: Simulated seconds in a second of wall time; 0 as fast as the server takes them.
        wait_s: Wait at most so long for a first subscriber; None until there is one. Whether somebody listens on a server that
            is not ours cannot be known: then it is waited for so long in any case, and not at all for None.
        nats: URL of a server instead of an embedded one.
        on_stage: Called when subscribers may come.
        on_progress: Called now and then.

    Raises:
        BadInput: No run, no messages in it, or a run of a newer semcast.
        Missing: The server cannot be reached.
        RunFailed: The trace holds what this semcast does not know, or the server is lost or refuses what is played.
    """
    reader = TraceReader(run, Codec(PAYLOADS))
    refuse_newer(run, reader)
    messages = on_subjects(reader.records(private=False))
    refuse_unknown(run, messages)
    if not messages:
        raise BadInput(f"{run}: no agent has sent anything to another", f"what it holds: semcast trace {run}")
    name = reader.metadata.get("run", "")
    world = make_world(network_settings(load(str(run))), name)
    live = Live(Subjects(name, world.ids, world.shards), Codec(PAYLOADS))
    server = ExternalServer(nats) if nats else StageServer(name)
    with server, _credential(run, server) as file:
        times = (messages[0].envelope.t_deliver, messages[-1].envelope.t_deliver)
        everything = f"{ROOT}.{name}.>"
        stage = Stage(server.url, file, everything, to_agent(name, _somebody(messages)), len(messages), *times)

        async def performance() -> Tapped:
            on_stage(stage)  # here, for from now on somebody may interrupt, which the loop knows how to take
            return await _perform(server, live, messages, speed, wait_s, on_progress)

        try:
            return asyncio.run(performance())
        except Refused as error:
            raise RunFailed(
                f"the NATS server at {server.url} refuses what is played: {error}",
                f"give --nats a user that may publish to '{ROOT}.>'",
            ) from None
        except OSError as error:
            raise RunFailed(f"lost the NATS server at {server.url}: {error}", "play it again") from None


async def _perform(
    server: StageServer | ExternalServer,
    live: Live,
    messages: Sequence[TraceRecord],
    speed: float,
    wait_s: float | None,
    on_progress: Progress,
) -> Tapped:
    """Wait for somebody, play, and see that everybody has got it."""
    async with contextlib.AsyncExitStack() as stack:
        audience = await stack.enter_async_context(Audience(server.usher)) if isinstance(server, StageServer) else None
        failures: list[Exception] = []
        client = await connect(server.driver, _CONNECT_S, "semcast replay", failures.append)
        stack.push_async_callback(client.close)

        def progress(played: Played) -> None:
            for failure in failures:
                raise failure
            on_progress(played)

        if audience is None:
            await asyncio.sleep(wait_s or 0.0)
        elif await _somebody_there(audience, wait_s):
            await asyncio.sleep(_SETTLE_S)
        played = await play(client, live, messages, speed, progress)
        if audience is None:
            return Tapped(played, None)
        subscribers = await audience.subscribers()
        await _all_taken(audience)
        return Tapped(played, subscribers)


async def _somebody_there(audience: Audience, wait_s: float | None) -> bool:
    started_s = time.monotonic()
    while not await audience.subscribers():
        if wait_s is not None and time.monotonic() - started_s >= wait_s:
            return False
        await asyncio.sleep(_ASK_S)
    return True


async def _all_taken(audience: Audience) -> None:
    """Wait until subscribers have taken what the server has for them, or take nothing any more."""
    least, since_s = await audience.waiting_bytes(), time.monotonic()
    while least and time.monotonic() - since_s < _STUCK_S:
        await asyncio.sleep(_ASK_S)
        left = await audience.waiting_bytes()
        if left < least:
            least, since_s = left, time.monotonic()


@contextlib.contextmanager
def _credential(run: Path, server: StageServer | ExternalServer) -> Iterator[Path | None]:
    """The observer's credential in the run folder, readable by its owner; where that cannot be, the server's own file."""
    if server.observer_file is None:
        yield None
        return
    path = run / CREDENTIAL
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(server.observer_file.read_text())
    except OSError:  # it is there (the run is being played already), or the folder may not be written to
        yield server.observer_file
        return
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _somebody(messages: Sequence[TraceRecord]) -> str:
    """A user that is sent something, if there is one."""
    receivers = [record.envelope.destination for record in messages]
    return next((agent for agent in receivers if agent.startswith("user.")), receivers[0])
