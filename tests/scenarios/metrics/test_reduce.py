"""Trace -> rows -> results, against a run made by hand."""

import math
from pathlib import Path

import pytest
from semcast.bus.trace_reading import TraceReader
from semcast.scenarios.metrics.judging import Recovery, Scores, fidelity_of
from semcast.scenarios.metrics.quality import GREY, psnr_db
from semcast.scenarios.metrics.reduce import covered_ns, row_of
from semcast.scenarios.metrics.reduction import Reduction, reduce_stories
from semcast.scenarios.metrics.row import Row
from semcast.scenarios.metrics.story import collect
from semcast.scenarios.metrics.summary import results
from semcast.scenarios.metrics.table import read_rows, write_rows

from ..tale import GENERATED, RECEIVED, SENT, SETTINGS, events, write_tale

STAGES = ("extract_s", "queue_s", "air_s", "backhaul_s", "wait_s", "generate_s", "encode_s", "decode_s", "calibrate_s")


@pytest.fixture
def reduction() -> Reduction:
    stories, network = collect(events(), {})
    good, lost = (fidelity_of(story) for story in stories)
    scores = [Scores(good, Recovery(0.5, 0.5), Recovery(1.0, 0.5)), Scores(lost)]
    rows = [row_of(story, score, SETTINGS) for story, score in zip(stories, scores, strict=True)]
    return reduce_stories(stories, network, SETTINGS, rows)


def test_every_request_has_exactly_one_row(reduction: Reduction) -> None:
    assert [(row.request, row.status) for row in reduction.rows] == [("user.a/0", "ok"), ("user.a/1", "failed")]
    assert reduction.rows[1].reason == "prompt lost at bs.0"


def test_the_trace_file_gives_the_same_stories(tmp_path: Path) -> None:
    write_tale(tmp_path)
    from_file, _ = collect((record.envelope for record in TraceReader(tmp_path).records()), {})
    direct, _ = collect(events(), {})
    assert [(s.request, s.airs, s.calls, s.content, s.shown) for s in from_file] == [
        (s.request, s.airs, s.calls, s.content, s.shown) for s in direct
    ]


def test_stages_add_up_to_the_latency(reduction: Reduction) -> None:
    for row in reduction.rows:
        assert math.fsum(getattr(row, stage) for stage in STAGES) == pytest.approx(row.latency_s, abs=1e-12)
    good = reduction.rows[0]
    assert good.latency_s == pytest.approx(0.1)
    assert (good.extract_s, good.encode_s, good.decode_s) == pytest.approx((0.010, 0.004, 0.020))
    assert good.generate_s == pytest.approx(0.027)  # waiting for the processor included
    assert (good.queue_s, good.air_s) == pytest.approx((0.004, 0.002))  # feedback comes after the picture is shown
    assert good.backhaul_s == pytest.approx(0.005)  # the picture goes from the cloud to the edge
    assert good.wait_s == pytest.approx(0.1 - 0.010 - 0.027 - 0.004 - 0.020 - 0.006 - 0.005)


def test_calls_side_by_side_take_the_time_of_the_slowest() -> None:
    assert covered_ns([]) == 0
    assert covered_ns([(30, 40), (0, 10)]) == 20
    assert covered_ns([(0, 10), (5, 12), (6, 7), (20, 21)]) == 13


def test_air_adds_up(reduction: Reduction) -> None:
    good = reduction.rows[0]
    assert (good.symbols_up, good.symbols_down, good.symbols_total) == (150, 1100, 1250)
    assert good.cbr == 1250 / (3 * 64 * 64)
    assert (good.prompt_bits, good.header_bits, good.payload_bits, good.coded_bits) == (120, 100, 220, 440)
    assert (good.attempts, good.transfers, good.symbols_jscc, good.symbols_pilot, good.symbols_feedback) == (4, 3, 1024, 12, 50)


def test_flops_count_work_and_not_waiting(reduction: Reduction) -> None:
    compute = SETTINGS.compute
    user, edge, cloud = 0.030 * compute.user_flops, 0.004 * compute.edge_flops, 0.022 * compute.cloud_flops
    good = reduction.rows[0]
    assert good.flops == pytest.approx(user + edge + cloud)
    radio = 10 ** (-0.7) * 0.002 + 1.0 * 0.001  # 23 dBm for 2 ms up, 30 dBm for 1 ms down
    work = user * compute.joule_per_flop_user + (edge + cloud) * compute.joule_per_flop_server
    assert good.joules == pytest.approx(work + radio)


def test_choices_and_csi_are_those_of_the_deciding_agents(reduction: Reduction) -> None:
    good, lost = reduction.rows
    assert (good.prompt_parts, good.semantic_noise, good.codec) == ("caption+boxes", 0.25, "snr07-cbr12")
    assert (good.csi_snr_db, good.csi_age_s, good.snr_db) == (11.5, 0.02, 12.0)
    assert (lost.prompt_parts, lost.codec, lost.csi_snr_db, lost.snr_db) == ("", "", None, None)


def test_a_failed_request_has_floor_scores_and_stays_in_the_means(reduction: Reduction) -> None:
    good, lost = reduction.rows
    assert (lost.object_recovery, lost.object_recovery_iou50, lost.satisfaction) == (0.0, 0.0, 0.0)
    assert (lost.image_alignment, lost.object_alignment, lost.text_alignment) == (0.0, 0.0, 0.0)
    assert lost.object_count_discrepancy == lost.objects == 2
    assert lost.psnr_to_original_db == psnr_db(GREY, SENT)
    found = results(reduction)
    assert found["delivered_share"] == 0.5
    assert found["object_recovery"] == 0.25
    assert found["psnr_to_original_db"] == pytest.approx((good.psnr_to_original_db + lost.psnr_to_original_db) / 2)


def test_psnr_is_against_what_entered_the_last_encoder(reduction: Reduction) -> None:
    good = reduction.rows[0]
    assert good.psnr_db == psnr_db(RECEIVED, GENERATED)
    assert good.psnr_to_original_db == psnr_db(RECEIVED, SENT)
    assert good.psnr_db > 30 > good.psnr_to_original_db


def test_running_overhead_is_shared_and_preparation_is_told_apart(reduction: Reduction) -> None:
    found = results(reduction)
    assert found["air_symbols_per_request"] == (1250 + 400 + 30) / 2
    assert found["uplink_symbols_per_request"] == (150 + 400 + 30) / 2
    assert found["running_csi_symbols_per_request"] == 15
    assert found["preparation_symbols"] == 900


def test_rows_survive_parquet(reduction: Reduction, tmp_path: Path) -> None:
    write_rows(tmp_path / "m.parquet", reduction.rows)
    assert read_rows(tmp_path / "m.parquet") == reduction.rows
    write_rows(tmp_path / "none.parquet", [])
    assert read_rows(tmp_path / "none.parquet") == []
    assert isinstance(reduction.rows[0], Row)
