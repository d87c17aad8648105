"""What the study of digits measures with, against closed forms and other implementations."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorch_msssim import ssim as other_ssim
from semcast.agents.models.digits.data import PIXELS, SIDE, WHITE, digits
from semcast.agents.models.digits.models import UNKNOWN
from semcast.agents.models.digits.prompts import PARTS
from semcast.bus import keys
from semcast.bus.channel import MCS_TABLE, segment
from semcast.scenarios.studies import digits_classical as classical
from semcast.scenarios.studies import digits_plans as plans
from semcast.scenarios.studies.digits_bench import Desk, desks
from semcast.scenarios.studies.digits_cost import BASE_EDGES, base_graph, decoding_flops, lifting
from semcast.scenarios.studies.digits_linear import linear, shares
from semcast.scenarios.studies.digits_link import Frame
from semcast.scenarios.studies.digits_measure import Journeys, filled
from semcast.scenarios.studies.digits_scores import SIGMA, WINDOW, psnr_db, ssim, stroke_iou
from semcast.scenarios.studies.digits_trust import area, area_interval, roc, samples
from semcast.scenarios.studies.digits_ways import joined
from sklearn.metrics import roc_auc_score, roc_curve

PAGE = 16


@pytest.fixture(scope="module")
def desk() -> Desk:
    return desks(PAGE, 2)[0]


# --- scores -----------------------------------------------------------------------------------------------------------


def test_ssim_is_that_of_another_implementation() -> None:
    x = digits("test").pictures[:40].astype(np.float64)
    y = np.clip(x + keys.generator("test", "ssim").normal(0, 3, x.shape), 0, WHITE)
    a, b = (torch.from_numpy(v).view(-1, 1, SIDE, SIDE) for v in (x, y))
    wanted = other_ssim(a, b, data_range=WHITE, size_average=False, win_size=WINDOW, win_sigma=SIGMA)
    assert ssim(x, y) == pytest.approx(wanted.numpy(), abs=1e-6)
    assert ssim(x, x) == pytest.approx(1)


def test_psnr_and_strokes_by_hand() -> None:
    x, y = np.zeros((1, PIXELS)), np.zeros((1, PIXELS))
    x[0, :4], y[0, 2:6] = 16, 16
    assert psnr_db(x, y)[0] == pytest.approx(10 * np.log10(16**2 / (4 * 16**2 / 64)))
    assert stroke_iou(x, y)[0] == pytest.approx(2 / 6)
    assert psnr_db(x, x)[0] == 60 and stroke_iou(np.zeros((1, PIXELS)), np.zeros((1, PIXELS)))[0] == 1


def test_originals_score_best(desk: Desk) -> None:
    scores = desk.scorer(desk.of.pictures)
    assert scores.alignment == pytest.approx(1) and scores.equal.all() and scores.right.mean() > 0.9


# --- classical files --------------------------------------------------------------------------------------------------


def test_pages_there_and_back(desk: Desk) -> None:
    pictures = desk.of.pictures[:PAGE]
    assert np.array_equal(classical.digits_of(classical.page_of(pictures)), pictures)


def test_forms_are_decoded_from_their_bits(desk: Desk) -> None:
    pictures = desk.of.pictures[:PAGE]
    forms = {form.form: form for form in classical.ladder(pictures)}
    for name in ("PNG", "pixels, 17 levels"):
        assert np.array_equal(forms[name].shown, pictures)
    assert forms["pixels, 2 bits"].bits == classical.FORM_BITS + 2 * PIXELS * PAGE
    assert len(np.unique(forms["pixels, 1 bits"].shown)) <= 2
    better = [forms[f"JPEG {quality}"] for quality in (10, 50, 95)]
    errors = [((form.shown - pictures.astype(float)) ** 2).mean() for form in better]
    assert errors[0] > errors[1] > errors[2] and better[0].bits < better[1].bits < better[2].bits


@given(bits=st.integers(0, 6000))
def test_the_best_form_fits(bits: int) -> None:
    pictures = digits("validation").pictures[:4]
    best = classical.best_within(_ladder(), pictures, bits)
    assert best is None or best.bits <= bits
    assert best is not None or bits < min(form.bits for form in _ladder())


_LADDER: list[classical.Coded] = []


def _ladder() -> list[classical.Coded]:
    if not _LADDER:
        _LADDER.extend(classical.ladder(digits("validation").pictures[:4]))
    return _LADDER


def test_linear_code_spends_its_bits_and_improves() -> None:
    pictures = digits("validation").pictures
    assert [int(shares(bits).sum()) for bits in (0, 7, 60)] == [0, 7, 60]
    errors = [((linear(pictures, bits) - pictures) ** 2).mean() for bits in (0, 20, 60, 200)]
    assert errors == sorted(errors, reverse=True)
    mean = digits("codec").pictures.mean(axis=0)
    assert linear(pictures[:1], 0)[0] == pytest.approx(mean)


# --- plans and frames -------------------------------------------------------------------------------------------------

VALUE = {mask: float(bin(mask).count("1")) for mask in range(plans.ALL + 1)}


def test_a_block_costs_what_the_link_charges() -> None:
    block = plans.Block(1, 64, MCS_TABLE[0], copies=3)
    assert block.symbols == 3 * (segment(64, MCS_TABLE[0]).complex_symbols + plans.PILOTS)


def test_the_sturdiest_block_needs_the_least_snr() -> None:
    best = plans.sturdiest(1, 64, 512)
    assert best is not None and best.symbols <= 512
    assert all(
        plans.Block(1, 64, mcs, 512 // once.symbols).threshold_db >= best.threshold_db
        for mcs in MCS_TABLE
        if (once := plans.Block(1, 64, mcs)).symbols <= 512
    )
    assert plans.sturdiest(1, 10_000, 512) is None


def test_worth_is_the_sum_over_outcomes() -> None:
    plan = (plans.Block(1, 64, MCS_TABLE[0]), plans.Block(2, 256, MCS_TABLE[3]))
    snr_db = np.array([-20.0, 1.0, 30.0])
    lost = [block.lost(snr_db) for block in plan]
    value = {0: 0.1, 1: 0.5, 2: 0.3, 3: 1.0}
    wanted = sum(
        value[mask] * (lost[0] if not mask & 1 else 1 - lost[0]) * (lost[1] if not mask & 2 else 1 - lost[1]) for mask in range(4)
    )
    found = plans.worths([(plan, value)], snr_db)[0]
    assert found == pytest.approx(wanted)
    assert found[[0, 2]] == pytest.approx([0.1, 1.0])


def test_cut_plans_fit_and_get_bolder() -> None:
    every = plans.cut(PAGE, 512)
    assert len(every) > 100
    for plan in every:
        assert plans.symbols(plan) <= 512 < plans.symbols(plan) + plan[0].symbols // plan[0].copies
        rates = [block.mcs.index for block in plan]
        assert rates == sorted(rates)
        assert sum(block.parts for block in plan) == plans.first(sum(block.parts for block in plan).bit_length())


def test_blocks_are_lost_as_often_as_planned() -> None:
    """The link's own draws against `Block.lost`, copies included."""
    block = plans.Block(1, 64, MCS_TABLE[1], copies=2)
    snr_db = -3.5
    wanted = float(block.lost(np.array([snr_db]))[0])
    lost = sum(Frame(5, page, 0, snr_db, "awgn").send((block,)) == 0 for page in range(2000))
    assert 0.1 < wanted < 0.9
    assert lost / 2000 == pytest.approx(wanted, abs=4 * (wanted * (1 - wanted) / 2000) ** 0.5)


def test_reports_are_as_uncertain_as_planned() -> None:
    """Weights add up to one, and the truth lies where the quadrature says, on average."""
    snrs, weights = plans.likely_snrs_db(6.0)
    assert weights.sum() == pytest.approx(1)
    mean = float((10 ** (snrs / 10) * weights).sum())
    step_db = 40 / 31
    rounded = np.mean(10 ** ((6 + step_db * np.array([-1, 0, 1]) / 3) / 10))
    assert mean == pytest.approx(rounded + 2 / plans.CSI_PILOTS, rel=1e-6)  # |h|^2 and its error's power, twice


def test_better_channels_get_more_layers() -> None:
    fixed = [(plan, VALUE) for number in range(1, 6) if (plan := plans.fixed(number, PAGE, 460))]
    chooser = plans.Chooser(fixed)
    chosen = [chooser.choose(snr_db) for snr_db in (-8.0, 3.0, 6.0, 9.0, 20.0)]
    assert chosen == sorted(chosen) and chosen[0] == 0 and chosen[-1] == 4


def test_analogue_values_come_with_the_noise_of_the_channel() -> None:
    reals = keys.generator("test", "reals").standard_normal((PAGE, 400))
    heard, snr_db = Frame(1, 0, 0, 10.0, "awgn").send_reals(reals, "test")
    unit = reals / np.sqrt((reals**2).mean())
    assert np.mean((heard - unit) ** 2) == pytest.approx(0.1 + 0.1 / plans.PILOTS, rel=0.25)
    assert snr_db == pytest.approx(10 - 10 * np.log10(1 + 1 / plans.PILOTS), abs=1.5)  # by its own estimate of the gain


@pytest.mark.slow
def test_prompts_really_cross_the_link(desk: Desk) -> None:
    pytest.importorskip("sionna")
    messages, mask = desk.messages(1), plans.first(2)
    payload = joined(messages, mask, PAGE)
    assert payload.size == plans.page_bits(mask, PAGE)
    plan = plans.fixed(2, PAGE, 512)
    assert plan and Frame(1, 1, 0, 20.0, "awgn").send(plan, [payload]) == mask
    assert Frame(1, 1, 0, -20.0, "awgn").send(plan, [payload]) == 0


def test_what_is_told_is_what_was_quantised(desk: Desk) -> None:
    labels, latents = desk.told
    assert np.array_equal(labels, desk.extracted[0])
    assert np.corrcoef(latents[:, :4].ravel(), desk.extracted[1][:, :4].ravel())[0, 1] > 0.98


def test_a_page_counts_once() -> None:
    """Journeys of all pages again and again: each page's own mean."""
    found = Journeys({"right": np.array([0.0, 0.5, 1.0, 0.5])}, np.zeros(4), 2)
    assert found.by_page("right").tolist() == [0.5, 0.5]
    found = Journeys({"right": np.array([0.0, 0.4, 0.0, 0.8])}, np.zeros(4), 2)
    assert found.by_page("right") == pytest.approx([0.0, 0.6])


# --- packets ----------------------------------------------------------------------------------------------------------


def test_lost_pixels_are_filled_from_their_neighbours() -> None:
    ramp = np.repeat(np.arange(SIDE), SIDE)[None].astype(np.uint8)
    came = np.ones((1, PIXELS), bool)
    came[0, 27] = False
    assert np.array_equal(filled(ramp, came, np.zeros_like(ramp)), ramp)
    nothing = np.zeros((1, PIXELS), bool)
    assert np.array_equal(filled(ramp, nothing, np.full_like(ramp, 5)), np.full_like(ramp, 5))


# --- doubts -----------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=60))
def test_roc_and_area_are_those_of_scikit_learn(pairs: list[tuple[int, bool]]) -> None:
    doubt, wrong = np.array([d for d, _ in pairs], float), np.array([w for _, w in pairs])
    if wrong.all() or not wrong.any():
        assert np.isnan(area(doubt, wrong))
        return
    assert area(doubt, wrong) == pytest.approx(roc_auc_score(wrong, doubt))
    alarms, hits = roc(doubt, wrong)
    wanted = roc_curve(wrong, doubt, drop_intermediate=False)
    assert alarms == pytest.approx(wanted[0]) and hits == pytest.approx(wanted[1])


def test_the_interval_covers_the_area() -> None:
    rng = keys.generator("test", "area")
    wrong = rng.random(600) < 0.3
    doubt = rng.normal(wrong * 1.0)
    value, low, high = area_interval(doubt, wrong, np.arange(600), "test")
    assert low < value < high and 0.05 < high - low < 0.15
    assert value == pytest.approx(0.76, abs=0.06)  # Phi(1 / sqrt 2)
    assert area_interval(doubt, wrong, np.arange(600), "test") == (value, low, high)


def test_samples_agree_with_what_came(desk: Desk) -> None:
    everything, nothing = desk.received(plans.ALL), desk.received(0)
    assert (nothing.labels == UNKNOWN).all() and not nothing.known.any()
    narrow, wide = (samples(desk.models, got, 4, "test") for got in (everything, nothing))
    assert narrow.shape == (4, len(desk.of), PIXELS)
    assert 3 * narrow.var(axis=0).mean() < wide.var(axis=0).mean()


# --- cost -------------------------------------------------------------------------------------------------------------


def test_base_graph_and_lifting_of_the_standard() -> None:
    assert (base_graph(200, 0.9), base_graph(1000, 0.5), base_graph(1000, 0.8), base_graph(5000, 0.5)) == (2, 2, 1, 1)
    assert lifting(640, 2) == 72 and lifting(8448, 1) == 384 and lifting(60, 2) == 10
    block = segment(900, MCS_TABLE[4]).block_bits
    assert decoding_flops(900, MCS_TABLE[4]) == 20 * 6 * BASE_EDGES[2] * lifting(block, 2)


def test_flops_of_the_networks_by_hand(desk: Desk) -> None:
    flops = desk.models.flops()
    assert flops["verify"] == 2 * (64 * 64 + 64 * 32 + 32 * 10)
    assert flops["generate"] == 2 * (59 * 96 + 96 * 96 + 96 * 64 + 24 * 64)
    assert len(PARTS) == 5
