"""The LDPC code of 802.11n: the standard's matrix, code words, shortening, and the way through a real link."""

import numpy as np
import pytest

pytest.importorskip("sionna")

from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.bus import keys
from semcast.bus.channel import Air, Area, Link, Radio, bler, segment
from semcast.bus.channel.bits import ITERATIONS, coder, pack, send_bits, unpack
from semcast.bus.channel.mcs import WIFI_BLOCK_BITS, WIFI_TABLE, Mcs, crc_bits, largest_payload_bits
from semcast.bus.channel.wifi import CIRCULANT, WifiDecoder, WifiEncoder, is_code_word, parity_checks

STANDARD = """
0 - - - 0 0 - - 0 - - 0
22 0 - - 17 - 0 0 12 - - -
6 - 0 - 10 - - - 24 - 0 -
2 - - 0 20 - - - 25 0 - -
23 - - - 3 - - - 0 - 9 11
24 - 23 1 17 - 3 - 10 - - -
25 - - - 8 - - - 7 18 - -
13 24 - - 0 - 8 - 6 - - -
7 20 - 16 22 10 - - 23 - - -
11 - - - 19 - - - 13 - 3 17
25 - 8 - 23 18 - 14 9 - - -
3 - - - 16 - - 2 25 5 - -
"""
"""Information part of Table R.1 (a), n = 648, rate 1/2; "-" is a zero block, k a unit matrix whose columns are turned by k."""


def link(snr_db: float, **radio: object) -> Link:
    settings = Radio(fixed_snr_db=snr_db, fading="awgn", **radio)  # type: ignore[arg-type]
    return Air(1, settings, Area(10, 10), {"bs": (0.0, 0.0)}).link("bs", "user.1")


def standard_matrix() -> np.ndarray:
    """Table R.1 written out, with the dual-diagonal parity part."""
    matrix = np.zeros((324, 648), np.uint8)

    def put(row: int, column: int, shift: int) -> None:
        block = np.roll(np.eye(CIRCULANT, dtype=np.uint8), shift, axis=1)
        matrix[row * CIRCULANT : (row + 1) * CIRCULANT, column * CIRCULANT : (column + 1) * CIRCULANT] = block

    for row, line in enumerate(STANDARD.split("\n")[1:13]):
        for column, entry in enumerate(line.split()):
            if entry != "-":
                put(row, column, int(entry))
    for row, shift in ((0, 1), (6, 0), (11, 1)):
        put(row, 12, shift)
    for row in range(11):
        put(row, 13 + row, 0)
        put(row + 1, 13 + row, 0)
    # the last row's circulant of the first parity column is the unit matrix turned by 1, as the first row's
    return matrix


def test_the_matrix_is_that_of_the_standard() -> None:
    assert np.array_equal(parity_checks(), standard_matrix())


@settings(max_examples=30, deadline=None)
@given(st.integers(1, WIFI_BLOCK_BITS), st.sampled_from(WIFI_TABLE), st.integers(0, 9))
def test_what_is_sent_is_a_shortened_code_word(block_bits: int, mcs: Mcs, draw: int) -> None:
    import torch

    bits = keys.generator("wifi", draw).integers(0, 2, (3, block_bits)).astype(np.uint8)
    coded_bits = mcs.symbols(block_bits) * mcs.bits_per_symbol
    sent = WifiEncoder(block_bits, coded_bits)(torch.from_numpy(bits.astype(np.float32))).numpy().astype(np.uint8)
    assert sent.shape == (3, coded_bits) and np.array_equal(sent[:, :block_bits], bits)
    assert 0 <= coded_bits - block_bits - WIFI_BLOCK_BITS < mcs.bits_per_symbol
    whole = np.zeros((3, 648), np.uint8)
    whole[:, :block_bits] = bits
    whole[:, WIFI_BLOCK_BITS:] = sent[:, block_bits : block_bits + WIFI_BLOCK_BITS]
    assert not (whole.astype(int) @ standard_matrix().T.astype(int) % 2).any() and is_code_word(whole).all()
    whole[1, block_bits - 1] ^= 1
    assert is_code_word(whole).tolist() == [True, False, True]


def test_code_words_are_those_of_sionnas_encoder() -> None:
    """An independent encoder by Gaussian elimination: the information bits of its code words give the same parity bits."""
    import torch
    from sionna.phy.fec.linear import LinearEncoder

    bits = keys.generator("sionna").integers(0, 2, (20, 324)).astype(np.float32)
    words = LinearEncoder(parity_checks(), is_pcm=True)(torch.from_numpy(bits)).numpy()
    again = WifiEncoder(324, 648)(torch.from_numpy(words[:, :324].astype(np.float32))).numpy()
    assert np.array_equal(again, words)


def test_flipped_bits_are_put_right_and_zeros_that_fill_up_are_used() -> None:
    import torch

    bits = keys.generator("decode").integers(0, 2, (4, 200)).astype(np.float32)
    sent = WifiEncoder(200, 524)(torch.from_numpy(bits))
    llrs = (2 * sent - 1) * 4
    llrs[:, :200:9] *= -1
    decoded = WifiDecoder(200, ITERATIONS)(llrs).numpy()
    assert np.array_equal(decoded, bits)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9000), st.sampled_from(WIFI_TABLE))
def test_blocks_hold_payload_and_checksum_and_come_back(payload_bits: int, mcs: Mcs) -> None:
    blocks = segment(payload_bits, mcs)
    filling = blocks.count * blocks.block_bits - payload_bits - crc_bits(payload_bits)
    assert 0 <= filling < max(blocks.count, 64) and blocks.block_bits <= WIFI_BLOCK_BITS and not blocks.checksum_bits
    payload = keys.generator("payload").integers(0, 2, payload_bits).astype(np.uint8)
    back, good = unpack(pack(payload, blocks), blocks)
    assert good and np.array_equal(back, payload)
    assert segment(payload_bits, mcs).complex_symbols == blocks.count * -(-(blocks.block_bits + 324) // mcs.bits_per_symbol)
    assert largest_payload_bits(blocks.complex_symbols, mcs) >= payload_bits


def test_a_payload_crosses_a_good_link_and_a_hopeless_one_says_so() -> None:
    payload = keys.generator("payload").integers(0, 2, 3000).astype(np.uint8)
    for mcs, good_db in zip(WIFI_TABLE, (3.0, 6.0, 11.0), strict=True):
        back, transfer = send_bits(link(good_db), payload, 0, "up", ("r",), mcs)
        assert transfer.delivered and np.array_equal(back, payload)
        assert transfer.account == link(30.0).send_coded(3000, 0, "up", ("r",), mcs).account
        assert not send_bits(link(good_db - 14), payload, 0, "up", ("r",), mcs)[1].delivered


def test_schemes_have_waterfalls_of_their_own() -> None:
    """QPSK needs 3 dB more than BPSK (the same bits at half the energy each); all lie 0.5 to 2.5 dB above Shannon."""
    middles = [next(snr for snr in np.arange(-10, 15, 0.01) if bler(mcs, 324, snr) < 0.5) for mcs in WIFI_TABLE]
    assert middles[1] - middles[0] == pytest.approx(3.01, abs=0.1)
    for mcs, middle in zip(WIFI_TABLE, middles, strict=True):
        assert 0.5 < middle - mcs.shannon_db(324) < 2.5
        assert mcs.shannon_db(324) == pytest.approx(10 * np.log10(2 ** (mcs.bits_per_symbol / 2) - 1))


def test_a_code_word_is_what_the_coder_says_it_is() -> None:
    tools = coder(WIFI_TABLE[1], 324)
    bits = keys.generator("word").integers(0, 2, (2, 324)).astype(np.uint8)
    sent = tools.modulate(bits)
    assert sent.shape == (2, 324) and np.mean(np.abs(sent) ** 2) == pytest.approx(1, abs=1e-5)
    decoded, whole = tools.decode(np.stack([sent[0], -sent[1] * 0 + 1e-3]), np.array([0.1, 10.0]))
    assert np.array_equal(decoded[0], bits[0]) and whole[0]
