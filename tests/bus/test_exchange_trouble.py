"""Both forms of exchange in trouble: what makes no sense changes nothing, and it is loud when it cannot go on."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgpack
import pytest
from semcast.bus.access import Access
from semcast.bus.clock import NEVER
from semcast.bus.envelope import Envelope
from semcast.bus.errors import BadInput, Missing, RunFailed, SemcastError
from semcast.bus.exchange import wire
from semcast.bus.exchange.nats import nats_exchange
from semcast.bus.exchange.rejected import FILE_BYTES, Rejected
from semcast.bus.records import Decision
from semcast.bus.server import NatsServer

from .exchange_pairs import CODEC, FORMS, OF_WORKER, WORLD, client, message, pair, same, swap

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
                subjects.batch(1, 0): [
                    *GARBAGE,
                    future,
                    wire.encode(wire.Part(wire.WIRE_VERSION, 0, 0, 0, 1, 0, memoryview(b"\xc1"))),
                ],
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
