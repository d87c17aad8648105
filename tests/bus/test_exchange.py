"""Both forms of exchange over a real server: same digest whatever happens on the way, each message once, open to watchers."""

import asyncio
from typing import Any

import msgpack
import nats
import pytest
import uvloop
from semcast.bus.clock import NEVER
from semcast.bus.envelope import Envelope
from semcast.bus.exchange import wire
from semcast.bus.exchange.chaos import Chaos
from semcast.bus.exchange.nats import nats_exchange
from semcast.bus.messages import Content
from semcast.bus.server import NatsServer
from semcast.bus.tap import Tap

from .exchange_pairs import FORMS, OF_WORKER, WORLD, client, message, pair, same, swap
from .nats_networks import exchanges, run_over_nats
from .networks import digest, run_in_memory


@pytest.fixture(scope="module")
def expected() -> str:
    return digest(run_in_memory(WORLD))


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
