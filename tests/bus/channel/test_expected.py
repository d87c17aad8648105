"""Expected outcomes against closed forms, and against drawing them with the link itself."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.bus.channel import MCS_TABLE, Air, Area, Radio, bler, segment
from semcast.bus.channel.account import feedback_symbols
from semcast.bus.channel.expected import block_loss, expected, gain_sums
from semcast.bus.channel.mcs import WIFI_TABLE

SECOND = 1_000_000_000


def test_gain_sums_have_the_moments_of_gamma() -> None:
    for attempts in (1, 2, 4):
        sums = gain_sums(attempts, "rayleigh")
        assert sums.mean() == pytest.approx(attempts, rel=2e-3) and sums.var() == pytest.approx(attempts, rel=0.02)
    assert gain_sums(3, "awgn").tolist() == [3.0]


@given(st.integers(1, 9000), st.sampled_from((*MCS_TABLE, *WIFI_TABLE)), st.floats(-10, 25))
def test_over_awgn_it_is_the_table(payload_bits: int, mcs, snr_db: float) -> None:  # type: ignore[no-untyped-def]
    blocks = segment(payload_bits, mcs)
    lost = bler(mcs, blocks.block_bits, snr_db)
    found = expected(blocks, snr_db)
    assert found.delivered == pytest.approx((1 - lost) ** blocks.count, abs=1e-12)
    assert found.symbols == blocks.complex_symbols
    twice = expected(blocks, snr_db, attempts=2, pilots=4)
    assert twice.symbols >= found.symbols + 4 * blocks.count and twice.delivered >= expected(blocks, snr_db, pilots=4).delivered


def test_over_rayleigh_a_steep_code_is_an_outage() -> None:
    """P(|h|^2 SNR < middle) = 1 - exp(-middle / SNR); after two attempts 1 - exp(-x)(1 + x) (Gamma(2, 1))."""
    blocks = segment(3000, MCS_TABLE[4])
    middle_db = next(s / 1000 for s in range(0, 20_000) if block_loss(blocks, s / 1000, np.ones(1))[0] < 0.5)
    x = 10 ** ((middle_db - 12.0) / 10)
    assert 1 - expected(blocks, 12.0, "rayleigh").delivered == pytest.approx(1 - math.exp(-x), abs=0.01)
    assert 1 - expected(blocks, 12.0, "rayleigh", 2).delivered == pytest.approx(1 - math.exp(-x) * (1 + x), abs=0.01)


def test_pilots_cost_symbols_and_signal() -> None:
    blocks = segment(1000, MCS_TABLE[3])
    perfect, estimated = expected(blocks, 4.0), expected(blocks, 4.0, pilots=4)
    assert estimated.symbols - perfect.symbols == 4 * blocks.count and estimated.delivered < perfect.delivered
    assert estimated.delivered == pytest.approx(expected(blocks, 4.0 + 10 * math.log10(0.8)).delivered)


def test_blocks_of_an_attempt_may_share_pilots() -> None:
    """At -40 dB everything is sent in every attempt, at 40 dB in one."""
    blocks = segment(30_000, MCS_TABLE[3])
    assert blocks.count > 2
    for snr_db, attempts in ((-40.0, 3), (40.0, 1)):
        bare, shared = (expected(blocks, snr_db, attempts=3, pilots=p, shared=True) for p in (None, 16))
        assert shared.symbols - bare.symbols == pytest.approx(16 * attempts)


@pytest.mark.parametrize(("fading", "snr_db"), [("awgn", 4.2), ("rayleigh", 6.0)])
def test_it_is_the_mean_of_what_links_do(fading: str, snr_db: float) -> None:
    """1,500 transfers of the ``table`` fidelity, a new gain each attempt: share and cost within 4 standard errors."""
    radio = Radio(fixed_snr_db=snr_db, fading=fading, pilots=4, max_attempts=3, coherence_ns=SECOND, harq_rtt_ns=SECOND)  # type: ignore[arg-type]
    blocks = segment(9000, MCS_TABLE[3])
    air = Air(1, radio, Area(10, 10), {"bs": (0.0, 0.0)}, 30.0)
    sent = [air.link("bs", f"user.{i}").send_coded(9000, 0, "down", (i,), MCS_TABLE[3]) for i in range(1500)]
    wanted = expected(blocks, snr_db, fading, 3, 4)  # type: ignore[arg-type]
    delivered = np.array([transfer.delivered for transfer in sent], float)
    symbols = np.array([transfer.account.complex_symbols + transfer.account.pilot_symbols for transfer in sent], float)
    assert delivered.mean() == pytest.approx(wanted.delivered, abs=4 * delivered.std() / math.sqrt(1500) + 1e-3)
    ours = wanted.symbols / (1 + feedback_symbols(2) / 2 / (blocks.block_symbols + 4))
    assert symbols.mean() == pytest.approx(ours, abs=4 * symbols.std() / math.sqrt(1500) + 1)
