"""A worker's ear for participants, with a real server: accepted once and acknowledged, refused with a reason, bounded."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import nats
import pytest
from semcast.bus import inlet as module
from semcast.bus.asks import FIRST_NUMBER, AskLog, read_log
from semcast.bus.clock import SECOND
from semcast.bus.errors import Missing, RunFailed
from semcast.bus.exchange.kept import Counts
from semcast.bus.exchange.rejected import Rejected
from semcast.bus.inlet import AskInlet
from semcast.bus.messages import Ask
from semcast.bus.outside import Injection
from semcast.bus.server import NatsServer, probe
from semcast.bus.subjects import Subjects, asks_of, shards_of

from .networks import ping_world
from .test_server import with_client
from .test_subjects import envelope

WORLD = ping_world()
SUBJECTS = Subjects("test", WORLD.ids, WORLD.shards)
MINE = [name for rank, name in enumerate(WORLD.ids) if WORLD.worker(rank, 2) == 1 and name.startswith("user")]
ALICE = {"participant": "alice", "counter": 0, "recipient": "user.02"}


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    """With participants, for two workers."""
    with NatsServer("test", 2, external=True) as running:
        yield running


async def ignore(error: Exception) -> None:
    """One test takes the server away."""


def cannot(user: str, ask: Ask) -> str:
    return "" if ask.recipient in WORLD.ids else f"{ask.recipient} is nobody"


class Visit:
    """Worker 1's inlet and a participant."""

    def __init__(self, inlet: AskInlet, client: Any, counts: Counts) -> None:
        self.inlet, self.client, self.counts = inlet, client, counts
        self.injections: list[Injection] = []

    async def ask(self, user: str, wanted: Any, t_ns: int = 2 * SECOND) -> dict[str, Any]:
        """One request, and barriers at ``t_ns`` until it is answered."""
        raw = wanted if isinstance(wanted, bytes) else msgpack.packb(wanted)
        request = asyncio.ensure_future(self.client.request(SUBJECTS.ask(user), raw, timeout=10))
        while not request.done():
            await asyncio.sleep(0.01)
            self.injections += await self.inlet.taken(t_ns)
        answer: dict[str, Any] = msgpack.unpackb((await request).data)
        return answer


def visit(server: NatsServer, folder: Path, what: Callable[[Visit], Awaitable[None]]) -> Visit:
    counts = Counts()

    async def together() -> Visit:
        inlet = AskInlet(
            server.worker(1),
            [asks_of("test", shard) for shard in shards_of(1, 2, WORLD.shards)],
            {SUBJECTS.ask(user): user for user in MINE},
            cannot,
            AskLog(folder / "asks-w1"),
            (SECOND, 9 * SECOND),
            counts,
            Rejected(folder / "rejected.bin"),
        )
        await inlet.open()
        client = await nats.connect(server.participant.url_with_password, error_cb=ignore, allow_reconnect=False)
        made = Visit(inlet, client, counts)
        try:
            await what(made)
        finally:
            await inlet.close()
            await client.close()
        return made

    return asyncio.run(together())


def test_an_ask_is_accepted_once_and_acknowledged_as_often_as_it_comes(server: NatsServer, tmp_path: Path) -> None:
    user = MINE[0]
    request = {"accepted": True, "request": f"{user}/{FIRST_NUMBER}", "t_ns": 2 * SECOND, "reason": ""}

    async def what(visit: Visit) -> None:
        assert await visit.ask(user, ALICE) == request
        assert await visit.ask(user, ALICE, 3 * SECOND) == request
        second = await visit.ask(user, ALICE | {"counter": 1, "things": 3}, 3 * SECOND)
        assert second["request"] == f"{user}/{FIRST_NUMBER + 1}" and second["t_ns"] == 3 * SECOND
        assert (await visit.ask(user, ALICE | {"participant": "bob"}))["request"] == f"{user}/{FIRST_NUMBER + 2}"
        assert (await visit.ask(MINE[1], ALICE))["request"] == f"{MINE[1]}/{FIRST_NUMBER}"
        other = await visit.ask(user, ALICE | {"things": 2})
        assert not other["accepted"] and "counter 0 was another ask" in other["reason"]

    made = visit(server, tmp_path, what)
    assert [(i.agent, i.by, i.t_ns, i.number) for i in made.injections] == [
        (user, "alice:0", 2 * SECOND, 0),
        (user, "alice:1", 3 * SECOND, 1),
        (user, "bob:0", 2 * SECOND, 2),
        (MINE[1], "alice:0", 2 * SECOND, 3),
    ]
    assert made.injections[1].payload == Ask(FIRST_NUMBER + 1, "user.02", things=3)
    assert len(read_log(tmp_path / "asks-w1")) == 4 and made.counts.rejected == 0


def test_a_worker_made_anew_knows_what_was_accepted(server: NatsServer, tmp_path: Path) -> None:
    answers = []

    async def what(visit: Visit) -> None:
        answers.append(await visit.ask(MINE[0], ALICE, 2 * SECOND))

    assert len(visit(server, tmp_path, what).injections) == 1
    assert len(visit(server, tmp_path, what).injections) == 0
    assert answers[0] == answers[1]

    async def more(visit: Visit) -> None:
        answers.append(await visit.ask(MINE[0], ALICE | {"counter": 1}))

    assert [each.number for each in visit(server, tmp_path, more).injections] == [1]
    assert answers[2]["request"] == f"{MINE[0]}/{FIRST_NUMBER + 1}"


def test_it_is_on_disk_before_it_is_acknowledged(server: NatsServer, tmp_path: Path) -> None:
    async def what(visit: Visit) -> None:
        request = asyncio.ensure_future(visit.client.request(SUBJECTS.ask(MINE[0]), msgpack.packb(ALICE), timeout=10))
        while not visit.inlet._waiting:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert not request.done() and read_log(tmp_path / "asks-w1") == []
        AskLog(tmp_path / "asks-w1")  # a later incarnation
        with pytest.raises(RunFailed, match="taken over"):
            await visit.inlet.taken(2 * SECOND)
        await asyncio.sleep(0.05)
        assert not request.done()
        request.cancel()

    visit(server, tmp_path, what)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (ALICE | {"recipient": "user.99"}, "user.99 is nobody"),
        (ALICE | {"colour": "red"}, "colour"),
        (b"\xc1nonsense", "alformed"),
        (b"x" * 5000, "5000 bytes"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_reason(server: NatsServer, tmp_path: Path, wanted: Any, reason: str) -> None:
    async def what(visit: Visit) -> None:
        answer = await visit.ask(MINE[0], wanted)
        assert not answer["accepted"] and reason in answer["reason"]

    made = visit(server, tmp_path, what)
    assert not made.injections and made.counts.rejected == 1
    kept = msgpack.unpackb((tmp_path / "rejected.bin").read_bytes())
    assert kept[0] == SUBJECTS.ask(MINE[0]) and reason in kept[1]


def test_before_its_time_an_ask_waits_and_after_it_is_refused(server: NatsServer, tmp_path: Path) -> None:
    async def what(visit: Visit) -> None:
        request = asyncio.ensure_future(visit.client.request(SUBJECTS.ask(MINE[0]), msgpack.packb(ALICE), timeout=10))
        while not visit.inlet._waiting:
            await asyncio.sleep(0.01)
        assert await visit.inlet.taken(SECOND - 1) == []
        (injection,) = await visit.inlet.taken(SECOND)
        assert injection.t_ns == SECOND and msgpack.unpackb((await request).data)["accepted"]
        late = await visit.ask(MINE[0], ALICE | {"counter": 1}, 9 * SECOND)
        assert not late["accepted"] and "after 9 s" in late["reason"]
        assert (await visit.ask(MINE[0], ALICE, 9 * SECOND))["accepted"], "what was accepted stays so"

    visit(server, tmp_path, what)


def test_what_still_waits_at_the_end_is_refused(server: NatsServer, tmp_path: Path) -> None:
    requests = []

    async def what(visit: Visit) -> None:
        requests.append(asyncio.ensure_future(visit.client.request(SUBJECTS.ask(MINE[0]), msgpack.packb(ALICE), timeout=10)))
        while not visit.inlet._waiting:
            await asyncio.sleep(0.01)
        await visit.inlet.close()
        assert msgpack.unpackb((await requests[0]).data)["reason"] == "the run has ended"

    assert not visit(server, tmp_path, what).injections


def test_a_flood_is_bounded_and_the_others_are_heard(server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RATE_HZ", 0.001)

    async def what(visit: Visit) -> None:
        inbox = visit.client.new_inbox()
        for number in range(300):
            await visit.client.publish(SUBJECTS.ask(MINE[0]), msgpack.packb(ALICE | {"counter": number}), reply=inbox)
        await visit.client.flush()
        while visit.counts.rejected < 300 - module.BURST:
            await asyncio.sleep(0.01)
        assert (await visit.ask(MINE[1], ALICE))["accepted"]
        assert "more than 0.001 asks a second" in (await visit.ask(MINE[0], ALICE))["reason"]

    made = visit(server, tmp_path, what)
    assert len(made.injections) == module.BURST + 1


@pytest.mark.parametrize("reply", ["", "semcast.v1.test.x.0.1", "_INBOX.>", "_INBOXES.a"])
def test_an_answer_goes_to_an_inbox_and_nowhere_else(server: NatsServer, tmp_path: Path, reply: str) -> None:
    heard = []

    async def what(visit: Visit) -> None:
        driver = await nats.connect(server.driver.url_with_password)

        async def take(message: Any) -> None:
            heard.append(message)

        await driver.subscribe("semcast.v1.test.x.>", cb=take)
        await driver.flush()
        await visit.client.publish(SUBJECTS.ask(MINE[0]), msgpack.packb(ALICE), reply=reply)
        while not visit.counts.rejected:
            await asyncio.sleep(0.01)
        assert await visit.inlet.taken(2 * SECOND) == []
        await asyncio.sleep(0.05)
        await driver.close()

    visit(server, tmp_path, what)
    assert not heard


def test_a_server_that_was_lost_and_is_back_is_heard_again(tmp_path: Path) -> None:
    async def what(visit: Visit) -> None:
        before = await visit.ask(MINE[0], ALICE)
        os.kill(own.pid, signal.SIGKILL)
        while not await asyncio.to_thread(own.mend):
            await asyncio.sleep(0.01)
        client = await nats.connect(own.participant.url_with_password)
        for _ in range(100):
            try:
                request = asyncio.ensure_future(client.request(SUBJECTS.ask(MINE[0]), msgpack.packb(ALICE), timeout=5))
                while not request.done():
                    await asyncio.sleep(0.01)
                    assert await visit.inlet.taken(3 * SECOND) == []
                assert msgpack.unpackb((await request).data) == before
                break
            except nats.errors.NoRespondersError:  # the worker is not back yet
                await asyncio.sleep(0.05)
        else:
            pytest.fail("the worker never came back")
        await client.close()

    with NatsServer("test", 2, external=True) as own:
        visit(own, tmp_path, what)


def test_who_gets_no_answer_does_not_end_the_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """On somebody else's server, the run's user may not publish to inboxes."""

    async def what(visit: Visit) -> None:
        for counter, wanted in enumerate([msgpack.packb(ALICE), b"nonsense"]):
            await visit.client.publish(SUBJECTS.ask(MINE[0]), wanted, reply="_INBOX.alice")
            while visit.counts.rejected < 2 * counter + 1:
                visit.injections += await visit.inlet.taken(2 * SECOND)
                await asyncio.sleep(0.01)
        assert await visit.inlet.taken(3 * SECOND) == []

    with Mute("test", 2, external=True) as mute:
        made = visit(mute, tmp_path, what)
    assert [each.by for each in made.injections] == ["alice:0"] and made.counts.rejected == 3
    assert caplog.text.count("no answers") == 1 and "publish to '_INBOX.>'" in caplog.text


class Mute(NatsServer):
    """Lets workers publish to no inbox."""

    def _config(self) -> str:
        config = json.loads(super()._config())
        for user in config["authorization"]["users"]:
            if user["user"].startswith("worker"):
                user["permissions"]["publish"]["allow"].remove("_INBOX.>")
        return json.dumps(config)


def test_a_server_that_is_away_while_a_worker_comes_is_waited_for(tmp_path: Path) -> None:
    async def come() -> None:
        inlet = AskInlet(
            own.worker(1), ["semcast.v1.test.inject.1.>"], {}, cannot, AskLog(tmp_path / "log"), (0, 1), Counts(), Rejected(None)
        )
        opening = asyncio.ensure_future(inlet.open())
        await asyncio.sleep(0.1)
        assert not opening.done()
        await asyncio.to_thread(own.mend)
        await opening
        await inlet.close()

    with NatsServer("test", 2, external=True) as own:
        os.kill(own.pid, signal.SIGKILL)
        while own._process is not None and own._process.poll() is None:
            time.sleep(0.01)
        asyncio.run(asyncio.wait_for(come(), 20))


# --- credentials ------------------------------------------------------------------------------------------------------


def test_a_participant_may_ask_and_read_and_nothing_else(server: NatsServer) -> None:
    async def allowed(client: Any, _: list[str]) -> None:
        await client.publish(SUBJECTS.ask(MINE[0]), b"x")
        await client.subscribe("semcast.v1.test.*.*.user.02.>")
        await client.subscribe(client.new_inbox())

    assert with_client(server.participant, allowed) == []
    forbidden = [
        SUBJECTS.message(envelope("user.00", "user.01")),
        SUBJECTS.batch(0, 1),
        SUBJECTS.control(0, 1),
        "semcast.v1.test.inject.0.user.01.bs.0.arrived",
        "semcast.v1.test.inject.0.bs.0",
        "semcast.v1.other.inject.0.user.01",
        "_INBOX.somebody",
    ]

    async def forge(client: Any, _: list[str]) -> None:
        for subject in forbidden:
            await client.publish(subject, b"x")

    assert len(with_client(server.participant, forge)) == len(forbidden)


def test_a_worker_hears_what_is_asked_of_its_own_users_only(server: NatsServer) -> None:
    async def listen(client: Any, _: list[str]) -> None:
        for shard in range(WORLD.shards):
            await client.subscribe(asks_of("test", shard))

    assert len(with_client(server.worker(1), listen)) == WORLD.shards - len(shards_of(1, 2, WORLD.shards))


def test_without_participants_nobody_may_ask() -> None:
    async def listen(client: Any, _: list[str]) -> None:
        await client.subscribe(asks_of("test", 1))
        await client.publish("_INBOX.somebody", b"x")

    with NatsServer("test", 2) as plain:
        assert len(with_client(plain.worker(1), listen)) == 2
        with pytest.raises(Missing, match="refuses the credentials"):
            probe(plain.participant, 5.0)
