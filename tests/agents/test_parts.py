"""Small parts: CSI means, codec stores, satisfaction, bits, sizes, shared pictures."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.agents.accounting import KIND_BITS, body_bits, csi_bits, item_bits
from semcast.agents.bits import BitReader, BitWriter
from semcast.agents.codec_store import CodecStore
from semcast.agents.csi import MEMORY, RunningMean, error_std_db
from semcast.agents.pictures import compress, decompress
from semcast.agents.satisfaction import HALF_S, predicted_psnr_db, quality, timeliness
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.world import make_scene
from semcast.bus.channel import Air, Area, Radio
from semcast.bus.errors import BadInput, RunFailed
from semcast.bus.messages import CsiReport, Delta, JsccPicture, SharedItem
from semcast.policies.protocols import CodecCard


@given(
    values=st.lists(st.integers(1, 40).flatmap(lambda bits: st.tuples(st.integers(0, 2**bits - 1), st.just(bits))), max_size=30)
)
def test_bits_come_back(values: list[tuple[int, int]]) -> None:
    out = BitWriter()
    for value, bits in values:
        out.write(value, bits)
    assert out.length == sum(bits for _, bits in values)
    back = BitReader(out.bytes())
    assert [(back.read(bits), bits) for _, bits in values] == values


def test_bits_that_do_not_fit_or_are_not_there_are_refused() -> None:
    with pytest.raises(BadInput):
        BitWriter().write(4, 2)
    with pytest.raises(BadInput):
        BitReader(b"\0").read(9)


def test_the_running_mean_is_a_plain_mean_at_first_and_then_forgets() -> None:
    mean = RunningMean()
    for linear in (1.0, 3.0, 8.0):
        mean.add(10 * math.log10(linear))
    assert mean.linear == pytest.approx(4.0)
    for _ in range(200):
        mean.add(10.0)
    assert mean.db == pytest.approx(10.0, abs=1e-3)
    before = mean.linear
    mean.add(-100.0)
    assert mean.linear == pytest.approx(before * (1 - MEMORY))


def test_the_known_error_of_a_measurement_is_what_measurements_show() -> None:
    """Standard deviation of measured minus true SNR, over many pilots' noise, at 12 dB."""
    radio = Radio(fading="awgn", fixed_snr_db=12.3, pilots=16, csi_bits=6)
    link = Air(1, radio, Area(10.0, 10.0), {"bs.0": (0.0, 0.0)}).link("bs.0", "user.0")
    errors = [link.measure(0, "down", key=(index,)).snr_db - 12.3 for index in range(3000)]
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(error_std_db(12.3, radio), rel=0.12)


def test_a_store_tells_what_it_holds_and_how_it_was_used() -> None:
    store = CodecStore(capacity_bits=30)
    for name in "abc":
        store.put(name, 10, 0)
    assert not store.fits(1)
    assert store.use("a", 2_000_000_000) and not store.use("z", 0)
    asked = store.question("d", 20, 5_000_000_000, lambda bits: bits / 10)
    assert (asked.name, asked.room_bits, asked.level) == ("d", 20, 0.0)
    assert [(c.name, c.bits, c.uses, c.idle_s, c.fetch_s) for c in asked.held] == [
        ("b", 10, 0, 5.0, 1.0),
        ("c", 10, 0, 5.0, 1.0),
        ("a", 10, 1, 3.0, 1.0),
    ]
    store.evict(("b", "c"), 0.5)
    store.put("d", 20, 6)
    assert list(store.held) == ["a", "d"] and (store.held["d"].level, store.held["a"].level) == (0.5, 0.0)
    with pytest.raises(RunFailed, match="edge_storage_bits"):
        store.question("e", 31, 7, lambda bits: 0.0)


def test_satisfaction_halves_with_waiting_and_rises_with_quality() -> None:
    card = CodecCard("x", 7.0, 1 / 12, 1024, ((0.0, 18.0), (10.0, 28.0)))
    assert [predicted_psnr_db(card, snr_db) for snr_db in (-5.0, 0.0, 5.0, 10.0, 40.0)] == [18.0, 18.0, 23.0, 28.0, 28.0]
    assert [quality(psnr_db) for psnr_db in (10.0, 15.0, 22.5, 30.0, 40.0)] == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert timeliness(0) == 1.0
    assert timeliness(round(HALF_S * 1e9)) == pytest.approx(0.5)


def test_sizes_count_everything() -> None:
    vector = np.zeros(48, "<f4").tobytes()
    item = SharedItem("subject", "mia/dog", "dog", vector, [b"x" * 100], [(1.0, 2.0, 3.0, 4.0)])
    assert item_bits(item) == 3 + 4 + 6 + 48 * 16 + (16 + 800) + 24
    assert body_bits(Delta(1, {"mia/dog": vector})) == KIND_BITS + 8 + 20 + 48 * 16
    assert body_bits(JsccPicture("user.0/1", "user.1", 0, "snr07-cbr12")) == KIND_BITS + 32 + 16 + 5
    mean, answer = CsiReport("user.0", 1, 0, 7, ""), CsiReport("user.0", 1, 0, 7, "user.1/3")
    assert csi_bits(answer, 5) - csi_bits(mean, 5) == 32


def test_shared_pictures_are_small_and_near() -> None:
    picture = draw(make_scene("share", 1, count=1)).tobytes()
    file = compress(picture)
    assert len(file) < len(picture) / 4
    error = np.frombuffer(decompress(file), np.uint8).astype(float) - np.frombuffer(picture, np.uint8)
    assert 10 * math.log10(255**2 / np.mean(error**2)) > 26
