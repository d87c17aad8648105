"""Semantic noise against worked examples and its bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.policies.protocols import NoiseContext
from semcast.policies.registry import load, resolve

UNIT = st.floats(0, 1)
NAMES = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=8).map(tuple)


def estimate(text, concepts, known=(), similarity=None, certainty=None):
    return load(resolve("noise", text)).estimate(NoiseContext(concepts, known, similarity or {}, certainty or {}, "greeting"))


def test_none_is_always_zero() -> None:
    assert estimate("none", ("mia/dog",)).value == 0.0


def test_mismatch_is_the_mean_distance_to_what_is_known() -> None:
    noise = estimate("kb-mismatch", ("tree", "mia/dog", "canoe", "x"), ("tree",), {"mia/dog": 0.4, "canoe": 0.95, "x": -0.3})
    assert noise.value == pytest.approx((0.0 + 0.6 + 0.0 + 1.0) / 4)
    assert noise.uncovered == ("mia/dog", "x")


def test_what_is_known_nowhere_is_lost_and_nothing_is_no_noise() -> None:
    assert estimate("kb-mismatch", ("mia/dog",)).value == 1.0
    assert estimate("kb-mismatch", ()).value == estimate("certainty", ()).value == 0.0


def test_alike_decides_what_counts_as_covered() -> None:
    for alike, covered in ((0.5, True), (0.7, False)):
        assert (estimate(f"kb-mismatch:alike={alike}", ("canoe",), (), {"canoe": 0.6}).uncovered == ()) is covered


def test_certainty_combines_independent_losses() -> None:
    noise = estimate("certainty", ("tree", "mia/dog"), ("tree",), {"mia/dog": 0.4}, {"tree": 0.7, "mia/dog": 0.9})
    assert noise.value == pytest.approx((0.3 + (1 - 0.9 * 0.4)) / 2)
    assert noise.uncovered == ("mia/dog",)
    half = estimate("certainty:doubt=0.5", ("tree",), ("tree",), {}, {"tree": 0.7})
    assert half.value == pytest.approx(0.15) and half.uncovered == ()


@given(NAMES, NAMES, st.dictionaries(st.sampled_from("abcde"), st.floats(-1, 1)), st.dictionaries(st.sampled_from("abcde"), UNIT))
def test_bounds_and_order(concepts, known, similarity, certainty) -> None:
    plain = estimate("kb-mismatch", concepts, known, similarity, certainty)
    both = estimate("certainty", concepts, known, similarity, certainty)
    trusting = estimate("certainty:doubt=0", concepts, known, similarity, certainty)
    assert 0.0 <= plain.value <= both.value + 1e-12 <= 1.0 + 2e-12
    assert trusting.value == pytest.approx(plain.value)
    assert plain.uncovered == both.uncovered
    more = estimate("kb-mismatch", concepts, (*known, "a"), similarity, certainty)
    assert more.value <= plain.value + 1e-12
