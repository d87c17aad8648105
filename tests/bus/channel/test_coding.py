"""MCS table, segmentation sums and the measured waterfalls."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.bus.channel import MCS_TABLE, Mcs, bler, choose_mcs, segment
from semcast.bus.channel.coding import TABLES, waterfall
from semcast.bus.channel.mcs import MAX_BLOCK_BITS, MIN_BLOCK_BITS, SCHEMES, crc_bits
from semcast.bus.errors import BadInput

CURVES = json.loads(TABLES.read_text())["curves"]
any_mcs = st.sampled_from(MCS_TABLE)


@given(st.integers(1, 400_000), any_mcs)
def test_segmentation_carries_payload_and_checksums(payload_bits: int, mcs: Mcs) -> None:
    blocks = segment(payload_bits, mcs)
    own_crc = 24 * blocks.count if blocks.count > 1 else 0
    filling = blocks.count * blocks.block_bits - payload_bits - crc_bits(payload_bits) - own_crc
    assert 0 <= filling < max(blocks.count, MIN_BLOCK_BITS)
    assert MIN_BLOCK_BITS <= blocks.block_bits <= MAX_BLOCK_BITS
    assert blocks.coded_bits == blocks.complex_symbols * mcs.bits_per_symbol
    rate = blocks.count * blocks.block_bits / blocks.coded_bits
    assert mcs.rate_1024 / 1024 * 0.9 < rate <= mcs.rate_1024 / 1024
    assert blocks.count == 1 or payload_bits + crc_bits(payload_bits) > MAX_BLOCK_BITS


def test_a_caption_costs_about_what_the_anchor_says() -> None:
    # ANCHORS: 20 B at 16QAM rate 1/2 are 80 symbols; here the rate is 490/1024 and 16 CRC bits are sent too
    assert segment(160, MCS_TABLE[4]).complex_symbols == -(-176 * 1024 // (490 * 4)) == 92


def test_nothing_cannot_be_sent() -> None:
    with pytest.raises(BadInput, match="at least 1 payload bit"):
        segment(0, MCS_TABLE[0])


def test_mcs_table_is_ordered_and_named() -> None:
    efficiencies = [mcs.efficiency for mcs in MCS_TABLE]
    assert efficiencies == sorted(efficiencies) and [mcs.index for mcs in MCS_TABLE] == list(range(10))
    assert MCS_TABLE[4].name == "16QAM 0.48"


@given(any_mcs, st.integers(64, 3840), st.floats(-15, 35), st.floats(0, 10))
def test_block_errors_fall_with_snr(mcs: Mcs, block_bits: int, snr_db: float, more_db: float) -> None:
    assert 0 <= bler(mcs, block_bits, snr_db + more_db) <= bler(mcs, block_bits, snr_db) <= 1


@given(st.integers(64, 3840))
def test_higher_schemes_need_more_snr_and_all_need_more_than_shannon(block_bits: int) -> None:
    middles = [waterfall(mcs, block_bits)[0] for mcs in MCS_TABLE]
    assert middles == sorted(middles)
    for mcs, middle in zip(MCS_TABLE, middles, strict=True):
        gap_db = middle - 10 * np.log10(2**mcs.efficiency - 1)
        assert 0 < gap_db < 3


@pytest.mark.parametrize("curve", CURVES, ids=lambda c: f"{c['code']}-{c['mcs']}-{c['block_bits']}")
def test_the_fit_goes_through_the_counted_points(curve: dict) -> None:
    mcs = SCHEMES[curve["code"]][curve["mcs"]]
    assert (mcs.bits_per_symbol, mcs.rate_1024) == (curve["bits_per_symbol"], curve["rate_1024"])
    chi2 = 0.0
    for point in curve["points"]:
        p = bler(mcs, curve["block_bits"], point["snr_db"])
        chi2 += (point["errors"] - p * point["blocks"]) ** 2 / (point["blocks"] * p * (1 - p))
        assert point["low"] - 0.03 <= p <= point["high"] + 0.03
    assert chi2 < 30  # 6 points, 2 fitted


def test_tables_are_complete_and_say_where_they_come_from() -> None:
    table = json.loads(TABLES.read_text())
    there = {(c["code"], c["mcs"], c["block_bits"]) for c in table["curves"]}
    assert there >= {("nr", m, k) for m in range(10) for k in (64, 256, 1024, 3840)}
    assert there >= {("wifi", m, k) for m in range(3) for k in (64, 162, 324)}
    assert {"sionna", "torch", "seed", "decoder", "code", "confidence"} <= set(table["provenance"])


def test_16qam_half_rate_agrees_with_the_anchor() -> None:
    # ANCHORS: LDPC5G (1024, 2048), 16QAM: BLER .61 / .278 / .066 at 6.0 / 6.25 / 6.5 dB, so its middle is near 6.08 dB at
    # rate 1/2; this scheme has rate 0.4785, which needs 10 log10((2^1.914 - 1) / (2^2 - 1)) = -0.38 dB of that by Shannon.
    assert waterfall(MCS_TABLE[4], 1024)[0] == pytest.approx(6.08 - 0.38, abs=0.15)


@given(st.floats(-20, 40), st.floats(0.001, 0.5))
def test_choice_meets_its_target_and_nothing_better_does(snr_db: float, target: float) -> None:
    chosen = choose_mcs(snr_db, 1024, target)
    assert chosen is MCS_TABLE[0] or bler(chosen, 1024, snr_db) <= target
    assert all(bler(mcs, 1024, snr_db) > target for mcs in MCS_TABLE[chosen.index + 1 :])
