"""Rows of a request to a group: one for each receiver, and together they cost what the air and the processors took, no more."""

import math

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from semcast.agents.settings import AigcSettings, NetworkSettings, RadioSettings
from semcast.bus.records import AirRecord, Capture
from semcast.scenarios.metrics.group import COUNTS, portion, sharers
from semcast.scenarios.metrics.judging import Fidelity, Scores
from semcast.scenarios.metrics.reduce import row_of
from semcast.scenarios.metrics.row import FAILED, SHOWN, Row
from semcast.scenarios.metrics.story import collect

from ...agents.networks import Run, run, town

AIR = AirRecord("user.a/0", "prompt", "down", ["user.b"], 100, 300, 90, 0, 16, 2, 2, 5, 7, 10.0, True, "qpsk 1/2", 68)


def settings(**changes: object) -> NetworkSettings:
    """A town in which everybody sends to three others."""
    traffic = replace(town().traffic, recipients=3)
    return town(**({"scheme": "aigc-scm", "traffic": traffic, "aigc": AigcSettings("ha")} | changes))


def rows(result: Run, network: NetworkSettings) -> list[Row]:
    """Without a judge: it costs time, and nothing of what is tested here."""
    stories, _ = collect((envelope for envelope, _ in result.records), {})
    return [row_of(story, Scores(Fidelity(0.0, 0.0, 0.0)), network) for story in stories]


@given(st.integers(0, 10**6), st.integers(1, 16))
def test_portions_add_up_to_the_whole(count: int, number: int) -> None:
    air = replace(AIR, complex_symbols=count, attempts=count % 7)
    parts = [portion(air, rank, number) for rank in range(number)]
    for name in COUNTS:
        shares = [getattr(part, name) for part in parts]
        assert sum(shares) == getattr(air, name)
        assert max(shares) - min(shares) <= 1
    assert {(part.air_ns, part.queue_ns, part.snr_db) for part in parts} == {(air.air_ns, air.queue_ns, air.snr_db)}


def test_those_served_share_and_else_all() -> None:
    group = ("user.b", "user.c", "user.d")
    assert sharers(["user.c"], group) == ["user.c"]
    assert sharers(["user.d", "user.b"], group) == ["user.b", "user.d"]
    assert sharers(["user.a"], group) == list(group)


def test_rows_add_up_to_what_was_on_the_air_and_computed() -> None:
    network = settings()
    result = run(network)
    found = rows(result, network)
    groups = {each.request: (each.recipient, *each.further) for each in result.of(Capture)}
    assert [row.request for row in found] == [f"{request}>{user}" for request, group in groups.items() for user in group]
    assert [row.receiver for row in found] == [user for group in groups.values() for user in group]
    airs = [air for air in result.of(AirRecord) if air.request]
    assert sum(row.symbols_total for row in found) == sum(air.complex_symbols for air in airs)
    assert sum(row.payload_bits for row in found) == sum(air.payload_bits for air in airs)
    assert sum(row.prompt_bits for row in found) == sum(air.payload_bits for air in airs if air.purpose == "prompt")
    assert sum(row.coded_bits for row in found) == sum(air.coded_bits for air in airs)
    assert sum(row.attempts for row in found) == sum(air.attempts for air in airs)
    assert sum(row.transfers for row in found) == len(airs)
    assert all(row.symbols_up + row.symbols_down == row.symbols_total for row in found)
    assert all(row.header_bits == row.payload_bits - row.prompt_bits >= 0 for row in found)
    drawn = [each for each, _ in result.records if each.in_reply_to.startswith(("extractor:user", "generator:"))]
    assert math.isclose(math.fsum(row.flops for row in found), sum(1e9 if "ext" in each.in_reply_to else 1e11 for each in drawn))
    assert {row.status for row in found} == {SHOWN}


def test_each_waits_for_all_that_brought_its_picture() -> None:
    network = settings()
    for row in rows(run(network), network):
        parts = (row.extract_s, row.queue_s, row.air_s, row.backhaul_s, row.wait_s, row.generate_s)
        assert math.isclose(math.fsum(parts), row.latency_s, abs_tol=1e-9)
        assert row.wait_s > -1e-9 and row.generate_s >= 1e11 / 2e11
        assert (row.psnr_db, row.ssim) == (None, None)


def test_a_lost_prompt_is_a_row_a_receiver() -> None:
    network = settings(radio=RadioSettings(fixed_snr_db=-20.0))
    found = rows(run(network), network)
    assert found and {row.status for row in found} == {FAILED}
    assert len({row.request for row in found}) == len(found) and len(found) % 3 == 0
