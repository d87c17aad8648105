"""The gradient against differences, the advantages against sums by hand."""

import numpy as np
import pytest
from semcast.scenarios.learning.gradient import Batch, Learner, advantages, ascend, improve, log_policy, start


def test_the_gradient_is_that_of_the_log_chance() -> None:
    draw = np.random.default_rng(3)
    learner = start(4, 3, 5, seed=1)
    seen, allowed = draw.random((6, 4)), np.ones((6, 3), bool)
    allowed[2, 1] = False
    actions = np.array([0, 1, 2, 2, 1, 0])

    def worth(weights):
        return log_policy(weights, seen, allowed)[np.arange(6), actions].sum()

    units = np.tanh(seen @ learner.weights["hidden"].T + learner.weights["hidden_bias"])
    by_score = np.eye(3)[actions] - np.exp(log_policy(learner.weights, seen, allowed))
    slopes = ascend(Learner(learner.weights), seen, units, by_score, 0.0).first
    for name, array in learner.weights.items():
        for index in np.ndindex(array.shape):
            moved = [{**learner.weights, name: array.copy()} for _ in range(2)]
            moved[0][name][index] += 1e-6
            moved[1][name][index] -= 1e-6
            slope = (worth(moved[0]) - worth(moved[1])) / 2e-6
            assert 10.0 * slopes[name][index] == pytest.approx(slope, abs=1e-6)


def test_what_is_not_allowed_is_never_drawn() -> None:
    learner = start(4, 3, 5, seed=1)
    chances = np.exp(log_policy(learner.weights, np.ones((1, 4)), np.array([[True, False, True]])))
    assert chances[0, 1] == 0.0 and chances.sum() == pytest.approx(1.0)


def test_improvement_raises_what_paid() -> None:
    learner, seen, allowed = start(4, 3, 5, seed=1), np.ones((30, 4)), np.ones((30, 3), bool)
    actions = np.arange(30) % 3
    drawn = log_policy(learner.weights, seen, allowed)
    batch = Batch(seen, allowed, actions, drawn[np.arange(30), actions], np.where(actions == 1, 2.0, -1.0))
    after = np.exp(log_policy(improve(learner, batch).weights, seen, allowed))[0]
    assert after[1] > np.exp(drawn[0, 1]) + 0.05


def test_advantages_belong_to_the_chain_of_a_user() -> None:
    """With lambda 1 an advantage is the sum of the chain's later rewards less what was expected of it."""
    rewards, chains = np.array([1.0, 10.0, 2.0, 20.0, 4.0]), np.array([0, 1, 0, 1, 0])
    seen = np.zeros((5, 2))
    everything = advantages(seen, rewards, chains, kept=1.0)
    returns, left = np.array([7.0, 30.0, 6.0, 20.0, 4.0]), np.array([2, 1, 1, 0, 0])
    about = np.stack([np.ones(5), left / 10.0], axis=1)
    expected = about @ np.linalg.solve(about.T @ about + np.eye(2), about.T @ returns)
    assert everything == pytest.approx(returns - expected)
    nearest = advantages(seen, rewards, chains, kept=0.0)
    assert nearest[0] == pytest.approx(1.0 + expected[2] - expected[0])
    assert nearest[4] == pytest.approx(4.0 - expected[4])
