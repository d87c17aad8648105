"""Whole networks in memory: one digest, every request ends once, nothing is free, nothing private leaks, nobody gets lost."""

import math
from collections import Counter
from functools import cache, lru_cache

import msgspec
import pytest
from semcast.agents.knowledge import fold
from semcast.agents.knowledge.items import CLOUD, OWN, SUBJECT
from semcast.agents.models.roles import REFERENCE_SIDE, Denoised
from semcast.agents.settings import KnowledgeSettings, NetworkSettings, RadioSettings, UserSettings
from semcast.bus.channel.mcs import MCS_TABLE
from semcast.bus.messages import (
    Arrived,
    Attach,
    BranchReady,
    CodecRequest,
    Content,
    Delta,
    Downlink,
    Failure,
    Feedback,
    Forwarded,
    JsccPicture,
    Knowledge,
    Prompt,
    Satisfaction,
    Share,
    Uplink,
)
from semcast.bus.records import AirRecord, Capture, Decision, KbRecord, Shown
from semcast.policies.registry import resolve

from .networks import CODEC, Run, run, town, two_users
from .simple_models import ADAPTER


@cache
def two() -> Run:
    return run(two_users())


@cache
def whole_town(workers: int = 1) -> Run:
    return run(town(), workers)


def assert_every_request_ends_once(result: Run) -> None:
    started = Counter(capture.request for capture in result.of(Capture))
    ended = Counter(end.request for end in [*result.of(Shown), *result.of(Failure)])
    assert started
    assert started == ended


@pytest.mark.parametrize("workers", [2, 4])
def test_digest_is_the_same_for_any_number_of_workers(workers: int) -> None:
    assert whole_town(workers).digest == whole_town().digest


def test_another_seed_is_another_run() -> None:
    assert run(two_users(seed=6)).digest != two().digest


@pytest.mark.parametrize("result", [two, whole_town])
def test_every_request_ends_once(result: "lru_cache[Run]") -> None:  # type: ignore[type-arg]
    assert_every_request_ends_once(result())


@pytest.mark.parametrize(
    "settings",
    [
        two_users(scheme="semcom"),
        two_users(radio=RadioSettings(fixed_snr_db=-6.0)),
        two_users(radio=RadioSettings(model="awgn", fixed_snr_db=4.0, perfect_csi=True)),
        two_users(radio=RadioSettings(csi_delay_s=0.05)),
        two_users(users=(UserSettings("user.0"),)),
    ],
    ids=["semcom", "bad channel", "awgn", "delayed CSI", "alone"],
)
def test_other_networks_end_as_well(settings: NetworkSettings) -> None:
    assert_every_request_ends_once(run(settings))


def test_receivers_denoise_before_they_decode_where_that_is_set_and_chosen() -> None:
    """The same pictures are shown, somewhat later: the call is charged to the receiver's processor, the choice to the air."""
    always = (resolve("encoder", "argmax-quality:denoise_below_db=99"),)
    plain, denoised = two(), run(two_users(denoise=True, policies=always))
    assert_every_request_ends_once(denoised)
    assert not plain.of(Denoised)
    assert len(denoised.of(Denoised)) == len(denoised.of(Shown)) == len(plain.of(Shown))
    later = [b.latency_ns - a.latency_ns for a, b in zip(plain.of(Shown), denoised.of(Shown), strict=True)]
    assert min(later) >= 10**8 / two_users().compute.user_flops * 1e9
    bits = [{air.payload_bits for air in result.of(AirRecord) if air.purpose == "features"} for result in (plain, denoised)]
    assert bits[1] == {each + 1 for each in bits[0]}
    good = run(two_users(denoise=True))
    assert good.of(Shown) and not good.of(Denoised)  # at 20 dB and more the policy lets it be


def test_a_channel_without_hope_fails_every_request() -> None:
    result = run(two_users(radio=RadioSettings(model="awgn", fixed_snr_db=-25.0)))
    assert_every_request_ends_once(result)
    assert not result.of(Shown)


def test_air_records_add_up() -> None:
    bits_per_symbol = {mcs.name: mcs.bits_per_symbol for mcs in MCS_TABLE}
    for record in whole_town().of(AirRecord):
        coded_symbols = record.complex_symbols - record.jscc_symbols - record.pilot_symbols - record.feedback_symbols
        assert coded_symbols >= 0
        assert record.air_ns * 1e-9 * RadioSettings().bandwidth_hz == pytest.approx(record.complex_symbols, abs=2)
        if record.scheme in bits_per_symbol:
            assert record.coded_bits == coded_symbols * bits_per_symbol[record.scheme]
            assert record.payload_bits <= record.coded_bits
            assert record.jscc_symbols == 0
        elif record.scheme != "pilots":
            assert record.scheme.startswith("jscc:")
            assert record.jscc_symbols in (512, 1024)
            assert 0 < record.payload_bits < record.coded_bits


def test_every_transfer_has_one_air_record_and_the_air_is_used_by_one_at_a_time() -> None:
    result = two()
    queued = sum(agent.state.transfers for name, agent in result.agents.items() if name.startswith("bs."))
    records = [
        e for e in result.sent(AirRecord) if e.payload.purpose not in ("installation", "control") and e.payload.scheme != "pilots"
    ]
    assert queued == len(records)
    ends: dict[tuple[str, str], int] = {}
    for envelope in records:
        side = (envelope.source, envelope.payload.direction)
        assert envelope.t_send >= ends.get(side, 0)
        ends[side] = envelope.t_send + envelope.payload.air_ns


def test_whatever_comes_out_of_the_air_was_paid_for() -> None:
    result = whole_town()
    paid = Counter((r.direction, r.purpose, r.request) for r in result.of(AirRecord) if r.delivered and r.purpose != "control")
    ups = Counter(("up", purpose_of(f.body), f.request) for f in result.of(Forwarded) if f.bs.startswith("bs."))
    for (direction, purpose, request), number in ups.items():
        if purpose == "prompt":
            assert paid[direction, purpose, request] == number == 1
    arrivals = [(e.destination, e.payload) for e, _ in result.records if isinstance(e.payload, Arrived)]
    carried = {(u, r.request) for r in result.of(AirRecord) if r.direction == "down" and r.delivered for u in r.users}
    pictures = Counter(a.request for _, a in arrivals if isinstance(a.body, JsccPicture))
    assert pictures and all(paid["down", "features", request] == number for request, number in pictures.items())
    assert all((user, a.request) in carried for user, a in arrivals if a.request)
    assert all(r.complex_symbols > 0 for r in result.of(AirRecord))


def purpose_of(body: object) -> str:
    return "prompt" if isinstance(body, Prompt) else ""


def test_a_prompt_is_charged_what_its_code_takes() -> None:
    for uplink in two().of(Uplink):
        if isinstance(uplink.body, Prompt):
            assert 0 <= 8 * len(uplink.body.data) - (uplink.payload_bits - 4) < 8


def test_no_picture_and_no_truth_leaves_its_user_except_as_the_scheme_says() -> None:
    result = two()
    pictures = [capture.picture for capture in result.of(Capture)] + [shown.picture for shown in result.of(Shown)]
    open_records = [CODEC.encode(envelope) for envelope, private in result.records if not private]
    assert not any(picture in raw for picture in pictures for raw in open_records)
    private = {Capture, Shown, KbRecord}
    assert all(kept for envelope, kept in result.records if type(envelope.payload) in private)
    assert all(envelope.source == envelope.destination for envelope, kept in result.records if kept)


def test_who_declines_keeps_its_subject_to_itself() -> None:
    result = run(two_users(knowledge=KnowledgeSettings(privacy_cost=(90.0, 99.0))))
    assert all(share.items == [] for up in result.of(Uplink) if isinstance(share := up.body, Share))
    assert result.agents["cloud.0"].state.kb.of_kind(SUBJECT) == []
    for user in ("user.0", "user.1"):
        assert [item.sharing for item in result.agents[user].state.kb.of_kind(SUBJECT)] == [OWN]
    open_records = [CODEC.encode(envelope) for envelope, private in result.records if not private]
    assert not any(b"mia/dog" in raw or b"mia's" in raw for raw in open_records)


def test_who_shares_gets_a_branch_and_is_paid_within_the_budget() -> None:
    result = two()
    cloud, owner = result.agents["cloud.0"].state, result.agents["user.0"].state
    branch, own = cloud.kb.get(SUBJECT, "mia/dog"), owner.kb.get(SUBJECT, "mia/dog")
    assert branch.data and own.data == branch.data
    assert own.sharing == CLOUD
    assert "mia/dog" in owner.known
    credits = math.fsum(result.agents[user].state.credits for user in ("user.0", "user.1"))
    assert 0 < credits <= KnowledgeSettings().budget


def test_the_cloud_draws_with_what_the_branch_holds_and_only_its_owner_pays_for_the_download() -> None:
    pictures = {}
    traffic = msgspec.structs.replace(two_users().traffic, subject_share=1.0, rate_hz=2.0, duration_s=10.0, objects=(1, 2))
    for branch in ("identifier", "reference", "adapter"):
        knowledge = KnowledgeSettings(privacy_cost=(0.1, 0.5), branch=branch)
        result = run(two_users(traffic=traffic, knowledge=knowledge, policies=(resolve("incentive", "posted:overbook=1"),)))
        kept = result.agents["cloud.0"].state.subjects["mia/dog"]
        assert bool(kept.reference) == (branch != "identifier") and kept.adapter == (ADAPTER if branch == "adapter" else b"")
        owner = kept.user
        ready = [down for down in result.of(Downlink) if isinstance(down.body, BranchReady) and down.body.subject == "mia/dog"]
        assert {down.body.adapter_bits for down in ready} == {8 * len(kept.adapter)}
        assert all(down.users == [owner] and down.payload_bits > down.body.adapter_bits for down in ready)
        pictures[branch] = {content.request: content.picture for content in result.of(Content)}
    shared = sorted(set.intersection(*(set(found) for found in pictures.values())))
    assert shared
    assert any(len({pictures[branch][request] for branch in pictures}) == 3 for request in shared)


def test_stage_three_brings_satisfaction_to_the_cloud() -> None:
    result = whole_town()
    synced = Counter(request for message in result.of(Satisfaction) for request, _ in message.entries)
    shown = {shown.request for shown in result.of(Shown)}
    failed = {failure.request for failure in result.of(Failure)}
    assert set(synced.values()) == {1}
    assert failed <= set(synced)
    assert len(shown & set(synced)) > 0.9 * len(shown)
    told = [up.body for up in result.of(Uplink) if isinstance(up.body, Feedback)]
    assert all(0 <= feedback.satisfaction <= feedback.quality <= 1 for feedback in told)


def test_who_was_not_accepted_learns_its_subject_alone_and_tells_it_when_it_matters() -> None:
    traffic = msgspec.structs.replace(two_users().traffic, subject_share=1.0, rate_hz=2.0, objects=(1, 2))
    result = run(two_users(traffic=traffic, knowledge=KnowledgeSettings(privacy_cost=(0.1, 0.5), budget=5.0)))
    sent = [up.body for up in result.of(Uplink) if isinstance(up.body, Knowledge)]
    told = [knowledge for knowledge in sent if knowledge.items[0].vector]  # the others are further pictures of the accepted one
    assert told
    item = told[0].items[0]
    known = result.agents["cloud.0"].state.kb.get(SUBJECT, item.name)
    assert item.name not in result.agents[told[0].user].state.known
    assert (known.data, known.provenance) == (item.vector, told[0].user)
    assert len(result.agents["cloud.0"].state.subjects[item.name].reference) == 3 * REFERENCE_SIDE**2
    assert len(item.pictures[0]) < 600


def test_further_pictures_refine_a_branch() -> None:
    traffic = msgspec.structs.replace(two_users().traffic, subject_share=1.0, rate_hz=2.0, duration_s=10.0, objects=(1, 2))
    result = run(two_users(traffic=traffic, policies=(resolve("incentive", "posted:overbook=1"),)))
    deltas = [down.body for down in result.of(Downlink) if isinstance(down.body, Delta)]
    assert deltas
    name = next(iter(deltas[-1].identifiers))
    assert result.agents["cloud.0"].state.kb.get(SUBJECT, name).version > 1
    owner = next(user for user in ("user.0", "user.1") if result.agents[user].state.kb.get(SUBJECT, name))
    last = next(delta for delta in reversed(deltas) if name in delta.identifiers)
    assert result.agents[owner].state.kb.get(SUBJECT, name).data == last.identifiers[name]


def test_handover_happens_and_loses_nothing() -> None:
    result = whole_town()
    assert any(attach.previous for attach in result.of(Attach))
    for name, agent in result.agents.items():
        if name.startswith("bs."):
            assert not agent.state.up.queue and not agent.state.down.queue
        if name.startswith("user."):
            assert not agent.state.sending and not agent.state.receiving
            assert name in result.agents[agent.state.bs].state.epochs
        if name.startswith("edge."):
            assert not agent.state.deliveries and not agent.state.incoming and not agent.state.fetching
    assert not result.agents["cloud.0"].state.orders


def test_an_edge_with_little_room_evicts_and_fetches() -> None:
    bits = max(next(iter(two().agents.values())).around.codec_bits.values())
    result = run(two_users(knowledge=KnowledgeSettings(privacy_cost=(0.1, 0.5), edge_storage_bits=bits)))
    edge = result.agents["edge.0"].state
    assert result.of(CodecRequest)
    assert any(record.removed for record in result.of(KbRecord) if record.name.startswith("codec:"))
    assert edge.store.used_bits <= bits
    evictions = [decision for decision in result.of(Decision) if decision.verb == "evict"]
    assert evictions and {decision.policy for decision in evictions} == {"lru"}
    assert [item.name for item in edge.kb.of_kind("network")] == [f"codec:{codec}" for codec in edge.store.held]
    assert_every_request_ends_once(result)


def test_adaptive_codecs_are_stored_and_distributed_as_one() -> None:
    fixed = (resolve("encoder", "fixed:codec=adaptive-cbr12"),)
    result = run(two_users(codecs="adaptive", policies=fixed))
    around = next(iter(result.agents.values())).around
    codec = around.library.codec("adaptive-cbr12")
    assert around.decoder_bits == {"adaptive": codec.decoder_bits}
    held = result.agents["edge.0"].state.store.held
    assert [(name, each.bits) for name, each in held.items()] == [("adaptive", codec.encoder_bits + codec.decoder_bits)]
    assert result.agents["user.0"].state.decoders == ["adaptive"]
    shown = result.of(Shown)
    assert shown and {record.codec for record in shown} == {"adaptive-cbr12"}
    assert_every_request_ends_once(result)


def test_every_kb_is_the_fold_of_its_records() -> None:
    for result in (two(), whole_town()):
        for name, agent in result.agents.items():
            records = [e.payload for e in result.sent(KbRecord) if e.source == name]
            assert fold(records) == agent.state.kb
    history = two_users().knowledge.history_items
    assert all(len(agent.state.kb.of_kind("history")) <= history for agent in whole_town().agents.values())


def test_states_survive_serialisation() -> None:
    for agent in whole_town().agents.values():
        raw = msgspec.msgpack.encode(agent.state)
        assert msgspec.msgpack.decode(raw, type=type(agent.state)) == agent.state


def test_receivers_and_servers_are_told_only_what_the_sender_extracted() -> None:
    result = two()
    captures = {capture.request: capture for capture in result.of(Capture)}
    contents = {content.request: content for content in result.of(Content)}
    assert set(captures) == set(contents)
    assert all(contents[r].picture != captures[r].picture for r in captures)


def test_decisions_of_users_are_private_and_those_of_the_network_are_not() -> None:
    for envelope, private in whole_town().records:
        if isinstance(envelope.payload, Decision):
            assert private == envelope.source.startswith("user.")
