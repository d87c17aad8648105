"""Semantic noise against worked examples and its bounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from semcast.bus.errors import BadInput
from semcast.policies.protocols import NoiseContext, NoiseLesson, Outcome, SemanticNoise
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


def test_self_consistency_weighs_rehearsal_and_mismatch() -> None:
    policy = load(resolve("noise", "self-consistency:trust=0.75"))
    about = NoiseContext(("tree", "mia/dog"), ("tree",), {"mia/dog": 0.4}, {}, "greeting", rehearsed=0.8)
    assert policy.estimate(about).value == pytest.approx(0.75 * 0.8 + 0.25 * 0.3)
    assert policy.estimate(replace(about, rehearsed=None)).value == pytest.approx(0.3)


def test_the_oracle_says_the_truth() -> None:
    about = NoiseContext(("mia/dog",), (), {}, {}, "greeting", truth=0.37)
    assert load(resolve("noise", "oracle")).estimate(about).value == 0.37


def test_only_built_in_classes_are_oracles(tmp_path) -> None:
    (tmp_path / "mine.py").write_text(
        "class Mine:\n    privileged = True\n    def estimate(self, context):\n        return context.truth\n"
    )
    with pytest.raises(BadInput, match="only built-in oracles"):
        resolve("noise", "mine.py:Mine", folder=tmp_path)


LESSONS = st.lists(st.tuples(UNIT, UNIT, st.integers(0, 8), st.booleans(), UNIT), min_size=1, max_size=20)


@given(LESSONS)
def test_regression_is_ridge_regression(lessons) -> None:
    """Recursive least squares against the normal equations, with the prior as ``ridge`` pseudo-observations a weight."""
    ridge = 4.0
    policy = load(resolve("noise", f"regression:ridge={ridge},patience=1e12"))  # no receiver's correction
    memory, xs, errors = {}, [], []
    for similarity, certainty, things, rich, error in lessons:
        about = NoiseContext(("x",), (), {"x": similarity}, {"x": certainty}, "greeting", things, "user.1")
        parts = ("caption", "boxes") if rich else ("caption", "references")
        memory = policy.learn(memory, NoiseLesson(about, SemanticNoise(0.0, (), ""), parts, False, Outcome(1.0, 0.1, error)))
        xs.append([1.0, 0.0 if similarity >= 0.9 else 1.0 - similarity, 1.0 - certainty, things / 8, float(rich)])
        errors.append(error)
    x, e, prior = np.array(xs), np.array(errors), np.array([0.0, 1.0, 0.0, 0.0, 0.0])
    weights = np.linalg.solve(x.T @ x + ridge * np.eye(5), x.T @ e + ridge * prior)
    assert memory["task greeting"][:5] == pytest.approx(weights, abs=1e-9)
    ask = NoiseContext(("x",), (), {"x": 0.5}, {"x": 0.5}, "greeting", 4, "user.1", memory)
    assert policy.estimate(ask).value == pytest.approx(np.clip([1, 0.5, 0.5, 0.5, 0] @ weights, 0, 1), abs=1e-9)


def test_regression_corrects_for_a_receiver_and_forgets_old_ones() -> None:
    policy = load(resolve("noise", "regression"))
    memory = {}
    for number in range(80):
        about = NoiseContext(("x",), ("x",), {}, {}, "greeting", 2, f"user.{number}" if number < 70 else "user.bad")
        memory = policy.learn(
            memory,
            NoiseLesson(about, SemanticNoise(0.0, (), ""), ("caption",), False, Outcome(1.0, 0.1, 0.1 if number < 70 else 1.0)),
        )
    receivers = [key for key in memory if key.startswith("receiver ")]
    assert len(receivers) == 64 and "receiver user.0" not in receivers and "receiver user.bad" in receivers

    def expected(receiver: str) -> float:
        return policy.estimate(NoiseContext(("x",), ("x",), {}, {}, "greeting", 2, receiver, memory)).value

    assert expected("user.bad") > expected("user.69") + 0.1
