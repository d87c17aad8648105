"""Scheme aigc-scm: one multicast prompt, personal results; what is shared is charged once, and everybody's end is told once."""

import asyncio
from collections import Counter
from functools import cache

import msgspec
import pytest
from semcast.agents.base import make_agents, make_world
from semcast.agents.knowledge import fold
from semcast.agents.knowledge.items import SUBJECT
from semcast.agents.models.roles import Arguments
from semcast.agents.prompt_codec import BOXES, CAPTION, decode
from semcast.agents.settings import (
    AigcSettings,
    DeviceSettings,
    NetworkSettings,
    RadioSettings,
    SecuritySettings,
    TrafficSettings,
    UserSettings,
)
from semcast.bus import snapshot
from semcast.bus.chain_log import run_digest
from semcast.bus.content_messages import GroupPrompt
from semcast.bus.engine import Worker
from semcast.bus.envelope import Codec
from semcast.bus.exchange.memory import Hub, MemoryExchange
from semcast.bus.messages import Arrived, Attach, Downlink, Failure, Knowledge, Uplink
from semcast.bus.records import AirRecord, Capture, KbRecord, Shown

from .networks import CODEC, Run, run, town, two_users
from .simple_models import models

TRAFFIC = TrafficSettings(
    duration_s=6.0, start_s=2.0, rate_hz=1.0, feedback_sync_s=2.0, recipients=2, senders=("user.a",), subject_share=1.0
)


def three(variant: str = "ha", **changes: object) -> NetworkSettings:
    """User a with a dog of her own sends to b and c; c alone is to hear of the dog."""
    users = (UserSettings("user.a", ("mia/dog",)), UserSettings("user.b"), UserSettings("user.c"))
    aigc = AigcSettings(variant, ("user.c",))  # type: ignore[arg-type]
    return two_users(**({"scheme": "aigc-scm", "users": users, "traffic": TRAFFIC, "aigc": aigc} | changes))


@cache
def of(variant: str) -> Run:
    return run(three(variant))


@cache
def crowd(workers: int = 1) -> Run:
    """Eight fast users in three cells, pictures to three each."""
    traffic = msgspec.structs.replace(town().traffic, recipients=3)
    return run(town(scheme="aigc-scm", traffic=traffic), workers)


def assert_everybody_hears_the_end_once(result: Run) -> None:
    begun = Counter((each.request, user) for each in result.of(Capture) for user in (each.recipient, *each.further))
    ended = Counter((each.payload.request, each.source) for each in result.sent(Shown))
    ended += Counter((each.request, each.receiver) for each in result.of(Failure))
    assert begun and begun == ended


def shown(result: Run) -> dict[tuple[str, str], bytes]:
    return {(each.payload.request, each.source): each.payload.picture for each in result.sent(Shown)}


@pytest.mark.parametrize("workers", [2, 4])
def test_digest_is_the_same_for_any_number_of_workers(workers: int) -> None:
    assert crowd(workers).digest == crowd().digest


def test_everybody_hears_the_end_once_although_users_move() -> None:
    assert any(attach.previous for attach in crowd().of(Attach))
    assert_everybody_hears_the_end_once(crowd())
    assert all(len({each.recipient, *each.further}) == 3 for each in crowd().of(Capture))


def test_a_prompt_goes_up_once_and_down_once_a_cell() -> None:
    result = crowd()
    airs: dict[str, list[AirRecord]] = {}
    for air in result.of(AirRecord):
        if air.purpose == "prompt":
            airs.setdefault(air.request, []).append(air)
    groups = {each.request: sorted((each.recipient, *each.further)) for each in result.of(Capture)}
    assert any(len(air.users) > 1 for each in airs.values() for air in each)
    for request, some in airs.items():
        assert [air.direction for air in some].count("up") == 1
        assert sorted(user for air in some if air.direction == "down" for user in air.users) == groups[request]


def test_receivers_generate_on_their_own_devices() -> None:
    calls = [each for each, _ in of("ha").records if each.origin == "activity" and each.in_reply_to.startswith("generator:")]
    assert {each.source for each in calls} == {"user.b", "user.c"}
    assert all(each.t_deliver - each.t_send >= 10**11 / 2e11 * 1e9 * 0.99 for each in calls)


def test_with_history_alone_the_informed_see_the_subject_as_it_is() -> None:
    plain, personal = shown(of("na")), shown(of("ha"))
    requests = {request for request, _ in plain}
    assert len(requests) > 2
    assert all(plain[request, "user.b"] == plain[request, "user.c"] == personal[request, "user.b"] for request in requests)
    prompts = [each.body for each in of("ha").of(Uplink) if isinstance(each.body, GroupPrompt)]
    naming = {prompt.request for prompt in prompts if 0 in decode(prompt.data).box_subjects}
    changed = {request for request in requests if personal[request, "user.c"] != plain[request, "user.c"]}
    assert changed == naming and naming


@pytest.mark.parametrize(("variant", "part", "named"), [("ni", CAPTION, False), ("na", BOXES, False), ("hi", CAPTION, True)])
def test_the_variant_fixes_the_prompt(variant: str, part: str, named: bool) -> None:
    prompts = [decode(each.body.data) for each in of(variant).of(Uplink) if isinstance(each.body, GroupPrompt)]
    assert prompts and all(prompt.parts == (part,) for prompt in prompts)
    assert any("mia's" in prompt.caption for prompt in prompts) == named
    assert all(number < 0 for prompt in prompts for number in prompt.box_subjects)


def test_places_and_identifiers_are_in_the_prompt_with_history() -> None:
    prompts = [decode(each.body.data) for each in of("ha").of(Uplink) if isinstance(each.body, GroupPrompt)]
    assert prompts and any(0 in prompt.box_subjects for prompt in prompts)


def test_identifiers_are_charged() -> None:
    bits = {
        variant: {each.request: each.payload_bits for each in of(variant).of(AirRecord) if each.purpose == "prompt"}
        for variant in ("na", "ha", "ni", "hi")
    }
    assert all(bits["ha"][request] in (each, each + 4) for request, each in bits["na"].items())
    assert sum(bits["ha"].values()) > sum(bits["na"].values()) and sum(bits["hi"].values()) > sum(bits["ni"].values())


def test_history_is_charged_and_reaches_the_informed_alone() -> None:
    for variant, wanted in (("na", False), ("ha", True)):
        result = of(variant)
        airs = [air for air in result.of(AirRecord) if air.purpose == "preparation"]
        assert [air.users for air in airs] == ([["user.a"], ["user.c"]] if wanted else [])
        assert all(air.payload_bits > 8 * 1000 for air in airs)
        holders = {each.source for each in result.sent(KbRecord) if each.payload.item_kind == SUBJECT and each.payload.data}
        assert holders == ({"user.a", "user.c"} if wanted else {"user.a"})
    assert not [each for each in of("na").of(Uplink) if isinstance(each.body, Knowledge)]
    heard = {each.destination for each in of("ha").sent(Arrived) if isinstance(each.payload.body, Knowledge)}
    assert heard == {"user.c"}


def test_a_trace_rebuilds_what_receivers_have_learned() -> None:
    result = of("ha")
    records = [each.payload for each in result.sent(KbRecord) if each.source == "user.c"]
    assert fold(records).items == result.agents["user.c"].state.kb.items


def test_nothing_else_is_sent_than_prompts_history_and_reports() -> None:
    kinds = {type(each.body).__name__ for each in of("ha").of(Downlink)}
    assert kinds == {"GroupPrompt", "Knowledge"}


def test_where_the_air_loses_everything_each_receiver_is_told_of_once() -> None:
    result = run(three(radio=RadioSettings(fixed_snr_db=-20.0)))
    assert not result.of(Shown)
    assert_everybody_hears_the_end_once(result)


def test_a_lost_multicast_fails_for_those_who_did_not_get_it() -> None:
    result = run(
        three(radio=RadioSettings(fixed_snr_db=-4.0, max_attempts=1), traffic=msgspec.structs.replace(TRAFFIC, rate_hz=4.0))
    )
    ends = {(each.payload.request, each.source) for each in result.sent(Shown)}
    lost = {(each.request, each.receiver) for each in result.of(Failure)}
    assert {request for request, _ in ends} & {request for request, _ in lost}, "no request ended in both ways"
    assert_everybody_hears_the_end_once(result)


def test_a_device_without_a_generator_says_so() -> None:
    users = (UserSettings("user.a", ("mia/dog",)), UserSettings("user.b", device="watch"), UserSettings("user.c"))
    result = run(three(users=users, devices=(DeviceSettings("watch", 1e9, 1e-11, generates=False),)))
    assert {each.reason for each in result.of(Failure)} == {"a watch has no generator"}
    assert {each.receiver for each in result.of(Failure)} == {"user.b"}
    assert_everybody_hears_the_end_once(result)


def test_signatures_hold_from_sender_to_receiver() -> None:
    result = run(three(security=SecuritySettings(signatures=True)))
    assert len(shown(result)) == 2 * len(result.of(Capture)) > 0
    plain = {each.request: each.payload_bits for each in of("ha").of(AirRecord) if each.purpose == "prompt"}
    signed = {each.request: each for each in result.of(AirRecord) if each.purpose == "prompt"}
    assert all(each.payload_bits == plain[request] + 8 * 68 for request, each in signed.items())


def test_one_receiver_is_the_plain_case() -> None:
    result = run(two_users(scheme="aigc-scm"))
    assert_everybody_hears_the_end_once(result)
    assert all(not each.further for each in result.of(Capture))
    assert all(len(each.users) == 1 for each in result.of(AirRecord) if each.purpose == "prompt")


def test_a_worker_made_anew_from_any_snapshot_ends_alike() -> None:
    settings = three()
    world, shots = make_world(settings, "test"), []

    def worker(**more: object) -> Worker:
        agents, exchange = make_agents(settings, list(world.ids)), MemoryExchange(Hub(1), 0)
        return Worker(world, agents, exchange, models=models(), codec=CODEC, **more)  # type: ignore[arg-type]

    first = worker(on_interval=lambda w: shots.append(snapshot.take(w)))
    assert run_digest(asyncio.run(first.run()).chains) == of("ha").digest
    assert len(shots) > 2
    for shot in shots:
        again = worker()
        snapshot.restore(again, shot, Codec(Arguments))
        assert run_digest(asyncio.run(again.run()).chains) == of("ha").digest
