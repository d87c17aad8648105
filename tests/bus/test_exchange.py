"""Both forms of exchange over a real server: same digest whatever happens on the way, and loud when it cannot go on."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgpack
import nats
import pytest
import uvloop
from semcast.bus.clock import NEVER
from semcast.bus.envelope import VERSION, Codec, Envelope
from semcast.bus.errors import BadInput, Missing, RunFailed, SemcastError
from semcast.bus.exchange import wire
from semcast.bus.exchange.chaos import Chaos
from semcast.bus.exchange.nats import nats_exchange
from semcast.bus.exchange.rejected import FILE_BYTES, Rejected
from semcast.bus.exchange.rounds import NatsExchange
from semcast.bus.messages import Content, Tick
from semcast.bus.records import Decision
from semcast.bus.server import Access, NatsServer
from semcast.bus.tap import Tap

from .nats_networks import exchanges, run_over_nats
from .networks import digest, ping_world, run_in_memory

FORMS = ("subjects", "packed")
WORLD = ping_world()
CODEC = Codec()
OF_WORKER = [[a for r, a in enumerate(WORLD.ids) if WORLD.worker(r, 2) == k] for k in range(2)]


@pytest.fixture(scope="module")
def expected() -> str:
    return digest(run_in_memory(WORLD))


def message(source: str, to: str, sequence: int, payload: Any = None) -> tuple[Envelope, bytes]:
    envelope = Envelope(VERSION, 0, 1_000_000, 2, source, to, sequence, "", "agent", payload or Tick("x", sequence))
    return envelope, CODEC.encode(envelope)


def same(received: list[Envelope], *sent: tuple[Envelope, bytes]) -> bool:
    """Whether these were received, byte for byte."""
    return sorted(CODEC.encode(envelope) for envelope in received) == sorted(raw for _, raw in sent)


@asynccontextmanager
async def pair(server: NatsServer, form: str, **options: Any) -> AsyncIterator[list[NatsExchange]]:
    """Two workers, connected."""
    ends = [nats_exchange(form, WORLD, k, 2, server.driver, **options) for k in range(2)]
    await asyncio.gather(*(end.open() for end in ends))
    try:
        yield ends
        if all(end._over for end in ends):
            await asyncio.gather(*(end.leave() for end in ends))
    finally:
        await asyncio.gather(*(end.close() for end in ends))


async def swap(ends: list[NatsExchange], round: int, out: Any = None, floor: int = 5) -> list[tuple[list[Envelope], int]]:
    """One round of both, with ``out[worker][peer]``."""
    out = out or [[[], []], [[], []]]
    return list(await asyncio.gather(*(end.swap(round, out[k], floor) for k, end in enumerate(ends))))


@asynccontextmanager
async def client(server: NatsServer) -> AsyncIterator[Any]:
    """A plain NATS client that may do anything in the run."""
    connection = await nats.connect(server.url, user=server.driver.user, password=server.driver.password)
    yield connection
    await connection.close()


# --- the digest -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("loop", [None, uvloop.new_event_loop])
def test_same_digest_as_in_memory(server: NatsServer, expected: str, form: str, workers: int, loop: Any) -> None:
    ends = exchanges(server, WORLD, form, workers)
    assert digest(run_over_nats(WORLD, ends, loop_factory=loop)) == expected
    assert all(end.counts.rejected == end.counts.asked == end.counts.stale == 0 for end in ends)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_delays_duplicates_shuffling_and_losses_change_nothing(
    server: NatsServer, expected: str, form: str, workers: int
) -> None:
    ends = [
        nats_exchange(form, WORLD, k, workers, server.driver, chaos=Chaos(k, 0.001, 0.3, True, 0.1), ask_again_s=0.01)
        for k in range(workers)
    ]
    assert digest(run_over_nats(WORLD, ends)) == expected
    if workers > 1 or form == "subjects":
        assert sum(end.counts.resent for end in ends) > 0 and sum(end.counts.duplicates for end in ends) > 0


# --- rounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_a_round_brings_each_message_once_and_the_least_floor(server: NatsServer, form: str) -> None:
    (a, b), (c, d) = OF_WORKER[0][:2], OF_WORKER[1][:2]

    async def work() -> None:
        async with pair(server, form) as ends:
            out = [[[], [message(a, c, 0), message(b, c, 7)]], [[message(d, a, 3)], []]]
            first, second = await asyncio.gather(ends[0].swap(0, out[0], 40), ends[1].swap(0, out[1], 30))
            assert same(first[0], *out[1][0]) and same(second[0], *out[0][1])
            assert first[1] == second[1] == 30
            assert await swap(ends, 1, floor=NEVER) == [([], NEVER)] * 2

    asyncio.run(work())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [100_000, 3_500_000])
def test_large_messages_travel_in_parts(server: NatsServer, form: str, size: int) -> None:
    a, c = OF_WORKER[0][0], OF_WORKER[1][0]
    content = Content(f"{a}/1", a, c, 0, bytes(range(256)) * (size // 256))

    async def work() -> None:
        chaos = Chaos(3, duplicate=0.5, shuffle=True, drop=0.2)
        async with pair(server, form, chaos=chaos, ask_again_s=0.02) as ends:
            for round in range(3):
                results = await swap(ends, round, [[[], [message(a, c, round, content)]], [[], []]])
                assert [e.payload for e in results[1][0]] == [content]
            await swap(ends, 3, floor=NEVER)

    asyncio.run(work())


@pytest.mark.parametrize("form", FORMS)
def test_what_is_lost_is_asked_for_by_name(server: NatsServer, form: str) -> None:
    """Nothing of the first sending arrives, so all there is came because it was asked for."""
    a, c = OF_WORKER[0][0], OF_WORKER[1][0]

    class LostOnce(Chaos):
        def disturb(self, messages: Any) -> list[Any]:
            return []

    async def work() -> None:
        async with pair(server, form, chaos=LostOnce(), ask_again_s=0.02) as ends:
            out = [[[], [message(a, c, n) for n in range(20)]], [[], []]]
            results = await swap(ends, 0, out)
            assert [e.sequence for e in results[1][0]] == list(range(20))
            assert ends[1].counts.asked > 0 and ends[0].counts.resent >= (21 if form == "subjects" else 1)
            await swap(ends, 1, floor=NEVER)

    asyncio.run(work())


def test_messages_of_an_older_incarnation_are_refused(server: NatsServer) -> None:
    a, c = OF_WORKER[0][0], OF_WORKER[1][0]

    async def work() -> None:
        new = [nats_exchange("packed", WORLD, k, 2, server.driver, incarnation=1) for k in range(2)]
        await asyncio.gather(*(end.open() for end in new))
        async with client(server) as old:
            body = wire.encode([message(a, c, 99)[1]])
            stale = wire.encode(wire.Part(wire.WIRE_VERSION, 0, 0, 0, 1, 0, memoryview(body)))
            await old.publish(new[1].subjects.batch(1, 0), stale)
            await old.flush()
            await asyncio.sleep(0.05)
        assert await swap(new, 0, floor=NEVER) == [([], NEVER)] * 2
        assert new[1].counts.stale == 1
        await asyncio.gather(*(end.close() for end in new))

    asyncio.run(work())


# --- bytes that make no sense -----------------------------------------------------------------------------------------

DEEP = Decision("", "", "", "", "", {"deep": 1}, {})
NESTED = message("user.00", "bs.0", 0, DEEP)[1].replace(b"\xa4deep\x01", b"\xa4deep" + b"\x81\xa1a" * 50_000 + b"\xc0")
GARBAGE = [
    b"",
    b"\x00",
    b"\xc1" * 50,
    bytes(range(256)),
    b"\xdd\xff\xff\xff\xff",
    b"\x93\xa1a",
    NESTED,
    b"\xa2\xff\xff",
    b"x" * 900_000,
]


@pytest.mark.parametrize("form", FORMS)
def test_bad_bytes_on_any_subject_are_kept_aside_and_change_nothing(server: NatsServer, form: str, tmp_path: Path) -> None:
    a, c = OF_WORKER[0][0], OF_WORKER[1][0]
    good, raw = message(a, c, 0)
    wrong = [
        CODEC.encode(Envelope(9, *[getattr(good, f) for f in good.__struct_fields__[1:]])),  # another version
        raw.replace(b"\xa4tick", b"\xa4tock"),  # an unknown kind
        message(c, a, 5)[1],  # not what the subject says
        message("user.99", c, 5)[1],  # from nobody
    ]
    future = wire.encode(wire.Part(wire.WIRE_VERSION, 0, 77, 0, 1, 0, memoryview(b"")))

    async def work() -> None:
        async with pair(server, form, rejected=tmp_path / "rejected.bin", ask_again_s=0.05) as ends:
            subjects = ends[1].subjects
            places = {
                subjects.batch(1, 0): [*GARBAGE, future, wire.encode(wire.Part(1, 0, 0, 0, 1, 0, memoryview(b"\xc1")))],
                subjects.batch(1, 9): [future],
                f"{subjects.base}.x.1.zero": [b"x"],
                subjects.control(1, 0): GARBAGE,
                subjects.message(good): [*GARBAGE, *wrong],
            }
            async with client(server) as vandal:
                await swap(ends, 0)
                sent = 0
                for subject, payloads in places.items():
                    for payload in payloads:
                        await vandal.publish(subject, payload)
                        sent += 1
                await vandal.publish(subjects.message(good), b"x", headers={"Semcast-Part": "0/9/3"})
                sent += 1
                await vandal.flush()
            counts = ends[1].counts
            for _ in range(500):
                if counts.rejected + counts.duplicates >= sent:
                    break
                await asyncio.sleep(0.01)
            # One record is of round 0, which is over: a duplicate, which is no news.
            assert (counts.rejected, counts.duplicates) == (sent - 1, 1)
            results = await swap(ends, 1, [[[], [(good, raw)]], [[], []]])
            assert same(results[1][0], (good, raw))
            await swap(ends, 2, floor=NEVER)

    asyncio.run(work())
    with (tmp_path / "rejected.bin").open("rb") as file:
        entries = list(msgpack.Unpacker(file))
    assert {len(entry) for entry in entries} == {4} and all(entry[0].startswith("semcast.v1.test.") for entry in entries)
    assert (tmp_path / "rejected.bin").stat().st_size <= FILE_BYTES


@pytest.mark.parametrize("sequences", [[], [5, 5], [6, 5], [0], [-1], [2**64 - 1]])
def test_a_record_that_names_messages_wrongly_is_refused(server: NatsServer, sequences: list[int]) -> None:
    """None at all, one twice, in the wrong order, one that was taken before, impossible ones: as if the record had not come."""
    a, c = OF_WORKER[0][0], OF_WORKER[1][0]

    async def work() -> None:
        async with pair(server, "subjects", ask_again_s=0.05) as ends:
            await swap(ends, 0, [[[], [message(a, c, 0)]], [[], []]])
            body = wire.encode({a: sequences})
            async with client(server) as vandal:
                part = wire.Part(wire.WIRE_VERSION, 0, 1, 0, 1, 5, memoryview(body))
                await vandal.publish(ends[1].subjects.batch(1, 0), wire.encode(part))
                await vandal.flush()
            for _ in range(500):
                if ends[1].counts.rejected:
                    break
                await asyncio.sleep(0.01)
            assert ends[1].counts.rejected == 1
            results = await swap(ends, 1, [[[], [message(a, c, 7)]], [[], []]])
            assert [e.sequence for e in results[1][0]] == [7]
            await swap(ends, 2, floor=NEVER)

    asyncio.run(work())


def test_the_side_file_is_capped(tmp_path: Path) -> None:
    rejected = Rejected(tmp_path / "rejected.bin")
    for number in range(2000):
        rejected.add("s", bytes(5000), str(number))
    assert rejected.count == 2000
    assert FILE_BYTES - 10_000 < (tmp_path / "rejected.bin").stat().st_size <= FILE_BYTES


# --- what cannot be mended --------------------------------------------------------------------------------------------


def failing(work: Callable[[], Awaitable[None]], match: str, kind: type[SemcastError] = RunFailed) -> None:
    with pytest.raises(kind, match=match):
        asyncio.run(asyncio.wait_for(work(), 10))  # type: ignore[arg-type]


def test_foreign_credentials_end_the_run(server: NatsServer) -> None:
    async def work() -> None:
        end = nats_exchange("subjects", WORLD, 0, 4, server.worker(1), ask_again_s=0.05, patience_s=3)
        try:
            await end.open()
        finally:
            await end.close()

    failing(work, "refuses semcast worker 0 a subject")


@pytest.mark.parametrize("form", FORMS)
def test_a_server_lost_for_good_ends_the_run(form: str) -> None:
    async def work() -> None:
        with NatsServer("test", 2) as server:
            async with pair(server, form, server_s=0.3) as ends:
                await swap(ends, 0)
                server.stop()
                await swap(ends, 1)

    failing(work, "(?s)lost the NATS server .*--resume")


@pytest.mark.parametrize("form", FORMS)
def test_a_server_that_comes_back_is_found_and_nothing_is_lost(form: str) -> None:
    a, c = OF_WORKER[0][0], OF_WORKER[1][0]

    async def work() -> None:
        with NatsServer("test", 2) as server:
            async with pair(server, form, ask_again_s=0.02) as ends:
                for round in range(5):
                    sent = message(a, c, round)
                    both = asyncio.gather(ends[0].swap(round, [[], [sent]], 5), ends[1].swap(round, [[], []], 5))
                    await asyncio.sleep(0.002 * round)
                    os.kill(server.pid, signal.SIGKILL)
                    while not server.mend():
                        await asyncio.sleep(0.005)
                    assert same((await both)[1][0], sent)
                await swap(ends, 5, floor=NEVER)
                # On a busy machine the server may be gone again before it is found.
                assert all(1 <= end.counts.returns <= 5 for end in ends)

    asyncio.run(asyncio.wait_for(work(), 20))


def test_a_worker_that_never_comes_is_named(server: NatsServer) -> None:
    async def work() -> None:
        end = nats_exchange("packed", WORLD, 0, 2, server.driver, patience_s=0.1)
        try:
            await end.open()
        finally:
            await end.close()

    failing(work, "worker 0 waits for worker 1")


def test_no_server_and_no_such_form_are_said(server: NatsServer) -> None:
    end = nats_exchange("packed", WORLD, 0, 1, Access("nats://127.0.0.1:9"))
    failing(end.open, "cannot connect", Missing)
    with pytest.raises(BadInput, match="zipped"):
        nats_exchange("zipped", WORLD, 0, 1, server.driver)


# --- watching ---------------------------------------------------------------------------------------------------------


class Kept:
    """A trace sink that keeps what it gets."""

    def __init__(self) -> None:
        self.raw: dict[tuple[str, int], bytes] = {}

    def write(self, envelope: Envelope, raw: bytes, private: bool) -> None:
        if envelope.source != envelope.destination:
            self.raw[envelope.source, envelope.sequence] = raw


@pytest.mark.parametrize("form", FORMS)
def test_a_plain_client_follows_one_user(server: NatsServer, expected: str, form: str) -> None:
    """Written with nats-py and msgpack only: what it sees of a user is byte for byte what the user sent and got."""
    seen: dict[tuple[str, int], bytes] = {}
    stray: list[Any] = []
    user = "user.03"
    kept = [Kept(), Kept()]

    async def watch(message: Any) -> None:
        envelope = msgpack.unpackb(message.data)
        source, destination, sequence, payload = envelope[4], envelope[5], envelope[6], envelope[9]
        seen[source, sequence] = message.data
        if user not in (source, destination) or message.subject.split(".")[-1] != payload["type"]:
            stray.append(envelope)

    async def work() -> str:
        from semcast.bus.engine import Worker

        from .networks import ping_agents

        observer = server.observer
        viewer = await nats.connect(observer.url, user=observer.user, password=observer.password)
        await viewer.subscribe(f"semcast.v1.test.*.*.{user}.>", cb=watch)
        await viewer.subscribe(f"semcast.v1.test.*.*.*.*.{user}.>", cb=watch)
        await viewer.flush()
        ends = [nats_exchange(form, WORLD, k, 2, server.driver) for k in range(2)]
        workers = [
            Worker(WORLD, ping_agents(WORLD, k, 2), end, index=k, workers=2, trace=Tap(end, [user], kept[k]))
            for k, end in enumerate(ends)
        ]
        reports = await asyncio.gather(*(worker.run() for worker in workers))
        await viewer.flush()
        await asyncio.sleep(0.1)
        await viewer.close()
        return digest(reports)

    assert asyncio.run(work()) == expected
    everything = {**kept[0].raw, **kept[1].raw}
    lives = {name: raw for name, raw in everything.items() if user in msgpack.unpackb(raw)[4:6]}
    assert seen == lives and len(lives) > 10 and not stray
