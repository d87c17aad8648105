"""Encoder policies: switching with hysteresis, and expectations against closed forms and Monte Carlo."""

from itertools import pairwise
from math import fsum, log, log10, pi

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import exp1, j0
from scipy.stats import ncx2, norm
from semcast.bus.errors import BadInput
from semcast.policies.encoder.fading import NORMAL, SHARES, bessel_j0, snr_now
from semcast.policies.encoder.worth import Outlook, predicted_psnr_db
from semcast.policies.protocols import CodecCard, EncoderContext
from semcast.policies.registry import load, resolve

GRID = (-10.0, 0.0, 10.0, 20.0)
LOW = CodecCard("low", 0.0, 1 / 48, 256, tuple(zip(GRID, (18.0, 22.0, 23.0, 23.2), strict=True)))
MID = CodecCard("mid", 7.0, 1 / 48, 256, tuple(zip(GRID, (12.0, 21.0, 26.0, 26.5), strict=True)))
HIGH = CodecCard("high", 14.0, 1 / 48, 256, tuple(zip(GRID, (8.0, 15.0, 26.2, 29.0), strict=True)))
BIG = CodecCard("big", 7.0, 1 / 16, 768, tuple(zip(GRID, (14.0, 23.0, 28.0, 28.5), strict=True)))


def choose(text, csi_snr_db, codecs=(LOW, MID, HIGH), age_s=0.0, std_db=0.0, doppler_hz=0.0, last="", mean=None):
    context = EncoderContext(codecs, csi_snr_db, age_s, std_db, doppler_hz, 1e6, last, mean)
    return load(resolve("encoder", text)).choose(context, lambda name: 0.5).codec


def test_fixed_by_name_or_nearest() -> None:
    assert choose("fixed:codec=high", -20) == "high"
    assert choose("fixed:codec=gone", -20) == "mid"
    assert choose("fixed:snr_db=13", -20) == "high"
    assert choose("fixed:cbr=0.07", -20, (LOW, MID, BIG)) == "big"


def test_snr_table_takes_the_nearest_specialist_below() -> None:
    assert [choose("snr-table", snr_db) for snr_db in (-30, 0, 6.9, 7, 13.9, 14, 40)] == [
        "low",
        "low",
        "low",
        "mid",
        "mid",
        "high",
        "high",
    ]
    assert choose("snr-table:margin_db=2", 8) == "low"
    assert choose("snr-table:cbr=0.06", 8, (LOW, MID, BIG)) == "big"


def test_snr_table_hysteresis() -> None:
    assert choose("snr-table", 7.5, last="low") == "low" and choose("snr-table", 8.0, last="low") == "mid"
    assert choose("snr-table", 6.5, last="mid") == "mid" and choose("snr-table", 5.9, last="mid") == "low"
    assert choose("snr-table", 14.5, last="mid") == "mid"


@given(st.lists(st.floats(6.01, 7.99), min_size=2, max_size=30))
def test_snr_table_does_not_flap_near_a_threshold(reports) -> None:
    last, seen = "", []
    for report in reports:
        last = choose("snr-table:hysteresis_db=1", report, last=last)
        seen.append(last)
    assert len(set(seen)) == 1


def test_prediction_is_interpolated_and_clamped() -> None:
    assert [predicted_psnr_db(LOW, x) for x in (-99, -10, -5, 0, 4, 20, 99)] == [18.0, 18.0, 20.0, 22.0, 22.4, 23.2, 23.2]


def test_bessel_against_scipy() -> None:
    x = np.linspace(-300, 300, 4001)
    assert np.abs([bessel_j0(v) for v in x] - j0(x)).max() < 1e-12
    assert bessel_j0(1e9) == 0.0


def test_normal_levels_are_conditional_means() -> None:
    drawn = np.sort(np.random.default_rng(3).standard_normal(1 << 20))
    ends = np.round(np.cumsum((0.0, *SHARES)) * drawn.size).astype(int)
    assert np.allclose(NORMAL, [drawn[low:high].mean() for low, high in pairwise(ends)], atol=0.02)
    assert fsum(SHARES) == 1.0


def test_a_fresh_exact_report_is_taken_at_its_word() -> None:
    assert {snr_db for snr_db, _ in snr_now(7.0, 0.0, 0.0, 50.0, None)} == {7.0}
    assert {snr_db for snr_db, _ in snr_now(7.0, 0.0, 1.0, 0.0, None)} == {7.0}


def lags(age, doppler):
    """(blocks since the report, probability, Jakes' correlation over them)."""
    blocks = age * doppler / 0.423
    later = max(1, round(blocks))
    return [(0, max(0.0, 1 - blocks), 1.0), (later, min(1.0, blocks), j0(2 * pi * 0.423 * later))]


@given(st.floats(-10, 25), st.floats(0, 3), st.floats(0, 0.2), st.floats(0, 60), st.none() | st.floats(-10, 25))
def test_distribution_sums_to_one_and_has_the_right_mean(csi, std, age, doppler, mean) -> None:
    """The mean in dB of a Rician power with line-of-sight ratio K is that of its steady part plus 10 / ln 10 E1(K)."""
    found = snr_now(csi, std, age, doppler, mean)
    assert fsum(weight for _, weight in found) == pytest.approx(1.0, abs=1e-12)
    expected = 0.0
    for lag, weight, rho in lags(age, doppler):
        ratio = rho**2 / (1 - rho**2) * 10 ** ((csi - (csi if mean is None else mean)) / 10) if lag else 0.0
        expected += weight * (csi + 10 * log10(rho**2) + 10 / log(10) * exp1(ratio) if lag else csi)
    assert fsum(x * weight for x, weight in found) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("card", [LOW, HIGH, BIG], ids=lambda card: card.name)
@pytest.mark.parametrize(
    ("age_s", "std_db", "mean"), [(0.004, 1.0, None), (0.03, 0.5, 8.0), (0.001, 2.5, 15.0), (10.0, 0.0, 12.0)]
)
def test_expected_quality_against_monte_carlo(card, age_s, std_db, mean) -> None:
    """The age is that of the CSI at the decision, of the link after it, and of the codec's encoding."""
    csi, doppler, n = 6.0, 17.5, 200_000
    rng = np.random.default_rng(7)
    w = (rng.standard_normal(n) + 1j * rng.standard_normal(n)) / np.sqrt(2)
    then = 10 ** ((csi + std_db * rng.standard_normal(n)) / 10)
    power = then if mean is None else np.full(n, 10 ** (mean / 10))
    (_, held, _), (_, _, later) = lags(age_s, doppler)
    rho = np.where(rng.random(n) < held, 1.0, later)
    snr_db = 10 * np.log10(np.abs(rho * np.sqrt(then) + np.sqrt(1 - rho**2) * np.sqrt(power) * w) ** 2)
    exact = np.interp(snr_db, *zip(*card.psnr_db, strict=True))
    slow = msgspec.structs.replace(card, encode_s=age_s / 4)
    context = EncoderContext((slow,), csi, age_s / 2, std_db, doppler, 1e6, mean_snr_db=mean, lead_s=age_s / 4)
    assert Outlook(context).expected_psnr_db(slow) == pytest.approx(exact.mean(), abs=0.06)
    assert Outlook(context).spread_db(slow) == pytest.approx(exact.std(), abs=0.1)


def test_a_slow_codec_meets_an_older_channel() -> None:
    """Two codecs alike but for their encoding time: with a report above the mean the quick one is worth more."""
    quick, slow = HIGH, msgspec.structs.replace(HIGH, name="a slow one", encode_s=0.02)
    assert choose("argmax-quality", 14.0, (slow, quick), doppler_hz=17.5, mean=0.0) == "high"
    assert choose("argmax-quality", -9.0, (slow, quick), doppler_hz=17.5, mean=14.0) == "a slow one"


def test_a_forgotten_report_leaves_rayleigh_fading() -> None:
    """E[ln SNR] of Rayleigh fading is ln(mean) - Euler's gamma; P(outage) is 1 - exp(-x / mean)."""
    found = snr_now(3.0, 0.0, 1.0, 1e6, 10.0)
    assert fsum(weight * x for x, weight in found) == pytest.approx(10.0 - 10 * np.euler_gamma / log(10), abs=0.03)
    capacity = fsum(weight * log(1 + 10 ** (x / 10)) for x, weight in found)
    assert capacity == pytest.approx(np.exp(0.1) * exp1(0.1), abs=0.02)


def test_argmax_takes_the_best_curve() -> None:
    assert [choose("argmax-quality", snr_db) for snr_db in (-10, 5, 20)] == ["low", "mid", "high"]


def test_denoising_is_for_bad_channels_and_for_receivers_that_can() -> None:
    policy = load(resolve("encoder", "argmax-quality:denoise_below_db=6"))

    def denoise(snr_db, denoiser):
        return policy.choose(EncoderContext((LOW,), snr_db, 0.0, 0.0, 0.0, 1e6, denoiser=denoiser), lambda name: 0.5).denoise

    assert [denoise(snr_db, True) for snr_db in (-3.0, 5.9, 6.0, 20.0)] == [True, True, False, False]
    assert denoise(20.0, False)  # nothing to decide: the default


def test_price_decides_between_rates() -> None:
    assert choose("argmax-quality:db_per_ksymbol=0", 7, (MID, BIG)) == "big"
    assert choose("argmax-quality:db_per_ksymbol=10", 7, (MID, BIG)) == "mid"


def test_stale_reports_make_it_careful() -> None:
    assert choose("argmax-quality", 12.0) == "high"
    assert choose("argmax-quality", 12.0, age_s=0.05, doppler_hz=17.5) == "mid"
    assert choose("argmax-quality", 12.0, age_s=10.0, doppler_hz=17.5, mean=0.0) == "low"
    assert choose("argmax-quality:risk=2", 10.4, std_db=3.0) != choose("argmax-quality", 10.4)


@pytest.mark.parametrize("probability", [0.02, 0.1, 0.5, 0.8])
@pytest.mark.parametrize(
    ("csi", "std_db", "age_s", "mean"),
    [(6.0, 2.0, 0.0, None), (6.0, 0.5, 0.01, 12.0), (15.0, 2.0, 0.02, 3.0), (6.0, 1.0, 0.035, 10.0), (0.0, 1.0, 100.0, 10.0)],
)
def test_outage_snr_against_the_exact_distribution(csi, std_db, age_s, mean, probability) -> None:
    """Normal errors in the report's own block, Rice's distribution (non-central chi-squared) in later ones."""

    def below(x):
        total = 0.0
        for lag, weight, rho in lags(age_s, 17.5):
            power = 10 ** ((csi if mean is None else mean) / 10) * (1 - rho**2)
            aged = ncx2.cdf(2 * 10 ** (x / 10) / power, 2, 2 * rho**2 * 10 ** (csi / 10) / power) if lag else None
            total += weight * (norm.cdf(x, csi, std_db) if lag == 0 else aged)
        return total

    context = EncoderContext((LOW,), csi, age_s, std_db, 17.5, 1e6, mean_snr_db=mean)
    found = Outlook(context).quantile_db(LOW, probability)
    assert below(found) == pytest.approx(probability, abs=0.012)
    if age_s == 100.0:
        assert found == pytest.approx(10 + 10 * log10(-log(1 - probability)), abs=0.6)


def test_outage_keeps_a_margin_for_stale_csi() -> None:
    assert [choose("outage", snr_db) for snr_db in (-10, 5, 20)] == ["low", "mid", "high"]  # fresh and exact: none
    assert choose("outage", 12.0) == "high" and choose("outage", 12.0, std_db=3.0) == "mid"
    aged = [choose("outage", 15.0, age_s=age, doppler_hz=17.5, mean=12.0) for age in (0.0, 0.01, 10.0)]
    assert aged == ["high", "mid", "low"]
    assert choose("outage:probability=0.5", 15.0, age_s=0.01, doppler_hz=17.5, mean=12.0) == "high"


def test_genie_takes_the_best_at_the_true_snr() -> None:
    """Against all codecs, by their tables; CSI does not matter."""
    genie = load(resolve("encoder", "genie:db_per_ksymbol=2"))
    for truth in np.linspace(-12, 25, 75):
        found = genie.choose(
            EncoderContext((LOW, MID, HIGH, BIG), -20.0, 9.0, 0.0, 0.0, 1e6, truth=truth), lambda name: 0.5
        ).codec
        worth = {c.name: np.interp(truth, *zip(*c.psnr_db, strict=True)) - 2 * c.symbols / 1000 for c in (LOW, MID, HIGH, BIG)}
        assert worth[found] == pytest.approx(max(worth.values()), abs=1e-9)


def test_genie_needs_the_truth() -> None:
    with pytest.raises(BadInput, match="not told the true SNR"):
        choose("genie", 7.0)


def test_limits_exclude_codecs() -> None:
    """MID and BIG differ in their symbols: 0.256 and 0.768 ms of air, with 1 ms of encoding, 2 of the way, 1 of decoding."""
    cards = tuple(msgspec.structs.replace(c, encode_s=0.001, decode_s=0.001, joules=c.symbols * 1e-5) for c in (MID, BIG))

    def decide(parameters, waited_s=0.1):
        context = EncoderContext(cards, 12.0, 0.0, 0.0, 0.0, 1e6, lead_s=0.002, waited_s=waited_s)
        return load(resolve("encoder", f"limited:{parameters}")).choose(context, lambda name: 0.5)

    assert decide("deadline_s=0.1048").codec == "big" and decide("deadline_s=0.1047").codec == "mid"
    assert decide("deadline_s=0,joules=0.0077").codec == "big" and decide("deadline_s=0,joules=0.0076").codec == "mid"
    late = decide("deadline_s=0.1")
    assert late.codec == "mid" and late.reason.startswith("no codec is within the limits")


def test_without_limits_it_is_argmax_quality() -> None:
    for snr_db in range(-12, 25):
        assert choose("limited:deadline_s=0", snr_db, std_db=1.0) == choose("argmax-quality", snr_db, std_db=1.0)


def test_a_codec_without_a_table_is_the_last_resort() -> None:
    assert choose("argmax-quality", 10.0, (CodecCard("raw", 7.0, 0.02, 10, ()), LOW)) == "low"
