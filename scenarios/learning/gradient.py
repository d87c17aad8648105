"""The policy gradient: a network's numbers, what they make likely, and how they change by what was earned. NumPy, float64.

Arrays have the suffixes T (choices), F (features), A (actions), H (hidden units).
"""

from dataclasses import dataclass, field, replace

import numpy as np

from ...bus import keys

Array = np.ndarray
CLIP = 0.2
ENTROPY = 0.003
RATE = 0.01
STEPS = 40
LARGEST_KL = 0.05
NAMES = ("hidden", "hidden_bias", "output", "output_bias")


@dataclass(frozen=True)
class Learner:
    """A network (see `policies.prompt.learned.Network`) and the moments of Adam (Kingma and Ba, arXiv 1412.6980).

    Attributes:
        weights: ``hidden`` (H, F), ``hidden_bias`` (H,), ``output`` (A, H), ``output_bias`` (A,).
        first, second: Running means of gradient and squared gradient, by the same names.
        steps: Steps made.
    """

    weights: dict[str, Array]
    first: dict[str, Array] = field(default_factory=dict)
    second: dict[str, Array] = field(default_factory=dict)
    steps: int = 0


@dataclass(frozen=True)
class Batch:
    """Choices of one or several episodes: ``seen`` (T, F), ``allowed`` (T, A), ``actions`` (T,), ``log_chance`` (T,) with
    which each was drawn, ``advantages`` (T,)."""

    seen: Array
    allowed: Array
    actions: Array
    log_chance: Array
    advantages: Array


def start(features: int, actions: int, units: int, seed: int) -> Learner:
    """A new network: every action is nearly as likely as any other."""
    draw = keys.generator(seed, "learner")
    return Learner(
        {
            "hidden": draw.standard_normal((units, features)) * (2.0 / features) ** 0.5,
            "hidden_bias": np.zeros(units),
            "output": draw.standard_normal((actions, units)) * 0.01,
            "output_bias": np.zeros(actions),
        }
    )


def log_policy(weights: dict[str, Array], seen: Array, allowed: Array) -> Array:
    """Logarithms of the softmax over the allowed actions, (T, A); -inf for the others."""
    return _forward(weights, seen, allowed)[1]


def _forward(weights: dict[str, Array], seen: Array, allowed: Array) -> tuple[Array, Array]:
    units = np.tanh(seen @ weights["hidden"].T + weights["hidden_bias"])
    scores = np.where(allowed, units @ weights["output"].T + weights["output_bias"], -np.inf)
    scores = scores - scores.max(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        return units, scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def ascend(learner: Learner, seen: Array, units: Array, by_score: Array, rate: float) -> Learner:
    """One step of Adam up a gradient that is given by score: ``by_score`` (T, A), ``units`` (T, H)."""
    weights = learner.weights
    back = (by_score @ weights["output"]) * (1.0 - units**2)
    gradient = {
        "hidden": back.T @ seen,
        "hidden_bias": back.sum(axis=0),
        "output": by_score.T @ units,
        "output_bias": by_score.sum(axis=0),
    }
    steps, fresh, first, second = learner.steps + 1, {}, {}, {}
    for name, slope in gradient.items():
        first[name] = 0.9 * learner.first.get(name, 0.0) + 0.1 * slope
        second[name] = 0.999 * learner.second.get(name, 0.0) + 0.001 * slope**2
        step = first[name] / (1.0 - 0.9**steps) / (np.sqrt(second[name] / (1.0 - 0.999**steps)) + 1e-8)
        fresh[name] = weights[name] + rate * step
    return Learner(fresh, first, second, steps)


def imitate(learner: Learner, seen: Array, allowed: Array, chances: Array, steps: int = 400) -> Learner:
    """Make the policy like ``chances`` (T, A), by cross entropy; the moments of Adam begin anew afterwards."""
    for _ in range(steps):
        units, logs = _forward(learner.weights, seen, allowed)
        learner = ascend(learner, seen, units, (chances - np.exp(logs)) / len(seen), 3 * RATE)
    return Learner(learner.weights)


def improve(learner: Learner, batch: Batch) -> Learner:
    """PPO (Schulman et al., arXiv 1707.06347) on a batch, all of it at every step::

        maximise mean_t min(r_t A_t, clip(r_t, 1 - c, 1 + c) A_t) + e H_t,   r_t = p(a_t) / p_drawn(a_t)

    with H the entropy of the policy; it stops before the mean of ``log p_before - log p`` of the actions exceeds ``LARGEST_KL``.
    """
    rows, scale = np.arange(len(batch.actions)), float(batch.advantages.std()) or 1.0
    advantages = batch.advantages / scale
    before = _forward(learner.weights, batch.seen, batch.allowed)[1]
    chances = np.exp(before)
    for _ in range(STEPS):
        units, logs = _forward(learner.weights, batch.seen, batch.allowed)
        policy = np.exp(logs)
        with np.errstate(invalid="ignore"):
            moved = np.where(chances > 0, chances * (before - logs), 0.0).sum(axis=1).mean()
            surprise = np.where(policy > 0, policy * logs, 0.0)
        if moved > LARGEST_KL:
            break
        ratio = np.exp(logs[rows, batch.actions] - batch.log_chance)
        inside = np.where(advantages > 0, ratio < 1.0 + CLIP, ratio > 1.0 - CLIP)
        by_score = -policy * (inside * ratio * advantages)[:, None]
        by_score[rows, batch.actions] += inside * ratio * advantages
        entropy = -surprise.sum(axis=1, keepdims=True)
        by_score -= ENTROPY * (surprise + policy * entropy)
        learner = ascend(learner, batch.seen, units, by_score / len(rows), RATE)
    return learner


def advantages(seen: Array, rewards: Array, chains: Array, kept: float = 0.7) -> Array:
    """What each choice earned beyond what was to be expected: generalised advantages (Schulman et al., arXiv 1506.02438).

    A choice is taken to bear on its own request and on later ones of the same user, whose knowledge it may have shared; so
    choices of one user in one episode are a chain of their own, undiscounted. What was to be expected is a ridge regression of
    the chain's remaining reward on the features and on how many requests are left: a baseline, for the estimate only, that no
    decision sees.

    Args:
        seen: (T, F).
        rewards: (T,), in the order of the choices.
        chains: (T,), the same number for choices of one chain.
        kept: Lambda, in [0, 1]: 1 counts all that followed, 0 only the next expectation.

    Returns:
        (T,).
    """
    order = np.lexsort((np.arange(len(chains)), chains))
    following = np.full(len(order), -1)
    same = chains[order][1:] == chains[order][:-1]
    following[order[:-1][same]] = order[1:][same]
    left, returns = np.zeros(len(order)), rewards.astype(np.float64)
    for place in order[::-1]:
        if (after := following[place]) >= 0:
            left[place] = left[after] + 1.0
            returns[place] += returns[after]
    about = np.hstack([np.ones((len(seen), 1)), seen])
    about = np.hstack([about, about * (left / 10.0)[:, None]])
    expected = about @ np.linalg.solve(about.T @ about + np.eye(about.shape[1]), about.T @ returns)
    found = np.zeros(len(order))
    for place in order[::-1]:
        after = following[place]
        then, more = (expected[after], found[after]) if after >= 0 else (0.0, 0.0)
        found[place] = rewards[place] + then - expected[place] + kept * more
    return found


def joined(batches: list[Batch]) -> Batch:
    """One batch of several."""
    return Batch(*(np.concatenate([getattr(each, name) for each in batches]) for name in Batch.__dataclass_fields__))


def centred(batch: Batch) -> Batch:
    """The same with advantages of mean 0."""
    return replace(batch, advantages=batch.advantages - batch.advantages.mean())
