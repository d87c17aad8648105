"""The whole air: who is near, what a link is like, what transfers cost and deliver."""

import math
import pickle
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.bus import keys
from semcast.bus.channel import (
    MCS_TABLE,
    Account,
    Air,
    Area,
    Link,
    Radio,
    bler,
    coded_account,
    multicast,
    segment,
    symbol_account,
    unit_power,
)
from semcast.bus.errors import BadInput

STATIONS = {"bs.0": (100.0, 100.0), "bs.1": (500.0, 100.0), "bs.2": (300.0, 450.0)}
MS = 10**6


def world(seed: int = 1, **radio: object) -> Air:
    return Air(seed, Radio(**radio), Area(600, 600), STATIONS, 3.0)  # type: ignore[arg-type]


def fixed(snr_db: float, **radio: object) -> Link:
    return world(fixed_snr_db=snr_db, **radio).link("bs.0", "user.1")


def test_gain_is_held_over_a_coherence_block_and_is_the_same_both_ways() -> None:
    link = world(coherence_ns=5 * MS).link("bs.0", "user.1")
    assert link.gain(5 * MS) == link.gain(10 * MS - 1) != link.gain(10 * MS)
    assert [link.block(t) for t in (0, 5 * MS - 1, 5 * MS)] == [0, 0, 1]
    up_minus_down = [link.snr_db(t, "up") - link.snr_db(t, "down") for t in (0, 123 * MS)]
    assert up_minus_down == pytest.approx([23 - 5 - (30 - 9)] * 2)


def test_coherence_follows_speed() -> None:
    air = Air(1, Radio(), Area(9, 9), STATIONS, {"fast": 30.0, "still": 0.0})
    assert air.link("bs.0", "fast").coherence_ns == pytest.approx(0.423e9 / (30 * 3.5e9 / 299_792_458), rel=1e-6)
    assert air.link("bs.0", "still").coherence_ns == pytest.approx(0.423e9 / (0.5 * 3.5e9 / 299_792_458), rel=1e-6)


def test_mean_snr_is_power_minus_loss_minus_noise() -> None:
    link = world(bandwidth_hz=2e6).link("bs.1", "user.3")
    assert link.mean_snr_db(0, "down") == pytest.approx(30 - link.loss_db(0) + 174 - 10 * math.log10(2e6) - 9)
    assert world(fixed_snr_db=3.25).link("bs.1", "user.3").mean_snr_db(0, "up") == 3.25


def test_the_strongest_station_is_mostly_the_nearest() -> None:
    air, near = world(), 0
    for i in range(60):
        x, y = air.position(f"user.{i}", 0)
        nearest = min(STATIONS, key=lambda bs: math.hypot(x - STATIONS[bs][0], y - STATIONS[bs][1]))
        strongest = air.strongest(f"user.{i}", 0)
        near += strongest == nearest
        snrs = {bs: air.link(bs, f"user.{i}").mean_snr_db(0, "down") for bs in STATIONS}
        assert strongest == max(snrs, key=lambda bs: snrs[bs])
        assert world(fixed_snr_db=10.0).strongest(f"user.{i}", 0) == strongest
    assert near > 40


def test_interference_by_announced_loads() -> None:
    link = world().link("bs.0", "user.1")
    alone = link.mean_snr_db(0, "down")
    assert link.mean_snr_db(0, "down", {"bs.0": 1.0}) == alone == link.mean_snr_db(0, "down", {"bs.1": 0.0})
    linear = {bs: 10 ** (world().link(bs, "user.1").mean_snr_db(0, "down") / 10) for bs in STATIONS}
    expected = 10 * math.log10(linear["bs.0"] / (1 + 0.5 * linear["bs.1"] + linear["bs.2"]))
    assert link.mean_snr_db(0, "down", {"bs.1": 0.5, "bs.2": 1.0}) == pytest.approx(expected)


def test_everything_repeats_in_another_process_and_order() -> None:
    air = world()
    again = pickle.loads(pickle.dumps(air))
    sent = unit_power(keys.complex_normal(500, "x"))
    times = [0, 7 * MS, 911 * MS]
    a = [air.link("bs.2", "u").send_symbols(sent, t, "down", ("r", 1)).received.tobytes() for t in times]
    b = [again.link("bs.2", "u").send_symbols(sent, t, "down", ("r", 1)).received.tobytes() for t in reversed(times)]
    assert a == b[::-1]
    assert air.link("bs.2", "u").send_coded(999, 5, "up", (1,)) == again.link("bs.2", "u").send_coded(999, 5, "up", (1,))
    assert world(seed=2).link("bs.2", "u").gain(0) != air.link("bs.2", "u").gain(0)


def test_awgn_at_a_fixed_snr_is_exactly_that() -> None:
    sent = unit_power(keys.complex_normal(100_000, "x"))
    got = fixed(3.0, fading="awgn", pilots=None).send_symbols(sent, 0, "down", ("r",))
    assert got.snr_db == pytest.approx(3.0)
    assert np.mean(np.abs(got.received - sent) ** 2) == pytest.approx(10**-0.3, rel=0.02)
    assert (got.account.complex_symbols, got.account.pilot_symbols) == (100_000, 0)


def test_symbols_over_several_coherence_blocks_meet_each_block_s_gain() -> None:
    link = fixed(60.0, coherence_ns=MS, pilots=None, equaliser="mmse")
    sent = unit_power(keys.complex_normal(2500, "x"))
    got = link.send_symbols(sent, 500_000, "up", ("r",))  # 1 symbol a microsecond: blocks of 500, 1000, 1000
    assert got.account == symbol_account(2500, link.air.radio, 3, 500_000)
    assert np.mean(np.abs(got.received - sent) ** 2) < 1e-4
    deaf = fixed(60.0, coherence_ns=10 * MS, pilots=None)
    assert deaf.gain(500_000) == deaf.gain(2_900_000) and link.gain(500_000) != link.gain(2_900_000)


def test_reported_snr_after_equalisation_is_true_on_average() -> None:
    link = fixed(10.0, pilots=8)
    sent = unit_power(keys.complex_normal(500, "x"))
    told, true = [], []
    for i in range(300):
        got = link.send_symbols(sent, i * 200 * MS, "down", ("r", i))
        if got.snr_db > 5:  # zero forcing has no mean error in deep fades
            told.append(10 ** (-got.snr_db / 10))
            true.append(float(np.mean(np.abs(got.received - sent) ** 2)))
    assert np.mean(true) == pytest.approx(np.mean(told), rel=0.05)


def test_pilots_are_charged_and_better_estimates_cost_more() -> None:
    sent = unit_power(keys.complex_normal(200, "x"))
    few, many = (fixed(5.0, fading="awgn", pilots=p) for p in (1, 64))
    errors = [
        np.mean([np.mean(np.abs(link.send_symbols(sent, 0, "up", (i,)).received - sent) ** 2) for i in range(50)])
        for link in (few, many)
    ]
    assert errors[1] < errors[0]
    assert symbol_account(200, many.air.radio).total_symbols == 264
    assert symbol_account(200, many.air.radio).air_ns == 264_000


@given(st.integers(1, 50_000), st.sampled_from(MCS_TABLE), st.floats(-10, 30), st.integers(0, 9), st.sampled_from([None, 1, 4]))
def test_accounts_add_up(payload_bits: int, mcs, snr_db: float, request: int, pilots: int | None) -> None:  # type: ignore[no-untyped-def]
    link = fixed(snr_db, pilots=pilots)
    got = link.send_coded(payload_bits, 77, "up", (request,), mcs)
    cost, once, blocks = got.account, coded_account(payload_bits, mcs, link.air.radio), segment(payload_bits, mcs)
    sent_blocks = cost.complex_symbols // blocks.block_symbols
    assert cost.payload_bits == payload_bits
    assert cost.complex_symbols == sent_blocks * blocks.block_symbols
    assert cost.coded_bits == cost.complex_symbols * mcs.bits_per_symbol >= blocks.coded_bits
    assert cost.pilot_symbols == sent_blocks * (pilots or 0)
    assert cost.feedback_bits == sent_blocks
    assert cost.total_symbols == cost.complex_symbols + cost.pilot_symbols + cost.feedback_symbols
    assert 0 <= cost.air_ns - cost.total_symbols * 1000 <= cost.attempts  # 1 MHz: 1000 ns a symbol
    assert cost.t_done_ns == 77 + cost.air_ns + (cost.attempts - 1) * 8 * MS
    assert 1 <= cost.attempts <= 4 and (got.delivered or cost.attempts == 4)
    if cost.attempts == 1:
        assert cost == once + Account(t_done_ns=77 + cost.air_ns)


def test_loss_after_j_attempts_is_the_table_at_the_combined_snr() -> None:
    mcs, n = MCS_TABLE[5], 3000
    link = fixed(5.0, fading="awgn", pilots=None)
    attempts = [t.account.attempts if t.delivered else 9 for t in (link.send_coded(200, 0, "up", (i,), mcs) for i in range(n))]
    for j in (1, 2):
        expected = bler(mcs, 216, 5.0 + 10 * math.log10(j))
        assert sum(a > j for a in attempts) / n == pytest.approx(expected, abs=4 * math.sqrt(0.25 / n))
    assert sum(a > 1 for a in attempts) / n > 0.05 and attempts.count(9) == 0


def test_estimating_from_p_pilots_costs_p_over_p_plus_1() -> None:
    mcs, n = MCS_TABLE[5], 3000
    link = fixed(8.2, fading="awgn", pilots=1, max_attempts=1)
    lost = sum(not link.send_coded(200, 0, "up", (i,), mcs).delivered for i in range(n)) / n
    assert lost == pytest.approx(bler(mcs, 216, 8.2 - 10 * math.log10(2)), abs=4 * math.sqrt(0.25 / n))


def test_hopeless_links_fail_and_good_ones_do_not() -> None:
    bad, good = (fixed(snr, fading="awgn").send_coded(800, 0, "down", (1,)) for snr in (-30.0, 30.0))
    assert (bad.delivered, bad.account.attempts) == (False, 4)
    assert (good.delivered, good.account.attempts) == (True, 1)


def test_the_scheme_follows_the_report() -> None:
    link = fixed(12.0, fading="awgn", pilots=None)
    assert link.send_coded(800, 0, "up", (1,)).mcs is MCS_TABLE[0]
    adapted = link.send_coded(800, 0, "up", (1,), csi=link.measure(0, "up"))
    assert adapted.mcs.index > 3 and adapted.delivered


def test_multicast_is_charged_once_and_serves_the_worst() -> None:
    air = world(fixed_snr_db=3.0, pilots=4)
    links = [air.link("bs.0", f"user.{i}") for i in range(5)]
    got, transfer = multicast(links, 300, 0, ("r",), MCS_TABLE[2])
    singles = [link.send_coded(300, 0, "down", ("r",), MCS_TABLE[2]) for link in links]
    assert [got[link.user_id] for link in links] == [single.delivered for single in singles]  # same draws alone or together
    assert transfer.account.attempts == max(single.account.attempts for single in singles)
    assert transfer.account.complex_symbols == max(single.account.complex_symbols for single in singles)
    assert transfer.account.feedback_bits == 5 * transfer.account.attempts
    with pytest.raises(BadInput, match="exactly one base station"):
        multicast([links[0], air.link("bs.1", "user.9")], 300, 0, ("r",), MCS_TABLE[2])


def test_mistakes_are_named() -> None:
    with pytest.raises(BadInput, match=r"no base station 'bs\.9'"):
        world().link("bs.9", "user.1")
    with pytest.raises(BadInput, match="no speed is given for user 'x'"):
        Air(1, Radio(), Area(9, 9), STATIONS, {"u": 1.0}).position("x", 0)
    with pytest.raises(BadInput, match="pilots is out of range"):
        Radio(pilots=0)


def test_a_lookup_costs_less_than_100_us() -> None:
    link = world().link("bs.0", "user.1")
    best = math.inf
    for _ in range(20):
        start = time.perf_counter()
        for t in range(50):
            link.snr_db(t * 10 * MS, "up")
        best = min(best, (time.perf_counter() - start) / 50)
    assert best < 100e-6


def test_neighbour_lists_hold_the_nearest_and_mostly_the_strongest_station() -> None:
    grid = {f"bs.{i}": (250.0 + 500.0 * (i % 6), 250.0 + 500.0 * (i // 6)) for i in range(36)}
    air = Air(7, Radio(), Area(3000.0, 3000.0), grid)
    strongest = 0
    for i in range(100):
        user = f"user.{i}"
        x, y = air.position(user, 0)
        near = air.near(x, y)
        assert 4 <= len(near) <= 9
        assert list(near) == sorted(near)
        nearest = min(sorted(grid), key=lambda bs: math.hypot(x - grid[bs][0], y - grid[bs][1]))
        assert air.nearest(user, 0) == nearest
        best = min(sorted(grid), key=lambda bs: air.link(bs, user).loss_db(0))
        strongest += air.strongest(user, 0) == best
    assert strongest >= 97
    assert air.near(1e9, 1e9) == tuple(sorted(grid))  # nobody near: all
