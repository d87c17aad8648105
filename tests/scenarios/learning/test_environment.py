"""The environment conforms to Gymnasium, shows only what is known, and earns what the rows of the same run say."""

import warnings

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from semcast.agents.playing import play
from semcast.bus.errors import RunFailed
from semcast.policies.prompt.actions import NAMES
from semcast.policies.protocols import PromptChoice
from semcast.policies.registry import load as load_policy
from semcast.policies.registry import resolve
from semcast.scenarios.build import network_settings
from semcast.scenarios.learning.environment import NetworkEnv
from semcast.scenarios.loading import load
from semcast.scenarios.metrics.reduce import rows_of
from semcast.scenarios.metrics.story import collect

from ...agents.simple_models import models

SEED = 3


@pytest.fixture(scope="module")
def scenario():
    """Its noise policy learns, so that lessons are among the bits."""
    changes = {"host": "memory", "workers": 1, "traffic.rate_hz": 1.0, "policies.noise": "regression"}
    return load("two-users", quick=True, overrides=changes)


@pytest.fixture
def env(scenario):
    made = NetworkEnv(scenario, price=0.5, models=models())
    yield made
    made.close()


def episode(env, action, seed=SEED):
    """Every choice the same: observations, rewards, and what the last step tells."""
    observation, info = env.reset(seed=seed)
    seen, rewards, done = [observation], [], False
    while not done:
        assert info["action_mask"].any()
        observation, reward, done, cut, info = env.step(action)
        assert not cut
        seen.append(observation)
        rewards.append(reward)
    return seen, rewards, info


def test_it_conforms(env) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env, skip_render_check=True)


def test_it_earns_what_the_rows_of_the_run_say(env, scenario) -> None:
    action = NAMES.index("boxes+references")
    _, rewards, info = episode(env, action)
    settings = network_settings(scenario.model_copy(update={"seed": SEED}))
    fixed = load_policy(resolve("prompt", "fixed:parts=boxes+references"))
    stories, _ = collect(play(settings, "prompt", fixed, models()), {})
    rows = {row.request: row for row in rows_of(stories, settings)}
    earned = info["earned"]
    assert len(earned) == len(rows) == len(rewards) > 3
    for one in earned:
        row = rows[one.request]
        assert (one.user, one.error, one.bits) == (row.sender, row.semantic_error, row.told_bits)
        assert one.reward == pytest.approx(-row.semantic_error - 0.5 * row.told_bits / 1000)
    assert any(row.lesson_bits for row in rows.values())
    assert set(rewards[:-1]) == {0.0} and rewards[-1] == pytest.approx(sum(one.reward for one in earned))


def test_an_episode_is_that_of_its_seed_and_actions(env) -> None:
    caption = NAMES.index("caption")
    one, again, other = episode(env, caption), episode(env, caption), episode(env, caption, seed=SEED + 1)
    np.testing.assert_array_equal(one[0], again[0])
    assert one[1] == again[1] and one[2]["earned"] == again[2]["earned"]
    assert one[2]["earned"] != other[2]["earned"]
    assert not one[0][-1].any() and not one[2]["action_mask"].any()


def test_what_cannot_be_done_is_stood_for(env) -> None:
    _, info = env.reset(seed=SEED)
    never = int(np.flatnonzero(info["action_mask"] == 0)[0])
    done = False
    while not done:
        *_, done, _, info = env.step(never)
    assert info["earned"][0].action != never


def test_an_episode_can_be_left_and_none_is_played_by_accident(env) -> None:
    with pytest.raises(RuntimeError, match="reset"):
        env.step(0)
    env.reset(seed=SEED)
    thread = env._thread
    env.reset(seed=SEED)
    assert not thread.is_alive()
    env.close()
    assert env.context is None


def test_a_run_that_fails_tells_why(scenario) -> None:
    class Broken(dict):
        def __getitem__(self, role):
            raise RunFailed(f"no model for {role}", "test")

    with pytest.raises(RunFailed, match="no model"):
        NetworkEnv(scenario, models=Broken(models())).reset(seed=SEED)


def test_decisions_of_the_caller_are_checked_like_others(scenario) -> None:
    class Wrong:
        def select(self, context, rng):
            return PromptChoice(("melody",), False, "test")

    with pytest.raises(RunFailed, match="no candidate"):
        play(network_settings(scenario), "prompt", Wrong(), models())
