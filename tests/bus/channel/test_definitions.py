"""SNR, noise and power against closed forms (DESIGN section 7)."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import erfc
from semcast.bus import keys
from semcast.bus.channel import unit_power
from semcast.bus.channel.awgn import add_noise, check_unit_power, equalise, estimate
from semcast.bus.errors import BadInput


def q_function(x: float) -> float:
    return 0.5 * float(erfc(x / np.sqrt(2)))


def qam(bits: np.ndarray, per_axis: int) -> np.ndarray:
    """Gray QPSK (per_axis 1) or 16QAM (2) of unit power, written here on its own; bits (n, 2, per_axis)."""
    sign = 1.0 - 2.0 * bits[:, :, 0]
    level = sign if per_axis == 1 else sign * (1.0 + 2.0 * bits[:, :, 1])
    return ((level[:, 0] + 1j * level[:, 1]) / np.sqrt(2 if per_axis == 1 else 10)).astype(np.complex64)


def bits_of(received: np.ndarray, per_axis: int) -> np.ndarray:
    axes = np.stack([received.real, received.imag], axis=1)
    sign = axes < 0
    return sign[:, :, None] if per_axis == 1 else np.stack([sign, np.abs(axes) > 2 / np.sqrt(10)], axis=2)


@pytest.mark.parametrize("snr_db", [0.0, 4.0, 8.0])
def test_qpsk_bit_errors_over_awgn(snr_db: float) -> None:
    bits = keys.generator("qpsk").integers(0, 2, (400_000, 2, 1))
    received = add_noise(qam(bits, 1), snr_db, 1.0, "noise", round(snr_db))
    wrong = int((bits_of(received, 1) != bits).sum())
    expected = q_function(np.sqrt(10 ** (snr_db / 10)))  # Q(sqrt(Es/N0)): each axis has Es/2 and N0/2
    assert stats.binomtest(wrong, bits.size, expected).pvalue > 1e-3


@pytest.mark.parametrize("snr_db", [6.0, 12.0])
def test_16qam_bit_errors_over_awgn(snr_db: float) -> None:
    bits = keys.generator("16qam").integers(0, 2, (400_000, 2, 2))
    received = add_noise(qam(bits, 2), snr_db, 1.0, "noise", round(snr_db))
    wrong = int((bits_of(received, 2) != bits).sum())
    a = np.sqrt(10 ** (snr_db / 10) / 5)  # half the distance of two levels over the noise of one axis
    expected = (3 * q_function(a) + 2 * q_function(3 * a) - q_function(5 * a)) / 4
    assert stats.binomtest(wrong, bits.size, expected).pvalue > 1e-3


@pytest.mark.parametrize("gain", [1.0, 0.3 + 0.4j])
def test_noise_has_n0_half_in_each_of_i_and_q(gain: complex) -> None:
    sent = qam(keys.generator("x").integers(0, 2, (300_000, 2, 1)), 1)
    noise = add_noise(sent, 7.0, gain, "n") - gain * sent
    n0 = 10**-0.7
    assert np.var(noise.real) == pytest.approx(n0 / 2, rel=0.01)
    assert np.var(noise.imag) == pytest.approx(n0 / 2, rel=0.01)
    assert abs(np.mean(noise.real * noise.imag)) < 0.005 * n0


def test_a_shorter_codeword_meets_a_prefix_of_the_noise() -> None:
    sent = np.ones(1000, np.complex64)
    long, short = add_noise(sent, 3.0, 1.0, "k"), add_noise(sent[:137], 3.0, 1.0, "k")
    assert np.array_equal(long[:137], short)


def test_unit_power_is_per_image() -> None:
    images = keys.complex_normal(3 * 64, "images").reshape(3, 64) * np.array([[0.1], [1.0], [30.0]], np.float32)
    assert np.mean(np.abs(unit_power(images)) ** 2, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)


def test_symbols_of_wrong_power_are_refused() -> None:
    with pytest.raises(BadInput, match="mean power 2"):
        check_unit_power(np.full(10, np.sqrt(2), np.complex64))
    with pytest.raises(BadInput, match="complex vector"):
        check_unit_power(np.ones(10, np.float32))
    with pytest.raises(BadInput, match="without power"):
        unit_power(np.zeros((1, 8), np.complex64))


@pytest.mark.parametrize("pilots", [1, 4, 16])
def test_estimation_error_is_n0_over_pilots(pilots: int) -> None:
    errors = np.array([estimate(0.5j, 6.0, pilots, "pilots", i).gain - 0.5j for i in range(3000)])
    assert np.mean(np.abs(errors) ** 2) == pytest.approx(10**-0.6 / pilots, rel=0.08)


def test_zero_forcing_leaves_the_noise_it_says() -> None:
    sent = qam(keys.generator("x").integers(0, 2, (2000, 2, 1)), 1)
    told, true = [], []
    for i in range(200):
        gain = 0.8 - 0.5j
        belief = estimate(gain, 15.0, 4, "pilots", i)
        out = equalise(add_noise(sent, 15.0, gain, "n", i), belief, "zf")
        told.append(belief.output_noise)
        true.append(float(np.mean(np.abs(out - sent) ** 2)))
    assert np.mean(true) == pytest.approx(np.mean(told), rel=0.05)


def test_mmse_has_the_smaller_error_and_perfect_estimates_are_exact() -> None:
    sent = qam(keys.generator("x").integers(0, 2, (50_000, 2, 1)), 1)
    belief = estimate(0.4 + 0.2j, 0.0, None)
    assert belief.gain == 0.4 + 0.2j and belief.snr_db == pytest.approx(10 * np.log10(0.2))
    heard = add_noise(sent, 0.0, belief.gain, "n")
    zf, mmse = (np.mean(np.abs(equalise(heard, belief, kind) - sent) ** 2) for kind in ("zf", "mmse"))  # type: ignore[arg-type]
    assert zf == pytest.approx(1 / 0.2, rel=0.02)
    assert mmse == pytest.approx(1 / (1 + 0.2), rel=0.02)  # closed form N0 / (|h|^2 + N0)
