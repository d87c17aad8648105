"""The base station among scripted neighbours: what waits for a user follows it, multicasts are charged once, order is kept."""

import asyncio
from typing import Any

import msgspec
from msgspec import Struct
from semcast.agents.base import PAYLOADS, make_agents, make_world
from semcast.agents.settings import RadioSettings
from semcast.bus.engine import Context, Worker
from semcast.bus.envelope import Codec, Envelope
from semcast.bus.exchange.memory import Hub, MemoryExchange
from semcast.bus.messages import (
    Arrived,
    Association,
    Attach,
    Detach,
    Downlink,
    Failure,
    Feedback,
    Forwarded,
    KbSummary,
    Settlement,
    Uplink,
)
from semcast.bus.records import AirRecord

from .networks import run, two_users

Step = tuple[int, str, Any]
MS = 1_000_000


class Scripted:
    """An agent that sends what it is told when it is told, and keeps what it gets."""

    def __init__(self, id: str, steps: list[Step]) -> None:
        self.id, self.steps = id, steps
        self.state = Struct()
        self.got: list[Envelope] = []

    def start(self, ctx: Context) -> None:
        for after_ms, to, payload in self.steps:
            ctx.send(to, payload, after_ns=after_ms * MS)

    def handle(self, event: Envelope, ctx: Context) -> None:
        self.got.append(event)

    def of(self, kind: type) -> list[Any]:
        return [event.payload for event in self.got if isinstance(event.payload, kind)]


def play(**scripts: list[Step]) -> tuple[dict[str, Scripted], dict[str, Any], list[AirRecord]]:
    """Real base stations among scripted users, edge and cloud; -> (scripted agents, stations, air records)."""
    settings = two_users(radio=msgspec.structs.replace(two_users().radio, model="awgn"))
    world = make_world(settings, "test")
    stations = {agent.id: agent for agent in make_agents(settings, ["bs.0", "bs.1"])}
    others = {id: Scripted(id, scripts.get(id.replace(".", ""), [])) for id in world.ids if id not in stations}
    records: list[AirRecord] = []

    class Keep:
        def write(self, envelope: Envelope, raw: bytes, private: bool) -> None:
            if isinstance(envelope.payload, AirRecord):
                records.append(envelope.payload)

    worker = Worker(world, [*stations.values(), *others.values()], MemoryExchange(Hub(1), 0), codec=Codec(PAYLOADS), trace=Keep())
    asyncio.run(worker.run())
    return others, stations, records


def attach(at_ms: int, user: str, bs: str, epoch: int, previous: str = "") -> Step:
    return (at_ms, bs, Attach(user, epoch, previous))


def down(number: int, *users: str) -> Downlink:
    return Downlink(list(users), f"settlement:{number}", "", "preparation", 40, Settlement(users[0], float(number)))


def up(number: int, user: str, epoch: int = 1) -> Uplink:
    return Uplink(user, epoch, f"feedback:{number}", "", "feedback", 40, Feedback(f"x/{number}", 0.0, 0.0, 0))


def test_what_waits_for_a_user_follows_it_to_its_new_station() -> None:
    first = [attach(0, "user.0", "bs.0", 1), attach(20, "user.0", "bs.1", 2, "bs.0")]
    edge = [(10, "bs.0", down(number, "user.0")) for number in range(300)] + [(60, "bs.0", down(300, "user.0"))]
    others, stations, records = play(user0=first, edge0=edge)
    arrived = [message for message in others["user.0"].of(Arrived)]
    assert sorted(message.body.credits for message in arrived) == [float(number) for number in range(301)]
    assert {message.bs for message in arrived} == {"bs.0", "bs.1"}
    assert len([record for record in records if record.purpose == "preparation"]) == 301
    assert stations["bs.0"].state.epochs == {} and stations["bs.1"].state.epochs == {"user.0": 2}
    assert [a.epoch for a in others["edge.0"].of(Association)] == [1, 2]


def test_what_lies_at_a_user_goes_up_at_its_new_station() -> None:
    steps = [attach(0, "user.0", "bs.0", 1), *((10, "bs.0", up(number, "user.0")) for number in range(300))]
    others, _, _ = play(user0=[*steps, attach(20, "user.0", "bs.1", 2, "bs.0"), (21, "bs.0", up(300, "user.0"))])
    came = others["edge.0"].of(Forwarded)
    assert sorted(int(message.body.request[2:]) for message in came) == list(range(301))
    assert {message.bs for message in came} == {"bs.0", "bs.1"}


def test_there_and_back_again() -> None:
    steps = [attach(0, "user.0", "bs.0", 1), attach(20, "user.0", "bs.1", 2, "bs.0"), attach(60, "user.0", "bs.0", 3, "bs.1")]
    late = [(100, "bs.1", down(1, "user.0")), (101, "bs.0", down(2, "user.0"))]
    others, stations, _ = play(user0=steps, edge0=late)
    assert sorted(message.body.credits for message in others["user.0"].of(Arrived)) == [1.0, 2.0]
    assert stations["bs.0"].state.epochs == {"user.0": 3}


def test_messages_of_old_epochs_change_nothing() -> None:
    steps = [attach(0, "user.0", "bs.0", 5), attach(10, "user.0", "bs.0", 4), (20, "bs.0", Detach("user.0", 4, "bs.1"))]
    _, stations, _ = play(user0=steps)
    assert stations["bs.0"].state.epochs == {"user.0": 5}


def test_one_user_gets_its_messages_in_order_and_one_at_a_time() -> None:
    edge = [(10, "bs.0", down(number, "user.0")) for number in range(20)]
    others, _, _ = play(user0=[attach(0, "user.0", "bs.0", 1)], edge0=edge)
    events = [event for event in others["user.0"].got if isinstance(event.payload, Arrived)]
    assert [event.payload.body.credits for event in events] == [float(number) for number in range(20)]
    assert len({event.t_deliver for event in events}) == 20


def test_a_multicast_is_one_charged_transmission_and_one_message_each() -> None:
    summary = KbSummary(["mia/dog"], 1)
    both = Downlink(["user.0", "user.1"], "summary", "", "kb", 44, summary)
    others, _, records = play(
        user0=[attach(0, "user.0", "bs.0", 1)], user1=[attach(0, "user.1", "bs.0", 1)], edge0=[(10, "bs.0", both)]
    )
    sent = [record for record in records if record.purpose == "kb"]
    assert [record.users for record in sent] == [["user.0", "user.1"]]
    assert [others[user].of(Arrived)[0].multicast for user in ("user.0", "user.1")] == [1, 1]


def test_a_member_that_left_gets_a_multicast_at_its_new_station() -> None:
    both = Downlink(["user.0", "user.1"], "summary", "", "kb", 44, KbSummary([], 1))
    steps = [attach(0, "user.0", "bs.0", 1), attach(20, "user.0", "bs.1", 2, "bs.0")]
    others, _, records = play(user0=steps, user1=[attach(0, "user.1", "bs.0", 1)], edge0=[(60, "bs.0", both)])
    assert [message.bs for message in others["user.0"].of(Arrived)] == ["bs.1"]
    assert [message.bs for message in others["user.1"].of(Arrived)] == ["bs.0"]
    assert [record.users for record in records if record.purpose == "kb"] == [["user.1"], ["user.0"]]


def test_a_picture_for_somebody_unknown_fails_once() -> None:
    lost = Downlink(["user.1"], "x", "user.0/0", "features", 40, Settlement("user.1", 0.0))
    others, _, _ = play(user0=[attach(0, "user.0", "bs.0", 1)], edge0=[(10, "bs.0", lost)])
    assert [failure.request for failure in others["edge.0"].of(Failure)] == ["user.0/0"]


def test_a_fixed_scheme_carries_all_that_waits_whatever_the_snr() -> None:
    radio = RadioSettings(model="awgn", fixed_snr_db=25.0, fixed_mcs="16QAM 0.48")
    chosen = run(msgspec.structs.replace(two_users(), radio=RadioSettings(model="awgn", fixed_snr_db=25.0))).of(AirRecord)
    fixed = run(msgspec.structs.replace(two_users(), radio=radio)).of(AirRecord)
    queued = ("prompt", "feedback", "kb", "csi")
    assert {air.scheme for air in fixed if air.purpose in queued} - {"pilots"} == {"16QAM 0.48"}
    assert "64QAM 0.85" in {air.scheme for air in chosen if air.purpose in queued}
