"""Seals: who shares the server's credentials and not the run's secret cannot take part in the run, however well it forges."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.bus.access import Access
from semcast.bus.clock import NEVER
from semcast.bus.exchange import wire
from semcast.bus.exchange.client import Received, connect
from semcast.bus.exchange.nats import nats_exchange
from semcast.bus.exchange.rounds import NatsExchange
from semcast.bus.exchange.seal import Seal
from semcast.bus.server import ExternalServer, NatsServer

from .exchange_pairs import FORMS, OF_WORKER, WORLD, message
from .nats_networks import run_over_nats
from .networks import digest, ping_world, run_in_memory

SECRET = b"s" * 32
TEXT = st.text(max_size=20)


def sealed(server: NatsServer, secret: bytes = SECRET) -> Access:
    """The driver's credentials, as if everybody had the same."""
    return Access(server.url, server.driver.user, server.driver.password, secret)


@given(TEXT, st.binary(max_size=40), TEXT, TEXT, st.binary(max_size=40), TEXT)
def test_a_seal_covers_subject_payload_and_header(s: str, p: bytes, h: str, other_s: str, other_p: bytes, other_h: str) -> None:
    taken: list[Received] = []
    false: list[Received] = []
    seal = Seal(SECRET, false.append)
    take = seal.guarded(taken.append)
    mac = seal.mac(s, p, h)
    assert len(mac) == 32 and seal.mac(s, p, h) == mac != Seal(b"other", false.append).mac(s, p, h)
    take(Received(s, p, h, "", mac))
    take(Received(other_s, other_p, other_h, "", mac))
    same = (s, p, h) == (other_s, other_p, other_h)
    assert len(taken) == 1 + same and len(false) == 1 - same
    for wrong in ("", mac[:-1], mac.upper() + "é"):
        take(Received(s, p, h, "", wrong))
    assert len(taken) == 1 + same


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("workers", [1, 3])
def test_a_sealed_run_has_its_digest(server: NatsServer, form: str, workers: int) -> None:
    ends = [nats_exchange(form, WORLD, k, workers, sealed(server), part_bytes=200) for k in range(workers)]
    assert digest(run_over_nats(WORLD, ends)) == digest(run_in_memory(ping_world()))
    assert all(end.counts.rejected == end.counts.asked == 0 for end in ends)


def forgeries(end: NatsExchange) -> list[tuple[str, bytes]]:
    """What would end the run or change it: all of it well-formed, from worker 0 to worker 1."""
    a, c = OF_WORKER[0][0], OF_WORKER[1][0]
    envelope, raw = message(a, c, 0)
    parts = [wire.Part(1, incarnation, 0, 0, 1, 7, memoryview(b"\xdd\0\0\0\0")) for incarnation in (0, 9)]
    controls = [wire.Hello(9, False, 2**60), wire.Done(0, 5), wire.Again(0, 0, [], {})]
    return [
        *((end.subjects.batch(1, 0), wire.encode(part)) for part in parts),
        *((end.subjects.control(1, 0), wire.encode(control)) for control in controls),
        (end.subjects.control(1, 1), wire.encode(wire.Hello(9, False))),
        (end.subjects.message(envelope), raw),
    ]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", [b"", b"of another run"])
def test_forgeries_without_the_secret_are_refused_and_change_nothing(server: NatsServer, form: str, secret: bytes) -> None:
    a, c = OF_WORKER[0][0], OF_WORKER[1][0]

    async def work() -> None:
        ends = [nats_exchange(form, WORLD, k, 2, sealed(server)) for k in range(2)]
        await asyncio.gather(*(end.open() for end in ends))
        vandal = await connect(server.driver, "vandal", lambda error: None)
        made = forgeries(ends[1])
        seal = Seal(secret, lambda message: None)
        for subject, raw in made:
            vandal.publish(subject, raw, None, seal.mac(subject, raw) if secret else "")
            vandal.publish(subject, raw, (wire.PART_HEADER, "0/0/1"))
        await vandal.ping()
        for _ in range(500):
            if ends[1].counts.rejected == 2 * len(made):
                break
            await asyncio.sleep(0.01)
        assert ends[1].counts.rejected == 2 * len(made) and ends[1].counts.stale == 0
        out: Any = [[[], [message(a, c, 0)]], [[], []]]
        results = await asyncio.gather(*(end.swap(0, out[k], 5) for k, end in enumerate(ends)))
        assert [envelope.sequence for envelope in results[1][0]] == [0] and results[0][1] == 5
        await asyncio.gather(*(end.swap(1, [[], []], NEVER) for end in ends))
        await asyncio.gather(*(end.close() for end in ends))
        await vandal.close()

    asyncio.run(asyncio.wait_for(work(), 20))


def test_an_external_server_s_workers_share_a_secret_that_nobody_else_is_told() -> None:
    server, other = ExternalServer("nats://me:pw@127.0.0.1:4222"), ExternalServer("nats://me:pw@127.0.0.1:4222")
    assert server.worker(0).secret == server.worker(1).secret != other.worker(0).secret
    assert len(server.worker(0).secret) == 32
    assert server.driver.secret == server.observer.secret == server.participant.secret == b""
    assert "secret" not in repr(server.worker(0)) and "pw" not in repr(server.worker(0))
    with NatsServer("test", 2) as own:  # here the server itself tells workers apart
        assert own.worker(0).secret == b""
