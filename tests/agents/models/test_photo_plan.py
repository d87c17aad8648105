"""What of a photograph is sent, and what its receiver is told: closed forms, exact budgets, and any map of classes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from semcast.agents.models.codecs.photo_plan import CLASSES, amplitudes, gain_map, nearest_class, numbers_sent
from semcast.agents.models.codecs.photo_side import HEADER_BITS, HEADER_BYTES, ClassMap, Header, succession_odds
from semcast.bus.errors import BadInput

from .photo_like import maps, statistics

VARIANCES = statistics()[2].astype(float)
ODDS = succession_odds(maps())
shapes = st.tuples(st.integers(1, 12), st.integers(1, 12))
class_maps = arrays(np.int64, shapes, elements=st.integers(0, CLASSES - 1))


@given(class_maps, st.data())
def test_exactly_the_budget_is_sent_and_of_largest_variance(classes: np.ndarray, data: st.DataObject) -> None:
    values = data.draw(st.integers(1, VARIANCES.shape[1] * classes.size))
    counts = np.bincount(classes.ravel(), minlength=CLASSES)
    sent = numbers_sent(VARIANCES, counts, values)
    assert sent.sum() == values and np.all(sent <= counts[:, None]) and np.all(sent >= 0)
    there = counts[:, None] > 0
    whole, some = (sent == counts[:, None]) & there, (sent > 0) & there
    assert (some & ~whole).sum() <= 1
    if whole.any() and (there & ~some).any():
        assert VARIANCES[whole].min() >= VARIANCES[there & ~some].max()
    gains = gain_map(VARIANCES, classes, values, 10)
    assert gains.dtype == np.float32 and np.count_nonzero(gains) == values


@given(st.integers(2, 60), st.floats(-5, 20))
def test_power_is_spread_by_the_closed_form(kinds: int, snr_db: float) -> None:
    """All power is used, and no value would gain more from a little of it than another (the condition of the optimum)."""
    variances, often = 100.0 / np.arange(1, 65) ** 2, np.arange(64) % 7 + 1
    often[kinds:] = 0
    noise = 10 ** (-snr_db / 10) / 2
    gains = amplitudes(variances, often, snr_db)
    power = gains**2 * variances
    used = power > 0.02**2 * 1.001  # the others have the least amplitude, which no optimum gives
    assert (power * often)[used].sum() == pytest.approx(often.sum() / 2, rel=1e-3) and not power[kinds:].any()
    gain_of_power = variances * noise / (power + noise) ** 2
    assert np.allclose(gain_of_power[used], gain_of_power[used][0], rtol=1e-4)
    assert np.all(gain_of_power[:kinds][~used[:kinds]] <= gain_of_power[used][0] * 1.01)


def test_the_class_is_the_likeliest() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(CLASSES, size=300)
    values = rng.standard_normal((300, VARIANCES.shape[1])) * np.sqrt(VARIANCES[truth])
    density = -np.square(values[:, None, 3:]) / VARIANCES[:, 3:] / 2 - np.log(VARIANCES[:, 3:]) / 2
    found = nearest_class(values, VARIANCES)
    assert np.array_equal(found, density.sum(-1).argmax(1)) and np.mean(found == truth) > 0.5  # neighbours overlap


@settings(max_examples=50)
@given(class_maps)
def test_any_map_comes_back(classes: np.ndarray) -> None:
    coder = ClassMap(ODDS)
    assert np.array_equal(coder.decode(coder.encode(classes), classes.shape), classes)


def test_usual_maps_take_the_bits_of_their_odds() -> None:
    """Within two words of the ideal, minus log2 of what was said of each class; fewer than 4 bits a block."""
    for classes in maps()[:5]:
        left, above = np.pad(classes, ((0, 0), (1, 0)))[:, :-1], np.pad(classes, ((1, 0), (0, 0)))[:-1]
        ideal = -np.log2(ODDS[left, above, classes]).sum()
        bits = 8 * len(ClassMap(ODDS).encode(classes))
        assert ideal - 1 < bits < ideal + 64 < 4 * classes.size + 64
    assert np.allclose(ODDS.sum(-1), 1, atol=1e-5)


@given(st.binary(max_size=40), shapes)
def test_any_bytes_are_some_map_or_refused(raw: bytes, shape: tuple[int, int]) -> None:
    coder = ClassMap(ODDS)
    if len(raw) % 4:
        with pytest.raises(BadInput, match="words"):
            coder.decode(raw, shape)
    for given_bytes in (raw[: len(raw) // 4 * 4], b"\xff" * 8):
        try:
            found = coder.decode(given_bytes, shape)
        except BadInput as error:
            assert "damaged" in error.message
        else:
            assert found.shape == shape and found.min() >= 0 and found.max() < CLASSES


def test_words_that_no_encoder_wrote_are_refused() -> None:
    with pytest.raises(BadInput, match="damaged"):
        ClassMap(ODDS).decode(b"\xff" * 8, (30, 40))


@given(st.integers(1, 8191), st.integers(1, 8191), st.integers(0, 1023), st.integers(-20, 43), st.integers(0, 65535))
def test_header_is_its_bits(height: int, width: int, scale: int, design_db: int, words: int) -> None:
    header = Header(height, width, scale, design_db, words)
    assert len(header.to_bytes()) == HEADER_BYTES == 8 and HEADER_BITS == 13 + 13 + 10 + 6 + 16
    assert Header.from_bytes(header.to_bytes()) == header
    assert header.shape == (-(-height // 16), -(-width // 16))


def test_a_damaged_header_is_refused() -> None:
    for raw in (b"\x00" * 6, b"\x01"):
        with pytest.raises(BadInput):
            Header.from_bytes(raw)
