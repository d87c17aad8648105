"""Texts and alarms through a whole network: who knows what, what is charged, how requests end."""

from typing import Any

import msgspec
import pytest
from semcast.agents.accounting import KIND_BITS, body_bits
from semcast.agents.settings import NetworkSettings, RadioSettings, SecuritySettings, TrafficSettings
from semcast.agents.texts import alarms, itinerary, prompt
from semcast.bus.content_messages import CodedText, Profile, TextContent, Watched, WordText
from semcast.bus.messages import Arrived, Downlink, Failure, GenerateOrder, Prompt, Uplink
from semcast.bus.records import AirRecord, Capture, Decision, Shown
from semcast.policies.registry import resolve
from semcast.scenarios.metrics import facts

from .networks import Run, run, two_users


def network(content: str = "text", parts: str = "all,share=true", snr_db: float | None = 25.0, **changes: Any) -> NetworkSettings:
    traffic = TrafficSettings(duration_s=6.0, start_s=2.0, rate_hz=1.0, feedback_sync_s=2.0, content=content)  # type: ignore[arg-type]
    radio = RadioSettings(model="awgn", fixed_snr_db=snr_db)
    policies = (resolve("prompt", f"fixed:parts={parts}"),)
    return two_users(**({"traffic": traffic, "radio": radio, "policies": policies, "calibrate": True} | changes))


@pytest.fixture(scope="module")
def known() -> Run:
    return run(network())


def by_request(found: Run, kind: type) -> dict[str, Any]:
    return {each.request: each for each in found.of(kind)}


def test_every_fact_arrives_over_a_good_link(known: Run) -> None:
    captures, shown = by_request(known, Capture), by_request(known, Shown)
    assert len(captures) >= 4 and captures.keys() == shown.keys()
    for request, capture in captures.items():
        assert facts.facts(shown[request].text) == set(capture.facts)
        assert shown[request].text != capture.text and shown[request].picture == b""


def test_preferences_are_told_once_and_charged_and_prompts_get_shorter(known: Run) -> None:
    profiles = [each for each in known.of(Uplink) if isinstance(each.body, Profile)]
    assert sorted(each.user for each in profiles) == ["user.0", "user.1"]
    assert all(each.payload_bits == KIND_BITS + 8 * len(each.body.data) and each.purpose == "kb" for each in profiles)
    stranger = run(network(parts="all"))
    bits = [
        sum(air.payload_bits for air in found.of(AirRecord) if air.purpose == "prompt" and air.direction == "up")
        for found in (known, stranger)
    ]
    assert bits[0] < bits[1]
    assert not [each for each in stranger.of(Uplink) if isinstance(each.body, Profile)]


def test_a_prompt_costs_what_its_bits_are_and_is_read_with_the_senders_knowledge_alone(known: Run) -> None:
    for uplink in (each for each in known.of(Uplink) if isinstance(each.body, Prompt)):
        likes = itinerary.preferences(5, uplink.user)
        assert uplink.payload_bits == KIND_BITS + prompt.encode(prompt.decode(uplink.body.data, likes), likes)[1]


def test_words_go_down_as_symbols_twelve_each(known: Run) -> None:
    down = [each for each in known.of(Downlink) if isinstance(each.body, WordText)]
    assert down
    for each in down:
        assert len(each.symbols) == 8 * 12 * each.body.words
        assert each.payload_bits == body_bits(each.body)
    airs = [air for air in known.of(AirRecord) if air.scheme == "words"]
    assert sorted(air.jscc_symbols for air in airs) == sorted(len(each.symbols) // 8 for each in down if each.users)


def test_fewer_parts_say_less_and_nothing_else() -> None:
    found = run(network(parts="keywords"))
    captures = by_request(found, Capture)
    for request, shown in by_request(found, Shown).items():
        said = facts.facts(shown.text)
        assert said < set(captures[request].facts)
        assert not [fact for fact in said if ".lunch" in fact or fact.startswith("stay")]
    choices = [each.choice["parts"] for each in found.of(Decision) if each.policy_kind == "prompt"]
    assert choices and all(tuple(parts) == ("keywords",) for parts in choices)


def test_traditional_brings_the_text_itself_both_ways_and_asks_no_policy() -> None:
    found = run(network(scheme="traditional"))
    captures, shown = by_request(found, Capture), by_request(found, Shown)
    assert captures and all(shown[request].text == capture.text for request, capture in captures.items())
    assert not found.of(GenerateOrder) and not [each for each in found.of(Decision) if each.policy_kind == "prompt"]
    ups = [each for each in found.of(Uplink) if isinstance(each.body, CodedText)]
    assert all(each.payload_bits == body_bits(each.body) > 8 * len(each.body.file) for each in ups)


def test_a_text_that_is_lost_ends_its_request_once() -> None:
    found = run(network(snr_db=-18.0))
    ended = [each.request for each in [*found.of(Failure), *found.of(Shown)]]
    failures = {each.request for each in found.of(Failure)}
    assert failures and set(by_request(found, Capture)) == set(ended)
    assert failures.isdisjoint(by_request(found, Shown))


def test_preferences_that_were_lost_are_asked_for_and_told_again() -> None:
    def deaf(agent: Any) -> None:
        """A cloud that does not hear the first profile of anybody."""
        if agent.id != "cloud.0":
            return
        heard: dict[str, bool] = {}
        whole = agent.got_profile

        def got_profile(profile: Profile, message: Any, ctx: Any) -> None:
            if heard.setdefault(profile.user, False):
                whole(profile, message, ctx)
            heard[profile.user] = True

        agent.got_profile = got_profile

    found = run(network(), change=deaf)
    told = [each.user for each in found.of(Uplink) if isinstance(each.body, Profile)]
    asked = [each for each in found.of(AirRecord) if each.purpose == "refusal"]
    assert sorted(told) == ["user.0", "user.0", "user.1", "user.1"] and len(asked) >= 2
    assert all(air.payload_bits > 0 for air in asked)
    captures, shown = by_request(found, Capture), by_request(found, Shown)
    lost = [request for request in captures if facts.facts(shown[request].text) != set(captures[request].facts)]
    assert {request.rpartition("/")[0] for request in lost} <= {"user.0", "user.1"} and len(lost) <= len(asked)
    last = {request.rpartition("/")[0]: request for request in captures}
    assert all(facts.facts(shown[request].text) == set(captures[request].facts) for request in last.values())


def test_nothing_of_the_truth_leaves_the_sender(known: Run) -> None:
    text = {capture.text for capture in known.of(Capture)}
    for envelope, private in known.records:
        if not private:
            raw = msgspec.msgpack.encode(envelope.payload)
            assert not any(each.encode() in raw for each in text)


def test_signed_texts_are_taken_and_cost_their_signatures() -> None:
    found = run(network(security=SecuritySettings(signatures=True)))
    assert by_request(found, Capture).keys() == by_request(found, Shown).keys()
    assert all(air.signature_bits > 0 for air in found.of(AirRecord) if air.purpose == "prompt" and air.direction == "up")


@pytest.mark.parametrize("content", ["text", "alarms"])
def test_the_digest_does_not_depend_on_the_number_of_workers(content: str) -> None:
    parts = "all,share=true" if content == "text" else "caption"
    assert run(network(content, parts)).digest == run(network(content, parts), workers=3).digest


def test_everybody_hears_what_the_others_watch_for_and_it_is_charged() -> None:
    found = run(network("alarms", "caption"))
    heard = {each.body.user for each in found.of(Arrived) if isinstance(each.body, Watched)}
    assert heard == {"user.0", "user.1"}
    for user in heard:
        other = next(each for each in sorted(heard) if each != user)
        item = found.agents[user].state.kb.get("task", other)
        assert item.data == alarms.encode(alarms.watched(5, other))
    assert sum(air.payload_bits for air in found.of(AirRecord) if air.purpose == "preparation") > 0


def test_an_alarm_is_what_the_extractor_found_and_all_clear_has_no_part() -> None:
    found = run(network("alarms", "caption"))
    captures, shown = by_request(found, Capture), by_request(found, Shown)
    assert captures and captures.keys() == shown.keys()
    told = {each.request: each.text for each in found.of(TextContent)}
    for uplink in (each for each in found.of(Uplink) if isinstance(each.body, Prompt)):
        text = shown[uplink.request].text
        assert text == told[uplink.request]
        assert alarms.is_alarm(text) == bool(uplink.body.parts)
        assert uplink.payload_bits < 200
