"""An adversary on the wires of a whole network: what it does, what harm it does, and that signatures let none of it through."""

from collections import Counter
from functools import cache

import msgspec
import pytest
from semcast.agents.accounting import COUNTER_BITS
from semcast.agents.adversary import ATTACKS, MOST_REMEMBERED
from semcast.agents.falsifying import crafted, falsified
from semcast.agents.knowledge.items import SUBJECT
from semcast.agents.prompt_codec import decode
from semcast.agents.settings import AdversarySettings, NetworkSettings, RadioSettings, SecuritySettings, tapped
from semcast.agents.signatures import FALSE, STALE, TAG_BYTES, TOO_FAST, UNKNOWN, sign
from semcast.bus.messages import Arrived, BranchReady, Delta, Failure, Forwarded, GenerateOrder, Knowledge, Prompt, Share, Uplink
from semcast.bus.records import AirRecord, Attack, Capture, Shown, Verdict
from semcast.bus.signed import Refusal, Signable
from semcast.scenarios.metrics.attacks import KINDS, Detection, detection

from .networks import Run, run, town

WIRES = ("bs.0", "bs.1", "bs.2")
ALL = AdversarySettings(WIRES, tamper=0.3, replay_hz=2.0, flood_hz=0.3, flood_size=5, forge_hz=1.0)
SIGNED = SecuritySettings(signatures=True)
SIGNATURE = 8 * TAG_BYTES + COUNTER_BITS


def settings(security: SecuritySettings, adversary: AdversarySettings) -> NetworkSettings:
    plain = town()
    return town(latency_ms=tapped(plain.latency_ms), security=security, adversary=adversary)


@cache
def attacked(security: SecuritySettings = SIGNED, adversary: AdversarySettings = ALL, workers: int = 1) -> Run:
    return run(settings(security, adversary), workers)


def found(result: Run) -> Detection:
    return detection(result.of(Attack), result.of(Verdict))


def assert_every_request_ends_once(result: Run) -> None:
    captured = {capture.request for capture in result.of(Capture)}
    ends = Counter(end.request for end in [*result.of(Shown), *result.of(Failure)] if end.request in captured)
    assert captured and captured == set(ends) and set(ends.values()) == {1}


@pytest.mark.parametrize("security", [SIGNED, SecuritySettings(), SecuritySettings(rate_hz=2.0)])
def test_every_request_ends_once_whoever_disturbs(security: SecuritySettings) -> None:
    assert_every_request_ends_once(attacked(security))


def test_what_the_air_loses_of_asking_again_ends_as_well() -> None:
    """Air that loses a good part of the requests to send again, and of what is sent again: then the cloud gives up, once."""
    network = msgspec.structs.replace(
        settings(SIGNED, AdversarySettings(WIRES, tamper=0.6, replay_hz=3.0)),
        radio=RadioSettings(model="awgn", fixed_snr_db=-6.0, max_attempts=2),
    )
    result = run(network)
    lost = {(air.purpose, air.delivered) for air in result.of(AirRecord) if air.purpose in ("refusal", "resend")}
    assert {("refusal", False), ("resend", False), ("resend", True)} <= lost
    assert_every_request_ends_once(result)
    assert "prompt refused: nothing better came" in {failure.reason for failure in result.of(Failure)}


@pytest.mark.parametrize("security", [SIGNED, SecuritySettings()])
def test_the_digest_does_not_depend_on_the_number_of_workers(security: SecuritySettings) -> None:
    assert attacked(security, ALL, 2).digest == attacked(security).digest


def test_options_that_are_off_change_nothing() -> None:
    """Not even a wire with room for an adversary."""
    assert run(settings(SecuritySettings(), AdversarySettings())).digest == run(town()).digest


def test_an_adversary_that_does_nothing_changes_no_picture() -> None:
    quiet = attacked(SecuritySettings(), AdversarySettings(WIRES))
    assert {s.request: s.picture for s in quiet.of(Shown)} == {s.request: s.picture for s in run(town()).of(Shown)}
    assert not quiet.of(Attack) and not [v for v in quiet.of(Verdict) if v.reason]


def test_the_adversary_and_all_that_passes_it_is_on_the_bus() -> None:
    result = attacked()
    through = [e for e in result.sent(Forwarded) if e.source.startswith("bs.")]
    assert through and all(e.destination == f"adversary.{e.source.partition('.')[2]}" for e in through)
    assert {e.destination for e in result.sent(Arrived)} <= {user.id for user in town().users}
    assert all(private and e.source == e.destination for e, private in result.records if isinstance(e.payload, Attack))


@pytest.mark.parametrize("attack", ATTACKS)
def test_signatures_let_no_attack_through_and_stop_nothing_else(attack: str) -> None:
    rate = found(attacked()).detected[attack]
    assert rate.trials > 5 and rate.hits == rate.trials
    assert found(attacked()).false_alarms.hits == 0 < found(attacked()).false_alarms.trials
    assert ATTACKS == KINDS


def test_a_refusal_names_its_reason() -> None:
    kinds = {attack.mark: attack.attack for attack in attacked().of(Attack)}
    reasons = {(kinds[v.mark], v.reason) for v in attacked().of(Verdict) if v.reason}
    assert reasons == {("tamper", FALSE), ("flood", FALSE), ("forge", FALSE), ("replay", STALE)}


def test_without_signatures_every_attack_passes_and_strangers_pictures_are_shown() -> None:
    result = attacked(SecuritySettings())
    assert found(result).all.hits == 0 < found(result).all.trials
    captured = {capture.request for capture in result.of(Capture)}
    forged = {attack.request for attack in result.of(Attack)} - captured
    shown = {each.request for each in result.of(Shown)} - captured
    assert shown and shown <= forged


def test_a_changed_prompt_makes_another_picture_and_a_refused_one_is_sent_again() -> None:
    only = AdversarySettings(WIRES, tamper=0.3)
    harmed, mended, free = attacked(SecuritySettings(), only), attacked(SIGNED, only), run(town())
    shown = {s.request: s.picture for s in free.of(Shown)}
    changed = {a.request for a in harmed.of(Attack) if a.message == "prompt"}
    now = {s.request: s.picture for s in harmed.of(Shown)}
    assert changed and all(now[request] != shown[request] for request in changed & set(now) & set(shown))
    asked = {arrived.request for arrived in mended.of(Arrived) if isinstance(arrived.body, Refusal)}
    again = [up for up in mended.of(Uplink) if up.label.endswith(":again")]
    assert asked and again and {up.request for up in again if up.request} <= asked
    assert len({s.request for s in mended.of(Shown)} & asked) > 0.8 * len(asked - {""})


def test_a_refused_adapter_is_sent_again() -> None:
    """So that owners know their branches in the end; where nobody checks, they believe in false ones."""
    only = AdversarySettings(WIRES, tamper=0.5)
    for security, trusted in ((SIGNED, True), (SecuritySettings(), False)):
        result = attacked(security, only)
        cloud = result.agents["cloud.0"].state
        changed = [attack for attack in result.of(Attack) if attack.message == "branch_ready"]
        own = [(name, result.agents[each.user].state.kb.get(SUBJECT, name)) for name, each in cloud.subjects.items()]
        right = [item.data == cloud.kb.get(SUBJECT, name).data for name, item in own if item.provenance == "branch"]
        assert changed and right and all(right) == trusted
        assert any(isinstance(up.body, Refusal) for up in result.of(Uplink)) == trusted


def test_who_is_refused_too_often_fails_once() -> None:
    hopeless = attacked(SecuritySettings(signatures=True, resend=1), AdversarySettings(WIRES, tamper=1.0))
    assert_every_request_ends_once(hopeless)
    assert not hopeless.of(Shown) and not hopeless.agents["cloud.0"].state.orders
    reasons = {failure.reason for failure in hopeless.of(Failure)}
    assert "prompt refused: bad signature" in reasons and all("lost" in r or "refused" in r for r in reasons)
    tries = Counter(up.request for up in hopeless.of(Uplink) if isinstance(up.body, Prompt))
    assert max(tries.values()) == 2


def test_a_limit_of_rate_alone_stops_floods_and_their_victims_too() -> None:
    limited = found(attacked(SecuritySettings(rate_hz=1.0), AdversarySettings(WIRES, flood_hz=1.0, flood_size=20)))
    assert 0 < limited.detected["flood"].hits < limited.detected["flood"].trials
    assert limited.false_alarms.hits > 0 and set(limited.reasons) == {TOO_FAST}
    both = found(attacked(SecuritySettings(signatures=True, rate_hz=5.0), AdversarySettings(WIRES, flood_hz=1.0, flood_size=20)))
    assert both.detected["flood"].hits == both.detected["flood"].trials and both.false_alarms.hits == 0


def test_signatures_are_charged_wherever_they_cross_the_air() -> None:
    result = attacked()
    assert all(up.body.signature and up.payload_bits > SIGNATURE for up in result.of(Uplink) if isinstance(up.body, Signable))
    assert all(
        0 <= 8 * len(up.body.data) - (up.payload_bits - SIGNATURE - 4) < 8
        for up in result.of(Uplink)
        if isinstance(up.body, Prompt)
    )
    for record in result.of(AirRecord):
        signed = record.purpose in ("prompt", "resend", "refusal")
        assert record.signature_bits == SIGNATURE if signed else record.signature_bits in (0, SIGNATURE)
        assert record.signature_bits < record.payload_bits or not record.payload_bits
    assert not any(record.signature_bits for record in attacked(SecuritySettings()).of(AirRecord))


def test_signatures_take_their_time_on_the_backhaul() -> None:
    latency_ns = 5_000_000
    for security, extra_ns in ((SIGNED, SIGNATURE), (SecuritySettings(), 0)):  # at 1 Gbit/s a bit takes 1 ns
        orders = attacked(security, AdversarySettings(WIRES)).sent(GenerateOrder)
        assert orders and {e.t_deliver - e.t_send for e in orders} == {latency_ns + extra_ns}


class Records:
    """As much of a context as it takes to look at a message."""

    now, seed = 0, 5

    def __init__(self) -> None:
        self.kept: list[Verdict] = []

    def record(self, payload: Verdict, private: bool = False) -> None:
        self.kept.append(payload)


def test_nobody_speaks_for_others_even_under_a_signature_of_its_own() -> None:
    cloud = attacked().agents["cloud.0"]
    for body in (Prompt("user.1/1", "user.0", 0, [], b""), Share("user.1", [], 0.0), Knowledge("user.1", [])):
        assert cloud.distrust(sign(body, 10**6, "user.2", 5), "user.2", "", Records()) == FALSE
    assert cloud.distrust(sign(Share("user.2", [], 0.0), 10**6, "user.2", 5), "user.2", "", Records()) == ""


def test_an_unknown_sender_is_refused_with_and_without_signatures() -> None:
    for security in (SIGNED, SecuritySettings()):
        cloud, ctx = attacked(security).agents["cloud.0"], Records()
        prompt = Prompt("user.ghost/1", "user.0", 0, [], b"")
        assert cloud.distrust(prompt, "user.ghost", prompt.request, ctx) == UNKNOWN
        assert [verdict.reason for verdict in ctx.kept] == [UNKNOWN]
        assert "user.ghost" not in cloud.state.senders


def test_what_it_makes_can_be_read_and_says_something_else() -> None:
    data, parts = crafted(3, 70_000, 1, "here")
    content = decode(data)
    assert (content.recipient, content.time_ms, list(content.parts)) == (3, 70_000 % 2**16, parts)
    assert content.boxes and content.caption and crafted(3, 70_000, 1, "here")[0] == data != crafted(3, 70_000, 1, "there")[0]
    prompts = [up.body for up in attacked().of(Uplink) if isinstance(up.body, Prompt)]
    for prompt in prompts[:20]:
        other = falsified(prompt, 1, "key")
        told, false = decode(prompt.data), decode(other.data)
        assert (false.number, false.recipient, false.time_ms, false.task) == (
            told.number,
            told.recipient,
            told.time_ms,
            told.task,
        )
        assert other.signature == prompt.signature and other.data != prompt.data
    vector = b"\0\0\x80?\0\0\0@"
    turned = b"\0\0\x80\xbf\0\0\0\xc0"
    assert falsified(BranchReady("u", "s", vector), 1).identifier == turned
    assert falsified(Delta(1, {"s": vector}), 1).identifiers == {"s": turned}
    shares = [up.body for up in attacked().of(Uplink) if isinstance(up.body, Share | Knowledge) and up.body.items]
    assert shares and not any(item.pictures for item in falsified(shares[0], 1).items)
    assert falsified(Prompt("r", "u", 0, [], b"\xff"), 1).data == b"\xff"


def test_states_survive_serialisation_and_stay_bounded() -> None:
    for agent in attacked().agents.values():
        raw = msgspec.msgpack.encode(agent.state)
        assert msgspec.msgpack.decode(raw, type=type(agent.state)) == agent.state
        if agent.id.startswith("adversary."):
            assert 0 < len(agent.state.remembered) <= MOST_REMEMBERED
