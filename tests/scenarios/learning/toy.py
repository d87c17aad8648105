"""A world of which the best policy is known: the task says which description is right, and sharing pays only later."""

import numpy as np
from semcast.bus import keys
from semcast.policies.prompt.actions import ACTIONS, FEATURES, NAMES
from semcast.scenarios.learning.episodes import SAMPLE, Episode, Task
from semcast.scenarios.learning.gradient import log_policy

PLAIN, PLACED, SHARED = (NAMES.index(name) for name in ("caption", "boxes", "caption+share"))
MAPPING, OFFERED = FEATURES.index("mapping"), FEATURES.index("knowledge offered")
USERS, CHOICES = 6, 5


def play_toy(task: Task) -> Episode:
    """One episode: 6 users choose 5 times each, in turn.

    Caption is right (0, else -1) where places do not count, boxes where they do. Until a user has shared, 0.5 is lost besides;
    sharing costs 1 once. So the best policy shares at once where that is possible, and then follows the task.
    """
    seen, allowed, chances, actions, rewards = [], [], [], [], []
    shared: set[int] = set()
    for number in range(USERS * CHOICES):
        user = number % USERS
        features = np.zeros(len(FEATURES))
        features[MAPPING] = keys.uniform(task.seed, "toy", number) < 0.5
        features[OFFERED] = user not in shared
        can = np.zeros(len(ACTIONS), bool)
        can[[PLAIN, PLACED]] = True
        can[SHARED] = can[SHARED + 4] = user not in shared
        draws = can / can.sum()
        if task.weights:
            draws = np.exp(log_policy(task.weights, features[None], can[None])[0])
            draws = draws if task.actor == SAMPLE else np.eye(len(ACTIONS))[draws.argmax()]
        action = int(
            np.searchsorted(np.cumsum(draws), keys.uniform(task.seed, task.round, "draw", number) * draws.sum(), "right")
        )
        shares = action in (SHARED, SHARED + 4)
        right = (action in (PLACED, SHARED + 4)) == bool(features[MAPPING])
        reward = -float(not right) - 0.5 * (user not in shared and not shares) - float(shares)
        shared |= {user} if shares else set()
        for row, value in zip((seen, allowed, chances, actions, rewards), (features, can, draws, action, reward), strict=True):
            row.append(value)
    users = np.arange(USERS * CHOICES) % USERS
    earned = np.array(rewards)
    return Episode(np.array(seen), np.array(allowed), np.array(chances), np.array(actions), users, earned, -earned, 0 * users)
