"""Training finds a known optimum, is the same when interrupted and on any number of workers, and writes what the policy reads."""

import json
from pathlib import Path

import numpy as np
import pytest
from semcast.agents.models.cards import checked, read_card
from semcast.bus.errors import BadInput
from semcast.policies.prompt.learned import read_network
from semcast.scenarios.learning import gradient
from semcast.scenarios.learning.training import Plan, evaluated, train, write_policy

from .toy import CHOICES, play_toy

PLAN = Plan("toy", worlds=8, price=0.0)
BEST_REWARD = -1.0 / CHOICES
"""Each user shares once, at its first choice, and is right ever after."""


def test_training_reaches_the_known_optimum(tmp_path: Path) -> None:
    done = train(PLAN, 25, tmp_path, jobs=1, play=play_toy)
    assert done[0].means["reward"] < -0.75
    found = evaluated(PLAN, done[-1].learner, [7, 8], tmp_path, jobs=1, play=play_toy)["rl"]["reward"]
    assert found == pytest.approx(BEST_REWARD, abs=0.02)


def test_interrupted_training_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole = train(PLAN, 4, tmp_path / "whole", jobs=1, play=play_toy)
    train(PLAN, 2, tmp_path / "parts", jobs=1, play=play_toy)
    (tmp_path / "parts" / "round-001.npz").unlink()  # as if it had been ended in the second round
    played = []

    def play(task):
        played.append(task.round)
        return play_toy(task)

    parts = train(PLAN, 4, tmp_path / "parts", jobs=1, play=play)
    assert played == [1] * 8 + [2] * 8 + [3] * 8
    for name, array in whole[-1].learner.weights.items():
        np.testing.assert_array_equal(array, parts[-1].learner.weights[name])
    assert [one.means for one in whole] == [one.means for one in parts]


def test_the_order_in_which_episodes_end_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = train(PLAN, 2, tmp_path / "one", jobs=1, play=play_toy)

    def backwards(function, arguments, **where):
        yield from reversed([(index, function(argument)) for index, argument in enumerate(arguments)])

    monkeypatch.setattr("semcast.scenarios.learning.training.run_everywhere", backwards)
    other = train(PLAN, 2, tmp_path / "other", jobs=2, play=play_toy)
    for name, array in one[-1].learner.weights.items():
        np.testing.assert_array_equal(array, other[-1].learner.weights[name])


def test_a_folder_belongs_to_one_training(tmp_path: Path) -> None:
    train(PLAN, 1, tmp_path, jobs=1, play=play_toy)
    with pytest.raises(BadInput, match="another training"):
        train(Plan("toy", worlds=8, price=0.5), 1, tmp_path, jobs=1, play=play_toy)
    with pytest.raises(BadInput, match="0 rounds"):
        train(PLAN, 0, tmp_path, jobs=1, play=play_toy)


def test_the_policy_reads_what_was_written_and_scores_as_it_was_trained(tmp_path: Path) -> None:
    done = train(PLAN, 2, tmp_path / "work", jobs=1, play=play_toy)
    card = write_policy(PLAN, done, tmp_path / "out", {}, {"scenario": "toy"})
    network = read_network(checked(read_card(card.folder), "policy.json"))
    batch = done[-1].batch
    logs = gradient.log_policy(done[-1].learner.weights, batch.seen, batch.allowed)
    for seen, can, log in zip(batch.seen[:20], batch.allowed, logs, strict=False):
        scores = np.where(can, network.scores(seen.tolist()), -np.inf)
        assert scores - np.log(np.exp(scores).sum()) == pytest.approx(log, abs=1e-4)
    assert card.data["requests"] == 2 * 8 * 30 and len(card.data["means_by_round"]) == 2
    assert json.loads((card.folder / "policy.json").read_text())["actions"]
