"""The photograph codec against the definitions: symbols, power, side information; its start as a linear code."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.agents.models.codecs import photo
from semcast.agents.models.codecs.photo import PhotoCodec, symbols_of
from semcast.agents.models.codecs.photo_network import Decoder, Encoder
from semcast.agents.models.codecs.photo_plan import CHANNELS, CLASSES, LEAST_AMPLITUDE, gain_map
from semcast.agents.models.codecs.photo_side import HEADER_BYTES, Header
from semcast.bus.channel.awgn import add_noise, check_unit_power
from semcast.bus.errors import BadInput

from .photo_like import linear_codec, photo_like, statistics

torch.set_num_threads(1)
CODEC = linear_codec()


def psnr_db(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


def hop(codec: PhotoCodec, picture: np.ndarray, cbr: Fraction, snr_db: float) -> np.ndarray:
    sent = codec.encode(codec.sketch(picture), symbols_of(cbr, *picture.shape[:2]), snr_db)
    return codec.decode(sent.side, add_noise(sent.symbols, snr_db, 1.0, "test"), snr_db)


def test_cbr_counts_complex_symbols() -> None:
    """768x512 at 1/16: 73,728 complex uses, not as many reals (ANCHORS: a factor of two)."""
    assert symbols_of(Fraction(1, 16), 512, 768) == 3 * 512 * 768 // 16 == 73728
    assert Fraction(photo.MOST_SYMBOLS, 3 * 16 * 16) == Fraction(1, 6)
    assert Fraction(photo.FEWEST_SYMBOLS, 3 * 16 * 16) == Fraction(1, 96)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.integers(8, 127), st.integers(0, 9))
def test_any_size_gives_exactly_the_symbols_asked_for_at_unit_power(height: int, width: int, each: int, more: int) -> None:
    picture = photo_like(height, width, "any")
    sketch = CODEC.sketch(picture)
    places = -(-height // 16) * -(-width // 16)
    n = each * places + min(more, places - 1)
    sent = CODEC.encode(sketch, n, 5.0)
    assert sent.symbols.shape == (n,) and sent.symbols.dtype == np.complex64
    assert np.mean(np.abs(sent.symbols.astype(complex)) ** 2) == pytest.approx(1, abs=1e-5)
    check_unit_power(sent.symbols)
    assert 8 * len(sent.side) - 8 < sketch.bits <= 8 * len(sent.side)
    assert CODEC.decode(sent.side, sent.symbols, 5.0).shape == (height, width, 3)


def test_power_is_one_for_a_dark_and_a_bright_picture_each() -> None:
    """Per picture, never per batch: whatever its energy."""
    for picture in (np.full((32, 32, 3), 127, np.uint8), photo_like(32, 32, "x"), np.full((32, 32, 3), 255, np.uint8)):
        sent = CODEC.encode(CODEC.sketch(picture), 192, 10.0)
        assert np.mean(np.abs(sent.symbols.astype(complex)) ** 2) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("level", [0, 1, 127, 255])
def test_an_even_picture_gets_better_with_the_snr(level: int) -> None:
    """Its power is far below the plan's; the header tells the scale all the same."""
    picture = np.full((96, 96, 3), level, np.uint8)
    picture[:, :48] ^= 1
    found = [psnr_db(picture, hop(CODEC, picture, Fraction(1, 16), snr_db)) for snr_db in (0.0, 10.0, 20.0)]
    assert found == sorted(found) and found[-1] > 38


def test_the_receiver_knows_the_plan_from_what_was_sent_alone() -> None:
    """Without noise every value that was sent is where it belongs: the linear code gives the projection back."""
    picture = photo_like(48, 64, "plan")
    sketch = CODEC.sketch(picture)
    caught: list[torch.Tensor] = []
    hook = CODEC.decoder.register_forward_pre_hook(lambda _, given: caught.extend(given))
    sent = CODEC.encode(sketch, 48 * 12, 10.0)
    CODEC.decode(sent.side, sent.symbols, 10.0)
    hook.remove()
    code, classes, gains = (tensor[0].numpy() for tensor in caught[:3])
    axes, mean, variances = statistics()
    assert np.array_equal(classes, sketch.classes)
    assert np.array_equal(gains, gain_map(variances.astype(float), sketch.classes, 2 * 48 * 12, 10))
    blocks = picture.reshape(3, 16, 4, 16, 3).transpose(0, 2, 1, 3, 4).reshape(12, 768) / 255 - 0.5
    components = ((blocks - mean) @ axes.T).reshape(3, 4, CHANNELS).transpose(2, 0, 1)
    assert np.count_nonzero(gains) == 2 * 48 * 12
    assert np.allclose(code, components * gains, atol=0.02 * np.abs(code).max())  # the scale is told to 0.05 dB


def test_header_tells_the_scale_to_a_twentieth_of_a_decibel() -> None:
    sketch = CODEC.sketch(photo_like(48, 48, "scale"))
    sent = CODEC.encode(sketch, 48 * 9, 10.0)
    gains = gain_map(statistics()[2].astype(float), sketch.classes, 96 * 9, 10.0)
    with torch.inference_mode():
        given = (
            torch.from_numpy(sketch.classes)[None],
            torch.from_numpy(gains)[None],
            torch.tensor([96.0]),
            torch.tensor([10.0]),
        )
        code = CODEC.encoder(sketch.planes[None], *given)[0].numpy()
    power_db = 10 * np.log10(2 * np.mean(code[gains > 0].astype(float) ** 2))
    assert 20 * np.log10(Header.from_bytes(sent.side).factor) == pytest.approx(power_db, abs=0.051)


def test_what_cannot_be_sent_is_refused() -> None:
    sketch = CODEC.sketch(photo_like(32, 32, "refused"))
    for wrong in (8 * 4 - 1, 128 * 4 + 1, 0):
        with pytest.raises(BadInput, match="CBR 1/96 to 1/6"):
            CODEC.encode(sketch, wrong, 10.0)
    for shape, kind in (((32, 32), np.uint8), ((32, 32, 4), np.uint8), ((32, 32, 3), np.float32), ((0, 3, 3), np.uint8)):
        with pytest.raises(BadInput, match="uint8 RGB"):
            CODEC.sketch(np.zeros(shape, kind))
    sent = CODEC.encode(sketch, 192, 10.0)
    with pytest.raises(BadInput, match="symbols received"):
        CODEC.decode(sent.side, sent.symbols[:30], 10.0)
    for broken in (b"", b"\x00" * 9, sent.side[: HEADER_BYTES + 3], sent.side + b"\x00" * 4):
        with pytest.raises(BadInput):
            CODEC.decode(broken, sent.symbols, 10.0)
    with pytest.raises(BadInput, match="finite"):
        CODEC.decode(sent.side, np.full_like(sent.symbols, np.nan), 10.0)
    for call in (lambda: CODEC.decode(sent.side, sent.symbols, float("nan")), lambda: CODEC.encode(sketch, 192, float("nan"))):
        with pytest.raises(BadInput, match="not a number"):
            call()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.floats(allow_nan=False))
def test_damaged_classes_and_any_snr_give_some_picture_or_are_refused(seed: int, snr_db: float) -> None:
    sent = CODEC.encode(CODEC.sketch(photo_like(32, 48, "damaged")), 6 * 48, snr_db)
    assert CODEC.decode(sent.side, sent.symbols, snr_db).shape == (32, 48, 3)
    junk = np.random.default_rng(seed).bytes(len(sent.side) - HEADER_BYTES)
    try:
        assert CODEC.decode(sent.side[:HEADER_BYTES] + junk, sent.symbols, snr_db).shape == (32, 48, 3)
    except BadInput as error:
        assert "damaged" in error.message


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


def test_the_linear_receiver_is_the_wiener_filter() -> None:
    """Before training: the factor of least squared error for a value of the class's variance (regression on what is received)."""
    rng = np.random.default_rng(1)
    gains, classes = torch.zeros(1, CHANNELS, 1, 1), torch.zeros(1, 1, 1, dtype=torch.int64)
    gains[0, 5], spread = 0.2, float(CODEC.decoder.variances[0, 5])
    value, noise = spread**0.5 * rng.standard_normal(400_000), 0.03 * rng.standard_normal(400_000)
    received = 0.2 * value + noise
    code = torch.zeros(1, CHANNELS, 1, 1)
    code[0, 5] = 1.0
    with torch.inference_mode():
        condition = (torch.tensor([9e-4]), torch.tensor([96.0]), torch.tensor([10.0]))
        both = [CODEC.decoder(given, classes, gains, *condition) for given in (code, torch.zeros_like(code))]
    factor = float((both[0] - both[1]).norm())  # the axes have length one
    assert factor == pytest.approx((received @ value) / (received @ received), rel=0.02)


def test_before_training_the_code_is_principal_components() -> None:
    """Against an independent projection in NumPy."""
    axes, mean, _ = statistics()
    picture = photo_like(16, 16, "block")
    with torch.inference_mode():
        planes = torch.from_numpy(picture.astype(np.float32) / 255).permute(2, 0, 1)[None]
        condition = (torch.zeros(1, 1, 1, dtype=torch.int64), torch.full((1, CHANNELS, 1, 1), 0.5))
        code = CODEC.encoder(planes, *condition, torch.tensor([96.0]), torch.tensor([10.0]))[0, :, 0, 0].numpy()
    assert np.allclose(code, axes @ (picture.reshape(-1) / 255 - 0.5 - mean) / 2, atol=2e-3)


def test_networks_of_any_batch_agree_with_one_picture() -> None:
    encoder, decoder = Encoder(), Decoder()
    pictures, rate, snr_db = torch.rand(2, 3, 32, 48), torch.tensor([96.0, 32.0]), torch.tensor([10.0, 1.0])
    classes, gains, noise = torch.randint(CLASSES, (2, 2, 3)), torch.rand(2, CHANNELS, 2, 3), torch.tensor([0.1, 0.4])
    with torch.inference_mode():
        both = encoder(pictures, classes, gains, rate, snr_db)
        assert both.shape == (2, CHANNELS, 2, 3)
        assert torch.allclose(both[1:], encoder(pictures[1:], classes[1:], gains[1:], rate[1:], snr_db[1:]), atol=1e-4)
        assert decoder(both, classes, gains, noise, rate, snr_db).shape == pictures.shape


def test_no_value_that_is_sent_is_dead() -> None:
    """At an SNR where most are not worth power, each still has a little."""
    variances = statistics()[2].astype(float)
    gains = gain_map(variances, np.zeros((1, 1), np.int64), CHANNELS, -20)
    assert np.all(gains[:, 0, 0] * np.sqrt(variances[0]) > 0.99 * LEAST_AMPLITUDE)


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
