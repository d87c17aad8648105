"""A child process of a benchmark: reads a job as JSON on standard input, answers with one JSON line of seconds and counts."""

from __future__ import annotations

import asyncio
import resource
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import nats
from msgspec import Struct

from ...bus.access import Access
from ...bus.clock import MS, NEVER
from ...bus.collector import seldom_collecting
from ...bus.engine import Worker
from ...bus.envelope import AGENT, DATA, VERSION, Codec, Envelope
from ...bus.exchange.memory import Hub, MemoryExchange
from ...bus.exchange.nats import nats_exchange
from ...bus.messages import Knowledge, SharedItem
from ...bus.world import World
from .workloads import ring_network, seldom_network, work


class Job(Struct, frozen=True):
    """``what``: the name of one of the functions below that take a job."""

    what: str
    access: Access
    index: int = 0
    workers: int = 2
    rounds: int = 1000
    messages: int = 0
    loops: int = 0
    agents: int = 0


class Answer(Struct, frozen=True):
    """Wall seconds of the measured part and how much was done in it; bytes of memory where they were looked at."""

    seconds: float
    count: int
    bytes: int = 0


def message(number: int, source: str = "user.0", destination: str = "user.1") -> Envelope:
    """An envelope of about 1 kB."""
    item = SharedItem("preference", "a", "dog", b"v" * 860)
    return Envelope(VERSION, number, number + MS, DATA, source, destination, number, "", AGENT, Knowledge(source, [item]))


def _world() -> World:
    return World("bench", 1, MS, ("user.0", "user.1"), {"user>user": MS}, shards=2)


async def barrier(job: Job) -> Answer:
    """Empty swaps between two workers."""
    exchange = nats_exchange("packed", _world(), job.index, job.workers, job.access)
    await exchange.open()
    empty: list[list[Any]] = [[] for _ in range(job.workers)]
    for turn in range(50):
        await exchange.swap(turn, empty, 0)
    start = time.perf_counter()
    for turn in range(50, 50 + job.rounds):
        await exchange.swap(turn, empty, 0)
    seconds = time.perf_counter() - start
    await exchange.swap(50 + job.rounds, empty, NEVER)
    await exchange.close()
    return Answer(seconds, job.rounds)


async def packed(job: Job) -> Answer:
    """Worker 0 sends ``messages`` of 1 kB a round to worker 1; encoding and decoding included."""
    codec = Codec()
    exchange = nats_exchange("packed", _world(), job.index, job.workers, job.access, codec=codec)
    await exchange.open()
    envelopes = [message(number) for number in range(job.messages if job.index == 0 else 0)]
    received = 0
    start = 0.0
    for turn in range(job.rounds + 2):
        if turn == 2:
            start = time.perf_counter()
            received = 0
        out = [[], [(envelope, codec.encode(envelope)) for envelope in envelopes]]
        arrivals, _ = await exchange.swap(turn, out, 0)
        received += len(arrivals)
    seconds = time.perf_counter() - start
    await exchange.swap(job.rounds + 2, [[], []], NEVER)
    await exchange.close()
    return Answer(seconds, received)


async def ring(job: Job) -> Answer:
    """Agents whose handlers work; the time from the first event to the end."""
    world, agents = ring_network(job.agents, job.loops, job.rounds)
    mine = [agent for rank, agent in enumerate(agents) if world.worker(rank, job.workers) == job.index]
    exchange = nats_exchange("packed", world, job.index, job.workers, job.access)
    worker = Worker(world, mine, exchange, index=job.index, workers=job.workers)
    first: list[float] = []

    def note(t_ns: int, events: int) -> None:
        if not first:
            first.append(time.perf_counter())

    worker.on_window = note
    report = await worker.run()
    return Answer(time.perf_counter() - first[0], report.events)


async def seldom(job: Job) -> Answer:
    """Agents that wake up once a second, for ``rounds`` seconds: CPU seconds, events, and bytes of all of them."""
    before = resident_bytes()
    world, agents = seldom_network(job.agents, job.rounds)
    worker = Worker(world, agents, MemoryExchange(Hub(1), 0))
    worker.start()
    worker.granted = 0  # they have been started
    made = resident_bytes() - before
    start = time.process_time()
    report = await worker.run()
    return Answer(time.process_time() - start, report.events, made)


def resident_bytes() -> int:
    """Memory that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def bare(job: Job) -> Answer:
    """The work of ``ring``'s handlers, without agents."""
    start = time.perf_counter()
    for _ in range(job.rounds):
        work(job.loops)
    return Answer(time.perf_counter() - start, job.rounds)


async def _connect(access: Access) -> Any:
    return await nats.connect(access.url, user=access.user, password=access.password, pending_size=64 << 20)


async def echo(job: Job) -> Answer:
    """Answers each message of ``ask``."""
    client = await _connect(job.access)
    done = asyncio.Event()
    seen = 0

    async def answer(received: Any) -> None:
        nonlocal seen
        seen += 1
        await client.publish("semcast.v1.bench.ctl.pong", received.data)
        if received.data == b"end":
            done.set()

    await client.subscribe("semcast.v1.bench.ctl.ping", cb=answer)
    await client.flush()
    await client.publish("semcast.v1.bench.ctl.ready", b"")
    await done.wait()
    await client.drain()
    return Answer(0.0, seen)


async def ask(job: Job) -> Answer:
    """Plain nats-py round trips: one message there, one back."""
    client = await _connect(job.access)
    got: asyncio.Queue[bytes] = asyncio.Queue()

    async def take(received: Any) -> None:
        got.put_nowait(received.data)

    await client.subscribe("semcast.v1.bench.ctl.pong", cb=take)
    await client.flush()
    for _ in range(200):  # until the other side is there
        await client.publish("semcast.v1.bench.ctl.ping", b"warm")
        try:
            await asyncio.wait_for(got.get(), 0.1)
            break
        except TimeoutError:
            continue
    await asyncio.sleep(0.2)
    while not got.empty():
        got.get_nowait()
    start = time.perf_counter()
    for _ in range(job.rounds):
        await client.publish("semcast.v1.bench.ctl.ping", b"x" * 64)
        await got.get()
    seconds = time.perf_counter() - start
    await client.publish("semcast.v1.bench.ctl.ping", b"end")
    await client.drain()
    return Answer(seconds, job.rounds)


async def subscribe(job: Job) -> Answer:
    """Takes and decodes 1 kB messages, one NATS message each."""
    client, codec = await _connect(job.access), Codec()
    done = asyncio.Event()
    seen, start, end = 0, 0.0, 0.0

    async def take(received: Any) -> None:
        nonlocal seen, start, end
        codec.decode(received.data)
        seen += 1
        if seen == 1:
            start = time.perf_counter()
        if seen == job.messages:
            end = time.perf_counter()
            done.set()

    await client.subscribe("semcast.v1.bench.ctl.data", cb=take, pending_msgs_limit=1 << 22, pending_bytes_limit=1 << 32)
    await client.flush()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await done.wait()
    await client.drain()
    return Answer(end - start, seen - 1)


async def publish(job: Job) -> Answer:
    """Encodes and publishes 1 kB messages with plain nats-py."""
    client, codec = await _connect(job.access), Codec()
    envelopes = [message(number) for number in range(100)]
    start = time.perf_counter()
    for number in range(job.messages):
        await client.publish("semcast.v1.bench.ctl.data", codec.encode(envelopes[number % 100]))
    await client.flush(60)
    seconds = time.perf_counter() - start
    await client.drain()
    return Answer(seconds, job.messages)


def _raw_client(access: Access) -> socket.socket:
    """A connection that speaks the least of the protocol: no library, no checks."""
    server = urlsplit(access.url)
    client = socket.create_connection((server.hostname or "", server.port or 4222), 10)
    options = {"verbose": False, "pedantic": False, "user": access.user, "pass": access.password}
    client.sendall(b"CONNECT " + msgspec.json.encode(options) + b"\r\n")
    return client


def _pong(client: socket.socket) -> None:
    """Return when the server has taken all that was sent."""
    client.sendall(b"PING\r\n")
    while b"PONG\r\n" not in client.recv(1 << 16):
        pass


def _raw_message() -> tuple[str, bytes]:
    return "semcast.v1.bench.ctl.data", Codec().encode(message(0))


async def raw_subscribe(job: Job) -> Answer:
    """Counts the bytes of 1 kB messages, one NATS message each."""
    client, (subject, body) = _raw_client(job.access), _raw_message()
    client.sendall(f"SUB {subject} 1\r\n".encode())
    _pong(client)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    size = len(f"MSG {subject} 1 {len(body)}\r\n") + len(body) + 2
    first = seen = client.recv_into(room := bytearray(1 << 20))
    start = time.perf_counter()
    while seen < size * job.messages:
        seen += client.recv_into(room)
    seconds = time.perf_counter() - start
    client.close()
    return Answer(seconds, (seen - first) // size)


async def raw_publish(job: Job) -> Answer:
    """Sends 1 kB messages that were made once, a thousand in one call."""
    client, (subject, body) = _raw_client(job.access), _raw_message()
    thousand = (f"PUB {subject} {len(body)}\r\n".encode() + body + b"\r\n") * 1000
    start = time.perf_counter()
    for _ in range(job.messages // 1000):
        client.sendall(thousand)
    _pong(client)
    client.close()
    return Answer(time.perf_counter() - start, job.messages)


JOBS: dict[str, Callable[[Job], Coroutine[Any, Any, Answer]]] = {
    f.__name__: f for f in (barrier, packed, ring, seldom, bare, echo, ask, subscribe, publish, raw_subscribe, raw_publish)
}


def main() -> None:
    """Do the job of standard input."""
    import uvloop

    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
    with seldom_collecting(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        answer = runner.run(JOBS[job.what](job))
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")


if __name__ == "__main__":
    main()
