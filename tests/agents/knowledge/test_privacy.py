"""The Gaussian mechanism: noise against closed forms and against the definition, releases by key, composition."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm
from semcast.agents.knowledge.privacy import SENSITIVITY, composed, delta_of, epsilon_of, noisy, release, sigma_for

epsilons = st.floats(0.01, 40)
deltas = st.floats(-12, -1).map(lambda power: 10**power)


def unit(seed: int, size: int = 64) -> bytes:
    vector = np.random.default_rng(seed).standard_normal(size)
    return (vector / np.linalg.norm(vector)).astype("<f4").tobytes()


@pytest.mark.parametrize(("epsilon", "sigma"), [(0.1, 1.0), (1.0, 0.5), (1.0, 3.0), (4.0, 0.8), (8.0, 0.3)])
def test_delta_is_the_largest_gap_between_neighbours(epsilon: float, sigma: float) -> None:
    """By the definition: delta = integral of max(0, p - e^epsilon q) over the outputs, for two inputs at distance D."""
    distance = 2.0
    p, q = norm(0.0, sigma).pdf, norm(distance, sigma).pdf
    edge = distance / 2 - epsilon * sigma**2 / distance  # p = e^epsilon q
    gap, _ = quad(lambda x: p(x) - math.exp(epsilon) * q(x), -30 * sigma - distance, edge, epsabs=1e-13, limit=200)
    assert delta_of(epsilon, sigma, distance) == pytest.approx(gap, rel=1e-6, abs=1e-12)


@given(st.floats(1e-6, 0.5))
def test_at_epsilon_zero_sigma_has_a_closed_form(delta: float) -> None:
    """Total variation: delta = 2 Phi(D / (2 sigma)) - 1."""
    assert sigma_for(0.0, delta, 1.0) == pytest.approx(1 / (2 * norm.ppf((1 + delta) / 2)), rel=1e-6)


@given(st.floats(0.05, 0.99), deltas)
def test_less_noise_than_the_classical_bound(epsilon: float, delta: float) -> None:
    """Dwork and Roth, theorem A.1: sigma = D sqrt(2 ln(1.25 / delta)) / epsilon is enough below epsilon 1."""
    classical = math.sqrt(2 * math.log(1.25 / delta)) / epsilon
    assert 0.0 < sigma_for(epsilon, delta, 1.0) <= classical


@given(epsilons, deltas)
def test_sigma_is_enough_and_no_more(epsilon: float, delta: float) -> None:
    sigma = sigma_for(epsilon, delta)
    assert delta_of(epsilon, sigma) <= delta
    assert delta_of(epsilon, sigma * (1 - 1e-6)) > delta * (1 - 1e-9)
    assert sigma_for(epsilon, delta, 1.0) == pytest.approx(sigma / SENSITIVITY, rel=1e-9)
    assert epsilon_of(delta, sigma) == pytest.approx(epsilon, rel=1e-6)


def test_a_published_value() -> None:
    """The value that implementations of Balle and Wang give for epsilon 1, delta 1e-5, sensitivity 1."""
    assert sigma_for(1.0, 1e-5, 1.0) == pytest.approx(3.730632, abs=1e-6)


@given(epsilons, deltas, st.integers(1, 30))
def test_releases_compose(epsilon: float, delta: float, releases: int) -> None:
    """At least as much as one release, at most as much as basic composition gives at its larger delta."""
    together, sigma, distance = composed(epsilon, delta, releases), sigma_for(epsilon, delta), SENSITIVITY * math.sqrt(releases)
    assert composed(epsilon, delta, 0) == 0.0
    assert epsilon * (1 - 1e-6) <= together and delta_of(together, sigma, distance) <= delta
    assert epsilon_of(min(releases * delta, 0.999), sigma, distance) <= releases * epsilon * (1 + 1e-6)


def test_noise_has_its_standard_deviation_and_vectors_are_clipped() -> None:
    long = (np.frombuffer(unit(0, 512), "<f4") * 9).astype("<f4").tobytes()
    rest = np.concatenate([noisy(long, 2.5, "test", n) - np.frombuffer(unit(0, 512), "<f4") for n in range(40)])
    assert abs(rest.mean()) < 0.06 and rest.std() == pytest.approx(2.5, rel=0.02)
    short = (np.frombuffer(unit(0), "<f4") / 2).astype("<f4").tobytes()
    assert np.allclose(noisy(short, 0.0, "test"), np.frombuffer(short, "<f4"))


def test_releases_are_keyed_by_owner_item_and_vector() -> None:
    vector = unit(1)
    told = release(vector, 2.0, 1e-5, 7, "user.0", "subject", "mia/dog")
    assert told == release(vector, 2.0, 1e-5, 7, "user.0", "subject", "mia/dog")
    others = [
        release(vector, 2.0, 1e-5, 8, "user.0", "subject", "mia/dog"),
        release(vector, 2.0, 1e-5, 7, "user.1", "subject", "mia/dog"),
        release(vector, 2.0, 1e-5, 7, "user.0", "subject", "mia/cat"),
    ]
    assert len({told, *others}) == 4
    # The noise of a changed vector is its own: the difference of two releases is not the difference of the vectors.
    first, second = noisy(vector, 5.0, "k"), noisy(unit(2), 5.0, "k")
    assert np.abs((first - second) - (np.frombuffer(vector, "<f4") - np.frombuffer(unit(2), "<f4"))).max() > 1.0


def test_little_privacy_leaves_the_vector() -> None:
    vector = unit(3)
    for epsilon, alike in ((1e6, 0.99), (1.0, -0.6)):
        told = np.frombuffer(release(vector, epsilon, 1e-5, "test"), "<f4")
        assert np.linalg.norm(told) == pytest.approx(1.0, abs=1e-5)
        assert float(told @ np.frombuffer(vector, "<f4")) > alike
