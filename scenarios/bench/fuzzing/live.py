"""A real network on a real NATS server in a flood of hostile messages: it must end with the digest of an undisturbed run.

The messages come from somebody with the rights of

- an ``observer`` or another ``worker``: what it sends in somebody else's name is stopped by the server, however well it is made;
- everybody on a ``shared`` server, where the run is sealed (bus/exchange/seal.py): forgeries of any quality are refused;
- the ``driver``, without seals: what is malformed, inconsistent or of another incarnation is refused. What is well-formed and in
  a worker's name is left out here, since nothing could tell it from the worker's own; it is counted as ``forgeries``.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ....bus import keys
from ....bus.access import Access
from ....bus.chain_log import run_digest
from ....bus.clock import MS
from ....bus.engine import Worker, WorkerReport
from ....bus.envelope import AGENT, DATA, VERSION, Envelope
from ....bus.errors import RunFailed, SemcastError
from ....bus.exchange import wire
from ....bus.exchange.client import Client, Refused, connect
from ....bus.exchange.memory import Hub, MemoryExchange
from ....bus.exchange.nats import nats_exchange
from ....bus.exchange.rejected import FILE_BYTES
from ....bus.messages import Tick
from ....bus.server import NatsServer
from ....bus.subjects import Subjects
from ....bus.world import World
from ..workloads import ping_network
from .campaign import silence
from .corpus import CODEC, Corpus
from .mutations import MSGPACK, mutations

WORKERS = 3
BURST = 50
USERS, STATIONS, PINGS = 12, 3, 40
_NOT_A_TOKEN = re.compile(r"[^A-Za-z0-9_.-]")
_SPOILT = mutations(None)
Hostile = tuple[str, bytes, tuple[str, str] | None]


@dataclass
class Flood:
    """What became of a flood.

    Attributes:
        sent: Messages published while a network was running.
        rejected: How many of them the workers refused; the others were repetitions, requests to send again, or never asked for.
        stopped: Whether the server told that it stops them.
        forgeries: Well-formed messages that were left out, see the module.
        runs: Networks that ended with the expected digest.
        file_bytes: Size of the largest side file of rejected bytes.
    """

    sent: int = 0
    rejected: int = 0
    stopped: int = 0
    forgeries: int = 0
    runs: int = 0
    file_bytes: int = 0


def flood(corpus: Corpus, form: str, count: int, seed: int, who: str = "driver") -> Flood:
    """Flood networks until ``count`` hostile messages have been sent.

    Args:
        corpus: Good messages.
        form: Of exchange.
        count: Messages at least.
        seed: Of what is drawn.
        who: Whose rights are used, see the module.

    Raises:
        RunFailed: A network failed or ended with another digest, or the server let something pass that it has to stop.
    """
    with silence():
        result = _repeat(corpus, form, count, seed, who)
    if who in ("observer", "worker") and (result.rejected or result.stopped != result.sent):
        told = f"{who}: {result.sent} sent, {result.stopped} stopped, {result.rejected} came through"
        raise RunFailed(told, "see the permissions in semcast/bus/server.py")
    return result


def _repeat(corpus: Corpus, form: str, count: int, seed: int, who: str) -> Flood:
    world, _ = ping_network(USERS, STATIONS, PINGS)
    expected = run_digest(_chains(asyncio.run(_undisturbed(world))))
    tally = Flood()
    with NatsServer(world.run, WORKERS, world.shards) as server, tempfile.TemporaryDirectory() as place:
        while tally.sent < count:
            rights = {"observer": server.observer, "worker": server.worker(WORKERS - 1)}.get(who, server.driver)
            hostile = _hostile(corpus, world, keys.integer(2**31, seed, tally.runs, who), who != "driver", tally)
            folder = Path(place) / str(tally.runs)
            folder.mkdir()
            accesses = [replace(server.driver, secret=b"s" * 32) if who == "shared" else server.worker(k) for k in range(WORKERS)]
            digest = run_digest(_chains(asyncio.run(_flooded(world, form, accesses, rights, hostile, folder, tally))))
            if digest != expected:
                raise RunFailed(f"flooded run {tally.runs} of seed {seed} ({form}) ended with digest {digest}, not {expected}")
            tally.runs += 1
    return tally


async def _undisturbed(world: World) -> list[WorkerReport]:
    _, agents = ping_network(USERS, STATIONS, PINGS)
    return [await Worker(world, agents, MemoryExchange(Hub(1), 0)).run()]


def _chains(reports: list[WorkerReport]) -> dict[str, str]:
    return {name: value for report in reports for name, value in report.chains.items()}


async def _flooded(
    world: World, form: str, accesses: list[Access], rights: Access, hostile: Iterator[Hostile], folder: Path, tally: Flood
) -> list[WorkerReport]:
    """One network, and somebody who publishes all the time."""
    ends = [
        nats_exchange(
            form,
            world,
            k,
            WORKERS,
            accesses[k],
            codec=CODEC,
            rejected=folder / f"{k}.bin",
            ask_again_s=0.05,
            patience_s=60.0,
        )
        for k in range(WORKERS)
    ]
    workers = []
    for k, end in enumerate(ends):
        _, agents = ping_network(USERS, STATIONS, PINGS)
        own = [agent for rank, agent in enumerate(agents) if world.worker(rank, WORKERS) == k]
        workers.append(Worker(world, own, end, index=k, workers=WORKERS, codec=CODEC))
    complaints: list[Exception] = []
    client = await connect(rights, "somebody", complaints.append)
    network = asyncio.gather(*(worker.run() for worker in workers))
    try:
        await asyncio.gather(_publish(client, hostile, network, tally), network)
    except SemcastError as error:
        raise RunFailed(f"a flooded network failed after {tally.sent} messages: {error.message}", error.hint) from error
    finally:
        await client.close()
    if any(not isinstance(each, Refused) for each in complaints):
        raise RunFailed(f"the flood ended early: {complaints[-1]}")
    tally.stopped += len(complaints)
    tally.rejected += sum(end.counts.rejected for end in ends)
    tally.file_bytes = max([tally.file_bytes, *(path.stat().st_size for path in folder.iterdir())])
    if tally.file_bytes > FILE_BYTES:
        raise RunFailed(f"a side file of rejected bytes has grown to {tally.file_bytes} bytes, at most {FILE_BYTES} are meant")
    return network.result()


async def _publish(client: Client, hostile: Iterator[Hostile], network: asyncio.Future[Any], tally: Flood) -> None:
    """Publish in bursts, as fast as the server takes them, while the network runs."""
    while not network.done():
        for _ in range(BURST):
            client.publish(*next(hostile))
        tally.sent += BURST
        await client.ping()


def _hostile(corpus: Corpus, world: World, seed: int, forging: bool, tally: Flood) -> Iterator[Hostile]:
    """Endless hostile messages to workers 0 and 1; where ``forging``, half of them are good ones."""
    subjects = Subjects(world.run, world.ids, world.shards)
    good = {"x": corpus.parts(), "ctl": corpus.controls(), "agent": (*corpus.records, *_pings(world))}
    changes = mutations(MSGPACK)
    number = 0
    while True:
        number += 1
        rng = keys.generator("flood", seed, number)
        family = ("x", "ctl", "agent")[int(rng.integers(3))]
        subject = _subject(rng, subjects, world, family, forging)
        names = list(changes)
        raw = changes[names[int(rng.integers(len(names)))]](rng, good[family])[: 1 << 18]
        if forging:
            raw = raw if rng.integers(2) else good[family][int(rng.integers(len(good[family])))]
        header = None
        if family == "agent" and rng.integers(4) == 0:
            spoilt = list(_SPOILT.values())[int(rng.integers(len(_SPOILT)))](rng, (b"5/0/3", b"0/1/2"))[:200]
            header = (wire.PART_HEADER, _NOT_A_TOKEN.sub("/", spoilt.decode("ascii", "replace")))
        if not forging and believable(subjects, family, subject, raw):
            tally.forgeries += 1
            continue
        yield subject, raw, header


def _pings(world: World) -> list[bytes]:
    """Messages such as the network's own, as many as there are kinds of others."""
    pairs = [(a, b) for a in world.ids for b in world.ids if a.partition(".")[0] != b.partition(".")[0]]
    return [
        CODEC.encode(Envelope(VERSION, n, n + MS, DATA, a, b, n, "", AGENT, Tick("ping", n))) for n, (a, b) in enumerate(pairs)
    ]


def _subject(rng: Any, subjects: Subjects, world: World, family: str, forging: bool) -> str:
    """A subject that worker 0 or 1 reads, in the name of a worker (not the last, where ``forging``), at times a spoilt one."""
    to, source = int(rng.integers(2)), int(rng.integers(WORKERS - forging))
    if family == "agent":
        ranks = [[rank for rank in range(len(world.ids)) if world.worker(rank, WORKERS) == worker] for worker in (to, source)]
        agents = [each[int(rng.integers(len(each)))] for each in ranks]
        shards = ".".join(str(world.shard(rank)) for rank in agents)
        kind = ("tick", "prompt", "uplink", "nonsense")[int(rng.integers(4))]
        subject = f"{subjects.base}.{shards}.{world.ids[agents[0]]}.{world.ids[agents[1]]}.{kind}"
    else:
        subject = subjects.batch(to, source) if family == "x" else subjects.control(to, source)
    if rng.integers(8) or forging:
        return subject
    tail = subject[len(subjects.base) + 1 :].encode()
    spoilt = list(_SPOILT.values())[int(rng.integers(len(_SPOILT)))](rng, (tail,))[:150].decode("ascii", "replace")
    tokens = [token for token in _NOT_A_TOKEN.sub("_", spoilt).split(".") if token]
    return ".".join([subjects.base, *(tokens or ["_"])])


def believable(subjects: Subjects, family: str, subject: str, raw: bytes) -> bool:
    """Whether a message is well-formed and of a living incarnation, so that only rights tell it from a worker's own."""
    with suppress(*wire.BAD_BYTES, LookupError, SemcastError):
        if family == "x":
            return wire.decode_part(raw).incarnation >= 0
        if family == "ctl":
            return wire.decode_control(raw).incarnation >= 0
        envelope = CODEC.decode(raw)
        return subjects.message(envelope) == subject
    return False
