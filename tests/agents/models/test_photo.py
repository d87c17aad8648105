"""The photograph codec against the definitions: symbols, power, prefix and header of one picture; its start as a linear code."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.agents.models.codecs import photo
from semcast.agents.models.codecs.photo import HEADER_BITS, Header, PhotoCodec, from_symbols, symbols_of, to_symbols
from semcast.agents.models.codecs.photo_network import (
    CHANNELS,
    RATE_NODES,
    SNR_NODES_DB,
    Decoder,
    Encoder,
    between,
    spread,
    wiener,
)
from semcast.bus.channel.awgn import add_noise, check_unit_power
from semcast.bus.errors import BadInput

from .photo_like import linear_codec, photo_like, statistics

torch.set_num_threads(1)
CODEC = linear_codec()


def psnr_db(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


def hop(codec: PhotoCodec, picture: np.ndarray, cbr: Fraction, snr_db: float) -> np.ndarray:
    sent = codec.encode(picture, symbols_of(cbr, *picture.shape[:2]), snr_db)
    return codec.decode(sent.header, add_noise(sent.symbols, snr_db, 1.0, "test"), snr_db)


def test_cbr_counts_complex_symbols() -> None:
    """768x512 at 1/16: 73,728 complex uses, not as many reals (ANCHORS: a factor of two)."""
    assert symbols_of(Fraction(1, 16), 512, 768) == 3 * 512 * 768 // 16 == 73728
    assert 2 * 128 == RATE_NODES[-1] == CHANNELS and Fraction(128, 3 * 16 * 16) == Fraction(1, 6)
    assert Fraction(RATE_NODES[0] // 2, 3 * 16 * 16) == Fraction(1, 48)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(16, 128), st.integers(0, 9))
def test_any_size_gives_exactly_the_symbols_asked_for_at_unit_power(height: int, width: int, pairs: int, less: int) -> None:
    picture = photo_like(height, width, "any")
    places = -(-height // 16) * -(-width // 16)
    n = pairs * places - min(less, places - 1)
    sent = CODEC.encode(picture, n, 5.0)
    assert sent.symbols.shape == (n,) and sent.symbols.dtype == np.complex64
    assert np.mean(np.abs(sent.symbols.astype(complex)) ** 2) == pytest.approx(1, abs=1e-5)
    check_unit_power(sent.symbols)
    assert sent.header.pairs == pairs
    assert CODEC.decode(sent.header, sent.symbols, 5.0).shape == (height, width, 3)


def test_power_is_one_for_a_dark_and_a_bright_picture_each() -> None:
    """Per picture, never per batch: whatever its energy."""
    for picture in (np.full((32, 32, 3), 127, np.uint8), photo_like(32, 32, "x"), np.full((32, 32, 3), 255, np.uint8)):
        sent = CODEC.encode(picture, 192, 10.0)
        assert np.mean(np.abs(sent.symbols.astype(complex)) ** 2) == pytest.approx(1, abs=1e-5)


def test_fewer_symbols_of_a_rate_are_a_prefix() -> None:
    picture = photo_like(64, 64, "prefix")
    long, short = (CODEC.encode(picture, n, 10.0).symbols for n in (48 * 16, 48 * 16 - 7))
    ratio = short / long[: short.size]
    assert np.allclose(ratio, ratio[0], rtol=1e-5)


def test_symbols_and_planes_are_the_same_values_and_the_unsent_are_zero() -> None:
    code = torch.randn(CHANNELS, 2, 3)
    flat = to_symbols(code)
    assert flat.shape == (CHANNELS // 2 * 6,)
    assert flat[7] == pytest.approx(complex(code[2, 0, 1], code[3, 0, 1]))
    assert torch.equal(from_symbols(flat, 2, 3), code)
    part = from_symbols(flat[:15], 2, 3)
    assert torch.equal(part[:4], code[:4]) and not part[6:].any()


@given(st.integers(1, 8191), st.integers(1, 8191), st.integers(1, 128), st.integers(0, 255))
def test_header_is_its_bits(height: int, width: int, pairs: int, scale: int) -> None:
    header = Header(height, width, pairs, scale)
    raw = header.to_bytes()
    assert len(raw) == -(-HEADER_BITS // 8) and HEADER_BITS == 13 + 13 + 7 + 8
    assert Header.from_bytes(raw) == header


def test_header_tells_the_scale_to_a_twentieth_of_a_decibel() -> None:
    picture = photo_like(48, 48, "scale")
    sent = CODEC.encode(picture, 48 * 9, 10.0)
    with torch.inference_mode():
        planes = torch.from_numpy(picture.astype(np.float32) / 255).permute(2, 0, 1)[None]
        raw = to_symbols(CODEC.encoder(planes, torch.tensor([96.0]), torch.tensor([10.0]))[0])[: 48 * 9]
    power_db = 10 * np.log10(np.mean(np.abs(raw) ** 2))
    assert 20 * np.log10(sent.header.factor) == pytest.approx(power_db, abs=0.051)


def test_a_damaged_header_is_refused() -> None:
    for raw in (b"\x00" * 6, b"\x01"):
        with pytest.raises(BadInput):
            Header.from_bytes(raw)


def test_what_cannot_be_sent_is_refused() -> None:
    picture = photo_like(32, 32, "refused")
    for wrong in (15 * 4, 128 * 4 + 1, 0):
        with pytest.raises(BadInput, match="CBR 1/48 to 1/6"):
            CODEC.encode(picture, wrong, 10.0)
    for shape, kind in (((32, 32), np.uint8), ((32, 32, 4), np.uint8), ((32, 32, 3), np.float32), ((0, 3, 3), np.uint8)):
        with pytest.raises(BadInput, match="uint8 RGB"):
            CODEC.encode(np.zeros(shape, kind), 192, 10.0)
    sent = CODEC.encode(picture, 192, 10.0)
    with pytest.raises(BadInput, match="symbols received"):
        CODEC.decode(sent.header, sent.symbols[:100], 10.0)
    with pytest.raises(BadInput, match="not a number"):
        CODEC.decode(sent.header, sent.symbols, float("nan"))


def test_quality_rises_with_snr_and_with_rate() -> None:
    picture = photo_like(128, 96, "graceful")
    over_snr = [psnr_db(picture, hop(CODEC, picture, Fraction(1, 16), snr)) for snr in (-5.0, 1.0, 7.0, 13.0, 19.0)]
    over_rate = [psnr_db(picture, hop(CODEC, picture, cbr, 10.0)) for cbr in (Fraction(1, 48), Fraction(1, 16), Fraction(1, 6))]
    assert over_snr == sorted(over_snr) and over_rate == sorted(over_rate)


def test_equal_arguments_give_equal_bits() -> None:
    picture = photo_like(64, 80, "bits")
    first = hop(CODEC, picture, Fraction(1, 24), 4.0)
    hop(CODEC, photo_like(96, 32, "other"), Fraction(1, 6), 13.0)
    assert np.array_equal(first, hop(CODEC, picture, Fraction(1, 24), 4.0))


@given(st.integers(2, 60), st.floats(-5, 20))
def test_power_is_spread_by_the_closed_form(sent: int, snr_db: float) -> None:
    """All power is used, and no value would gain more from a little of it than another (the condition of the optimum)."""
    variances = 100.0 / np.arange(1, 65) ** 2
    noise = 10 ** (-snr_db / 10) / 2
    power = spread(variances, sent, snr_db) ** 2 * variances
    assert power.sum() == pytest.approx(sent / 2) and not power[sent:].any()
    gain_of_power = variances[:sent] * noise / (power[:sent] + noise) ** 2
    used = power[:sent] > 1e-9
    assert np.allclose(gain_of_power[used], gain_of_power[0], rtol=1e-5)
    assert np.all(gain_of_power[~used] <= gain_of_power[0] * (1 + 1e-5))


def test_wiener_factor_is_the_regression_on_what_is_received() -> None:
    rng = np.random.default_rng(1)
    value, noise = 3 * rng.standard_normal(400_000), np.sqrt(10**-0.7 / 2) * rng.standard_normal(400_000)
    received = 0.2 * value + noise
    assert wiener(np.array([0.2]), np.array([9.0]), 7.0)[0] == pytest.approx((received @ value) / (received @ received), rel=0.01)


def test_gains_are_exact_at_the_nodes_and_linear_between() -> None:
    table = torch.randn(len(RATE_NODES), len(SNR_NODES_DB), CHANNELS)
    found = between(table, torch.tensor([96.0, 32.0, 256.0, 96.0, 64.0]), torch.tensor([10.0, -5.0, 20.0, 12.5, 99.0]))[..., 0, 0]
    assert torch.allclose(found[0], table[3, 3], atol=1e-5)
    assert torch.allclose(found[1], table[0, 0], atol=1e-5)
    assert torch.allclose(found[2], table[6, 5], atol=1e-5)
    assert torch.allclose(found[3], (table[3, 3] + table[3, 4]) / 2, atol=1e-5)
    assert torch.allclose(found[4], table[2, 5], atol=1e-5)


def test_before_training_the_code_is_principal_components() -> None:
    """Against an independent projection in NumPy."""
    axes, variances, mean = statistics()
    picture = photo_like(16, 16, "block")
    with torch.inference_mode():
        planes = torch.from_numpy(picture.astype(np.float32) / 255).permute(2, 0, 1)[None]
        code = CODEC.encoder(planes, torch.tensor([96.0]), torch.tensor([10.0]))[0, :, 0, 0].numpy()
    components = axes @ (picture.reshape(-1) / 255 - 0.5 - mean)
    gains = np.maximum(spread(variances, 96, 10.0), np.where(np.arange(CHANNELS) < 96, 0.02 / np.sqrt(variances), 0))
    assert np.allclose(code, components * gains, atol=2e-3)


def test_networks_of_any_batch_agree_with_one_picture() -> None:
    encoder, decoder = Encoder(), Decoder()
    pictures, rate, snr_db = torch.rand(2, 3, 32, 48), torch.tensor([96.0, 32.0]), torch.tensor([10.0, 1.0])
    with torch.inference_mode():
        both = encoder(pictures, rate, snr_db)
        assert both.shape == (2, CHANNELS, 2, 3)
        assert torch.allclose(both[1:], encoder(pictures[1:], rate[1:], snr_db[1:]), atol=1e-4)
        assert decoder(both, rate, snr_db).shape == pictures.shape


SHIPPED = photo.FOLDER / "card.json"


@pytest.mark.skipif(not SHIPPED.is_file(), reason="the codec is not trained: semcast train jscc-photos --photos DIR")
def test_the_shipped_codec_is_graceful_and_what_its_card_says() -> None:
    """Drawn pictures here; `semcast eval jscc` measures photographs. Held-out files are none of those trained on."""
    codec, picture = photo.load_photo_codec(), photo_like(160, 240, "shipped")
    over_snr = [psnr_db(picture, hop(codec, picture, Fraction(1, 16), snr)) for snr in (-4.0, 1.0, 7.0, 13.0)]
    over_rate = [psnr_db(picture, hop(codec, picture, cbr, 10.0)) for cbr in (Fraction(1, 48), Fraction(1, 16), Fraction(1, 6))]
    assert over_snr == sorted(over_snr) and over_rate == sorted(over_rate)
    assert codec.card is not None
    training, scores = codec.card.data["training"], codec.card.data["held_out_psnr_db"]
    assert not {entry["sha256"] for entry in training["held_out"]} & set(training["data"])
    assert all(int(entry["sha256"][:2], 16) < 26 for entry in training["held_out"])
    for row in scores.values():
        values = [row[snr] for snr in sorted(row, key=float)]
        assert values == sorted(values)
    assert scores["1/48"]["10"] < scores["1/16"]["10"] < scores["1/6"]["10"]
