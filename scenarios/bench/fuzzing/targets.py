"""Who has to read what may be hostile: decoders of untrusted bytes, their good messages, and the errors that they document."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from mcap.writer import CompressionType, Writer

from ....agents import prompt_codec
from ....agents.models.cards import CARD_NAME, read_card
from ....agents.pictures import compress, compress_reference, decompress
from ....bus import asks, snapshot
from ....bus.blocks import Block
from ....bus.engine import Worker
from ....bus.envelope import Envelope
from ....bus.errors import SemcastError
from ....bus.exchange import wire
from ....bus.exchange.client import Client, Refused
from ....bus.exchange.memory import Hub, MemoryExchange
from ....bus.repair import rewrite
from ....bus.subjects import Subjects, parse
from ....bus.trace import TraceWriter
from ....bus.trace_reading import TraceReader, envelope_to_builtins
from ....bus.verification import check_trace
from ....policies.incentive.ledger import Rules, Tally, advance, attested, objection
from ... import folder as folders
from ...loading import load, parse_setting, put
from ..workloads import ping_network
from .corpus import BLOCK, CODEC, Corpus
from .mutations import JSON, MSGPACK, Form

ASKING = asks.Asking("me", 5, "user.1", "mapping", 3, "mia/dog", "show my dog")


class Target(NamedTuple):
    """Reads messages.

    ``read`` takes bytes and must either make sense of them (what it decodes must encode to what decodes to the same) or raise one
    of ``refusals``. ``share``: of all messages, how many of a thousand it gets.
    """

    name: str
    good: tuple[bytes, ...]
    read: Callable[[bytes], None]
    refusals: tuple[type[BaseException], ...]
    share: int
    form: Form | None = None


def targets(corpus: Corpus, folder: Path) -> list[Target]:
    """All readers; some read files, in ``folder``."""
    world, _ = ping_network(6, 2, 3)
    subjects = Subjects(world.run, world.ids, world.shards)
    between = [Envelope(1, 0, 1, 2, a, b, 0, "", "agent", corpus.envelopes[0].payload) for a in world.ids for b in world.ids[:2]]
    bad = wire.BAD_BYTES
    return [
        Target("envelope", corpus.records, _envelope, (msgspec.MsgspecError,), 350, MSGPACK),
        Target("batch", corpus.batches(), _batch, (msgspec.MsgspecError,), 100, MSGPACK),
        Target("part", corpus.parts(), _part, bad, 100, MSGPACK),
        Target("control", corpus.controls(), _control, bad, 100, MSGPACK),
        Target("part header", (b"5/0/3", b"0/1/2"), _header, (ValueError,), 40),
        Target("subject", tuple(subjects.message(e).encode() for e in between), _subject, (SemcastError,), 60),
        Target("prompt", corpus.prompts(), _prompt, (SemcastError,), 100),
        Target("block", (msgspec.msgpack.encode(BLOCK),), _block, wire.BAD_BYTES, 30, MSGPACK),
        Target("picture", _pictures(), lambda raw: _unused(decompress(raw)), (SemcastError,), 20),
        Target("NATS server", _streams(corpus), _stream, (ValueError, ConnectionError, Refused), 40),
        Target("trace", _segment(corpus, folder / "good"), _Trace(folder / "hostile"), (SemcastError,), 15),
        Target("run.json", ((corpus.folder / "run.json").read_bytes(),), _RunFile(folder), (SemcastError,), 10, JSON),
        Target("model card", _cards(), _CardFile(folder), (SemcastError,), 10, JSON),
        Target("scenario", ((corpus.folder / "scenario.toml").read_bytes(),), _ScenarioFile(folder), (SemcastError,), 5),
        Target("setting", (b"traffic.rate_hz=0.5", b"policies.prompt='fixed:parts=caption'"), _setting, (SemcastError,), 10),
        Target("ask", (asks.encode(ASKING),), _ask, (ValueError,), 30, MSGPACK),
        Target("ask log", (_ask_log(folder),), _AskFile(folder), (SemcastError,), 10),
        Target("snapshot", (_snapshot(),), _restore, (SemcastError,), 10, MSGPACK),
    ]


def _unused(value: object) -> None:
    """Reading was all."""


def _envelope(raw: bytes) -> None:
    again = CODEC.encode(CODEC.decode(raw))
    assert CODEC.encode(CODEC.decode(again)) == again


def _batch(raw: bytes) -> None:
    again = [CODEC.encode(envelope) for envelope in CODEC.split(memoryview(raw))]
    assert [CODEC.encode(envelope) for envelope in CODEC.split(CODEC.join(again))] == again


def _part(raw: bytes) -> None:
    part = wire.decode_part(raw)
    assembly = wire.Assembly(part.parts, part.floor_ns)
    assert assembly.add(part.part, part.chunk) and assembly.complete == (part.parts == 1)
    again = wire.encode(part)
    assert wire.encode(wire.decode_part(again)) == again


def _control(raw: bytes) -> None:
    again = wire.encode(wire.decode_control(raw))
    assert wire.encode(wire.decode_control(again)) == again


def _header(raw: bytes) -> None:
    header = wire.decode_part_header(raw.decode(errors="replace"))
    assert wire.decode_part_header("/".join(map(str, header))) == header


def _subject(raw: bytes) -> None:
    subject = raw.decode(errors="replace")
    read = parse(subject)
    places = f"{read.destination_shard}.{read.source_shard}.{read.destination}.{read.source}.{read.kind}"
    assert subject == f"semcast.v1.{read.run}.{places}"


def _prompt(raw: bytes) -> None:
    content = prompt_codec.decode(raw)
    again, _ = prompt_codec.encode(content)
    assert prompt_codec.decode(again) == content


_block_decoder = msgspec.msgpack.Decoder(Block)


def _block(raw: bytes) -> None:
    """A block is not only read but judged, as every validator does."""
    block, rules = _block_decoder.decode(raw), Rules(1, 1, 100)
    attested(block, (("user.1", b"tag"),), lambda user: b"k" * 32)
    if not objection(Tally(), block, rules):
        advance(Tally(), block)


def _pictures() -> tuple[bytes, ...]:
    return compress(bytes(64 * 64 * 3)), compress(bytes(range(256)) * 48), compress_reference(bytes(range(256)) * 12)


def _streams(corpus: Corpus) -> tuple[bytes, ...]:
    """What a NATS server says to a worker that has subscribed twice."""
    info = b'INFO {"server_id":"X","max_payload":1048576,"headers":true}\r\n'
    raw = min(corpus.records, key=len)
    message = b"MSG semcast.v1.r.x.0.1 1 %d\r\n%b\r\n" % (len(raw), raw)
    head = b"NATS/1.0\r\nSemcast-Part: 5/0/3\r\n\r\n"
    cut = b"HMSG semcast.v1.r.x.0.1 2 %d %d\r\n%b%b\r\n" % (len(head), len(head) + len(raw), head, raw)
    return info + message, info + cut + b"PONG\r\n", b"+OK\r\n" + message * 3, info + b"-ERR 'Stale Connection'\r\n"


def _stream(raw: bytes) -> None:
    """The client reads the stream in one piece; what it makes of it must be shorter."""

    async def talk() -> None:
        failures: list[Exception] = []
        heard = [0]

        def take(received: Any) -> None:
            heard[0] += len(received.data)

        client = Client(failures.append)
        client._handlers |= {b"1": take, b"2": take}
        rest = memoryview(raw)
        while len(rest) and not failures:
            room = client.get_buffer(-1)
            taken = min(len(room), len(rest))
            room[:taken] = rest[:taken]
            client.buffer_updated(taken)
            rest = rest[taken:]
        assert heard[0] <= len(raw)
        if failures:
            raise failures[0]
        if client.info.done():
            assert 0 < client.max_payload <= 64 << 20

    _LOOP.run_until_complete(talk())


_LOOP = asyncio.new_event_loop()


def _segment(corpus: Corpus, folder: Path) -> tuple[bytes, ...]:
    """A trace of one small segment, as it is written, and unpacked without checksums: there mutations reach the records."""
    writer = TraceWriter(folder, 0, {"run": "fuzz", "chain_windows": "256", "lookahead_ns": "1000000"})
    for envelope, raw in zip(corpus.envelopes[:60], corpus.records, strict=False):
        writer.write(envelope, raw, False)
    writer.close({"user.0": [(0, "ab" * 16)]})
    written = (folder / "w0-0.mcap").read_bytes()
    plain = io.BytesIO()
    copy = Writer(plain, compression=CompressionType.NONE, enable_crcs=False)
    rewrite(copy, TraceReader(folder, CODEC).whole_part(folder / "w0-0.mcap"))
    return written, plain.getvalue(), plain.getvalue()


class _Trace:
    """Reads, checks and shows a trace of one segment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, raw: bytes) -> None:
        (self._folder / "w0-0.mcap").write_bytes(raw)
        check_trace(self._folder, CODEC)
        for record in TraceReader(self._folder, CODEC).records():
            json.dumps(envelope_to_builtins(record.envelope))


class _RunFile:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, raw: bytes) -> None:
        (self._folder / folders.RUN_FILE).write_bytes(raw)
        folders.read_run(self._folder)


class _CardFile:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, raw: bytes) -> None:
        (self._folder / CARD_NAME).write_bytes(raw)
        read_card(self._folder)


class _ScenarioFile:
    def __init__(self, folder: Path) -> None:
        self._path = folder / "hostile.toml"

    def __call__(self, raw: bytes) -> None:
        self._path.write_bytes(raw)
        load(str(self._path))


def _cards() -> tuple[bytes, ...]:
    return (
        json.dumps(
            {"name": "tiny", "roles": ["judge"], "flops": 5, "batch": 8, "files": {"model.safetensors": "ab" * 32}}
        ).encode(),
    )


def _ask(raw: bytes) -> None:
    again = asks.encode(asks.decode(raw))
    assert asks.encode(asks.decode(again)) == again


def _ask_log(folder: Path) -> bytes:
    """Three accepted asks."""
    path = folder / "good-asks"
    log = asks.AskLog(path)
    log.add([asks.Accepted(10**9 * n, "user.0", "me", n, ASKING.ask(asks.FIRST_NUMBER + n)) for n in range(3)])
    log.close()
    return path.read_bytes()


class _AskFile:
    def __init__(self, folder: Path) -> None:
        self._path = folder / "asks"

    def __call__(self, raw: bytes) -> None:
        self._path.write_bytes(raw)
        asks.read_log(self._path)


def _setting(raw: bytes) -> None:
    path, value = parse_setting(raw.decode(errors="replace"))
    put({"traffic": {"rate_hz": 1.0}, "users": [{}]}, path, value)


def _worker() -> Worker:
    world, agents = ping_network(6, 2, 3)
    return Worker(world, agents, MemoryExchange(Hub(1), 0))


def _snapshot() -> bytes:
    worker = _worker()
    worker.start()
    return snapshot.take(worker)


def _restore(raw: bytes) -> None:
    worker = _worker()
    snapshot.restore(worker, raw, CODEC)
    again = snapshot.take(worker)
    copy = _worker()
    snapshot.restore(copy, again, CODEC)
    assert snapshot.take(copy) == again


def spread(count: int, of: Sequence[Target]) -> list[int]:
    """How many of ``count`` messages each target gets, in proportion to its share; at least one."""
    whole = sum(target.share for target in of)
    return [max(1, count * target.share // whole) for target in of]
