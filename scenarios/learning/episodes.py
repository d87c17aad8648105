"""Episodes for training: whole runs of an environment with a policy that draws its choices, on any machine."""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from tempfile import gettempdir

import numpy as np

from ...agents.models.loading import load_models
from ...agents.models.remembered import Remembered
from ...agents.network import asked
from ...bus import keys
from ...policies.prompt.actions import ACTIONS, action_of, mask, standing_for
from ...policies.prompt.threshold import Parameters, Threshold
from .. import folder as folders
from ..build import hub_settings, network_settings
from ..loading import validated
from .environment import NetworkEnv
from .gradient import log_policy

START, SAMPLE, BEST, THRESHOLD = "start", "sample", "best", "threshold"
TEACHING = 0.6
"""Share of the choices that follow the teacher at the start; the others are equally likely."""


@dataclass(frozen=True)
class Task:
    """One episode to play.

    Attributes:
        scenario: Resolved scenario as TOML; its seed does not matter.
        seed: Of the run.
        round: Keys the draws of the choices.
        actor: ``start`` (the policy `Threshold`, or with chance ``1 - TEACHING`` anything that can be done), ``sample`` (from the
            softmax), ``best`` (its most likely action) or ``threshold``.
        weights: Of the network; none for ``start`` and ``threshold``.
        price: See the environment.
        calls: Folder of remembered model results; empty: one of this machine.
    """

    scenario: str
    seed: int
    round: int
    actor: str
    weights: dict[str, np.ndarray]
    price: float
    calls: str = ""


@dataclass(frozen=True)
class Episode:
    """What was played, T choices in simulated-time order; ``seen`` (T, F), ``allowed`` (T, A), the others (T,).

    ``chances`` (T, A): with which actions were drawn. ``users``: number of the user among those of the episode.
    """

    seen: np.ndarray
    allowed: np.ndarray
    chances: np.ndarray
    actions: np.ndarray
    users: np.ndarray
    rewards: np.ndarray
    errors: np.ndarray
    bits: np.ndarray


def play_episode(task: Task) -> Episode:
    """Play one; the same task gives the same episode in any process."""
    env = _environment(task.scenario, task.price, task.calls)
    observation, info = env.reset(seed=task.seed)
    seen, allowed, chances, done = [], [], [], False
    while not done:
        seen.append(observation)
        allowed.append(info["action_mask"].astype(bool))
        chances.append(_chances(task, env, observation, allowed[-1]))
        u = keys.uniform(task.seed, "training", task.round, len(seen))
        action = int(np.searchsorted(np.cumsum(chances[-1]), u * chances[-1].sum(), side="right"))
        observation, _, done, _, info = env.step(min(action, int(np.flatnonzero(chances[-1])[-1])))
    earned = info["earned"]
    users = {name: number for number, name in enumerate(dict.fromkeys(each.user for each in earned))}
    return Episode(
        np.array(seen, np.float64),
        np.array(allowed),
        np.array(chances),
        np.array([each.action for each in earned]),
        np.array([users[each.user] for each in earned]),
        np.array([each.reward for each in earned]),
        np.array([each.error for each in earned]),
        np.array([each.bits for each in earned]),
    )


def _chances(task: Task, env: NetworkEnv, observation: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """With which chance each action is taken, (A,)."""
    if task.actor in (SAMPLE, BEST):
        logs = log_policy(task.weights, observation[None].astype(np.float64), allowed[None])[0]
        return np.asarray(np.exp(logs) if task.actor == SAMPLE else np.eye(len(ACTIONS))[int(logs.argmax())])
    assert env.context is not None
    told = Threshold(Parameters()).select(env.context, lambda name: 0.5)
    teacher = np.eye(len(ACTIONS))[standing_for(action_of(told.parts, told.share_knowledge), mask(env.context))]
    if task.actor == THRESHOLD:
        return np.asarray(teacher)
    return np.asarray(TEACHING * teacher + (1.0 - TEACHING) * allowed / allowed.sum())


@lru_cache(maxsize=2)
def _environment(text: str, price: float, calls: str) -> NetworkEnv:
    """An environment of this process with models that remember; kept, as models take seconds to read."""
    scenario = validated(tomllib.loads(text), "a scenario to learn in")
    hub = hub_settings(scenario)
    weights = blake2b(repr(sorted(folders.weights(scenario.models.profile, hub).items())).encode(), digest_size=8).hexdigest()
    models = load_models(scenario.models.profile, asked(network_settings(scenario)), hub=hub)
    folder = Path(calls or Path(gettempdir()) / "semcast-calls") / weights
    return NetworkEnv(scenario, price, Remembered(models, folder))
