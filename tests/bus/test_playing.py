"""A play: order and pace of simulated time, the bytes as recorded, nothing private; large messages in parts."""

import asyncio
import itertools
import time

import msgspec
import pytest
from semcast.bus.audience import Audience, StageServer
from semcast.bus.clock import MS
from semcast.bus.envelope import AGENT, DATA, PRIVATE, VERSION, Codec, Envelope
from semcast.bus.exchange import wire
from semcast.bus.exchange.client import Client, Received
from semcast.bus.exchange.link import connect
from semcast.bus.exchange.live import Live
from semcast.bus.messages import Failure
from semcast.bus.playing import Played, on_subjects, play
from semcast.bus.server import NatsServer
from semcast.bus.subjects import Subjects
from semcast.bus.trace_reading import TraceRecord

IDS = ("bs.0", "user.a", "user.b")
SUBJECTS = Subjects("played", IDS, 16)


def message(
    number: int, t_ms: float, source: str = "user.a", to: str = "bs.0", private: bool = False, note: str = "x"
) -> TraceRecord:
    origin = PRIVATE if private else AGENT
    envelope = Envelope(
        VERSION, 0, round(t_ms * MS), DATA, source, to, number, "", origin, Failure(f"{source}/{number}", source, note)
    )
    return TraceRecord(envelope, envelope.kind, Codec().encode(envelope), private, number)


@pytest.fixture(scope="module")
def server() -> NatsServer:  # type: ignore[misc]
    with StageServer("played") as started:
        yield started


async def performed(server: NatsServer, messages: list[TraceRecord], speed: float) -> tuple[list[tuple[float, Received]], Played]:
    """What an observer hears, with the wall time of each, and what the player says."""
    heard: list[tuple[float, Received]] = []
    observer, player = [await connect(access, 5.0, "test", _raise) for access in (server.observer, server.driver)]
    observer.subscribe("semcast.v1.played.>", lambda received: heard.append((time.monotonic(), received)))
    await observer.ping()
    played = await play(player, Live(SUBJECTS, Codec()), messages, speed)
    await observer.ping()
    await close(observer, player)
    return heard, played


async def close(*clients: Client) -> None:
    for client in clients:
        await client.close()


def _raise(error: Exception) -> None:
    raise error


def test_messages_come_in_their_order_with_their_bytes_and_at_their_pace(server: NatsServer) -> None:
    messages = [message(n, 1000 + 40 * n, *(("user.a", "bs.0") if n % 2 else ("bs.0", "user.b"))) for n in range(8)]
    heard, played = asyncio.run(performed(server, messages, 2.0))
    assert [(received.subject, received.data) for _, received in heard] == [
        (SUBJECTS.message(record.envelope), record.raw) for record in messages
    ]
    # 280 simulated ms at two a second: 140 ms, each gap 20 ms; a busy machine may be late, never early
    first = heard[0][0]
    assert all(t - first >= 0.02 * n - 0.01 for n, (t, _) in enumerate(heard)) and heard[-1][0] - first < 2.0
    assert played.messages == 8 and played.payload_bytes == sum(len(record.raw) for record in messages)
    assert played.t_ns == messages[-1].envelope.t_deliver and 0.14 <= played.wall_s < 2.0 and 0 <= played.late_s < 2.0


def test_without_a_pace_a_long_time_takes_none(server: NatsServer) -> None:
    messages = [message(n, 1e6 * n) for n in range(300)]
    heard, played = asyncio.run(performed(server, messages, 0.0))
    assert [received.data for _, received in heard] == [record.raw for record in messages]
    assert played.wall_s < 5 and played.late_s == 0


def test_private_records_timers_and_what_an_agent_keeps_are_not_played() -> None:
    sent = message(0, 1)
    kept = [message(1, 1, to="user.a"), message(2, 1, private=True), message(3, 1, "bs.0", "bs.0")]
    assert on_subjects([kept[0], sent, *kept[1:]]) == [sent]


def test_nothing_to_play_is_played_at_once(server: NatsServer) -> None:
    assert asyncio.run(performed(server, [], 1.0)) == ([], Played())


def test_a_large_message_comes_in_the_parts_of_a_running_network() -> None:
    """As a run's own exchange would read them."""
    large = message(7, 1, note="x" * 9000)

    async def heard() -> list[Received]:
        with SmallStage("played") as small:
            return [received for _, received in (await performed(small, [large], 0.0))[0]]

    parts = asyncio.run(heard())
    assembly = wire.Assembly(len(parts))
    for received in parts:
        sequence, part, count = wire.decode_part_header(received.header)
        assert (sequence, count) == (7, len(parts)) and assembly.add(part, received.data)
    assert len(parts) > 1 and assembly.complete and bytes(assembly.body()) == large.raw


class SmallStage(StageServer):
    """Takes no message of more than 4 KiB."""

    def __init__(self, run: str) -> None:
        super().__init__(run)
        self.max_payload = 4096


def test_the_server_tells_who_listens_and_observers_cannot_ask(server: StageServer) -> None:
    async def see() -> list[int]:
        found = []
        async with Audience(server.usher) as audience:
            found.append(await audience.subscribers())
            observer = await connect(server.observer, 5.0, "test", _raise)
            await observer.ping()
            found.append(await audience.subscribers())
            observer.subscribe("semcast.v1.played.>", lambda received: None)
            await observer.ping()
            found += [await audience.subscribers(), await audience.waiting_bytes()]
            await observer.close()
        return found

    assert asyncio.run(see()) == [0, 0, 1, 0]
    config = msgspec.json.decode(server._config())
    users = itertools.chain(config["authorization"]["users"], config["accounts"]["SYSTEM"]["users"])
    assert sorted(user["user"] for user in users) == ["driver", "observer", "usher"]
    assert "usher" not in server.usher.url and server.usher.password not in repr(server.usher)


def test_who_is_interrupted_at_whatever_moment_asks_no_more(server: StageServer) -> None:
    """nats-py alone loses a cancellation that comes together with an answer."""

    async def interrupted(turns: int) -> None:
        async def ask() -> None:
            async with Audience(server.usher) as audience:
                while True:
                    await audience.subscribers()

        asking = asyncio.ensure_future(ask())
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking], timeout=3)
        assert asking.cancelled()

    for turns in range(60):
        asyncio.run(interrupted(turns))


def test_a_lost_server_is_an_error_of_the_player() -> None:
    async def lose() -> None:
        with StageServer("played") as short:
            player = await connect(short.driver, 5.0, "test", lambda error: None)
            playing = asyncio.create_task(
                play(player, Live(SUBJECTS, Codec()), [message(0, 0), message(1, 500), message(2, 800)], 1.0)
            )
            await asyncio.sleep(0.1)
            short.stop()
            await playing

    with pytest.raises(OSError, match="gone"):
        asyncio.run(lose())
