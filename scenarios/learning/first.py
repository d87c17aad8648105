"""The first policy, from choices that were made before there was one: what each action seems to be worth, by regression.

The advantage of an action is taken to be linear in what it says, as the situation asks for it, and in what it costs::

    A(s, a) = u . s + sum over (description, extra) of a [ v_description . (1, mapping) + w_extra . (1, noise, uncovered) ]
              - c bits(s, a)

All are fitted together by ridge regression; u is what the situation itself explains. Few numbers, so that some hundred choices
do; the policy gradient then mends what is not linear.
"""

import numpy as np

from ...policies.prompt.actions import (
    ACTIONS,
    DESCRIPTIONS,
    EXTRAS,
    FEATURES,
    LARGEST_BITS,
    LARGEST_KNOWLEDGE_BITS,
    REFERENCES,
    SHARE,
)
from .gradient import Array, Batch

RIDGE = 1.0
SHARPNESS = 0.05
"""Difference in semantic error by which an action is e times less likely than a better one."""
TRIED = 0.1
"""Share of the choices in which all that can be done is equally likely, so that what was seen seldom is tried."""
_MAPPING, _NOISE, _UNCOVERED, _KNOWLEDGE = (FEATURES.index(name) for name in ("mapping", "noise", "uncovered", "knowledge bits"))


def first_policy(batch: Batch) -> Array:
    """With which chance the first policy takes each action in the situations of a batch, (T, A)."""
    of_all = np.stack([_about(batch.seen, np.full(len(batch.seen), action)) for action in range(len(ACTIONS))], axis=1)
    taken = of_all[np.arange(len(batch.actions)), batch.actions]
    about = np.hstack([taken, batch.seen])
    fitted = np.linalg.solve(about.T @ about + RIDGE * np.eye(about.shape[1]), about.T @ batch.advantages)
    worth = np.where(batch.allowed, of_all @ fitted[: of_all.shape[2]] / SHARPNESS, -np.inf)
    chances = np.exp(worth - worth.max(axis=1, keepdims=True))
    best = chances / chances.sum(axis=1, keepdims=True)
    return np.asarray((1.0 - TRIED) * best + TRIED * batch.allowed / batch.allowed.sum(axis=1, keepdims=True))


def _about(seen: Array, actions: Array) -> Array:
    """What is known of actions (T,) in situations (T, F): description by task, extra by noise, cost in 1000 bits; (T, K)."""
    description, extra = actions // len(EXTRAS), actions % len(EXTRAS)
    ones = np.ones(len(seen))
    by_task = np.stack([ones, seen[:, _MAPPING]], axis=1)
    by_noise = np.stack([ones, seen[:, _NOISE], seen[:, _UNCOVERED]], axis=1)
    said = np.eye(len(DESCRIPTIONS))[description][:, :, None] * by_task[:, None, :]
    added = np.eye(len(EXTRAS))[extra][:, :, None] * by_noise[:, None, :]
    return np.hstack([said.reshape(len(seen), -1), added.reshape(len(seen), -1), bits(seen, actions)[:, None] / 1000.0])


def bits(seen: Array, actions: Array) -> Array:
    """Bits that actions (T,) cost in situations (T, F), as far as the features tell (they end at the largest costs); (T,)."""
    spent = np.zeros(len(seen))
    for part, largest in LARGEST_BITS.items():
        sends = np.array([part in (*words, extra) or (part == REFERENCES and bool(extra)) for words, extra in ACTIONS])
        spent += sends[actions] * largest * seen[:, FEATURES.index(f"{part} bits")]
    shares = np.array([extra == SHARE for _, extra in ACTIONS])
    return np.asarray(spent + shares[actions] * LARGEST_KNOWLEDGE_BITS * seen[:, _KNOWLEDGE])
