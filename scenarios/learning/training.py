"""Training a prompt policy: rounds of whole runs on Ray, a policy gradient after each, and a checkpoint a round.

A round is a pure function of the rounds before it, and an episode of its task, so results depend neither on the number of
workers nor on interruptions. All rounds play the same worlds: model results come back from the folder ``calls``.
"""

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from ... import __version__
from ...agents.models.cards import Card, write_card
from ...agents.ray_hosting import run_everywhere
from ...bus.errors import BadInput
from ...policies.prompt.actions import ACTIONS, FEATURES
from ...policies.prompt.actions import NAMES as ACTION_NAMES
from . import gradient
from .episodes import BEST, SAMPLE, START, THRESHOLD, Episode, Task, play_episode
from .first import first_policy
from .gradient import Array, Batch, Learner

log = logging.getLogger(__name__)

SEEDS, HELD_OUT = 20_000, 21_000
"""First seed of training and of the evaluation in the card: far from those that comparisons use and tune on."""
MEMORY = 3
"""Rounds whose choices teach: the last one and those before it, by the chances with which they were drawn."""
PLAN_FILE, WEIGHTS_FILE = "plan.json", "policy.json"
Play = Callable[[Task], Episode]


@dataclass(frozen=True)
class Plan:
    """What is trained: the rounds of a work folder belong to one plan.

    ``scenario``: resolved, as TOML. ``worlds``: runs a round, of seeds from `SEEDS` on. ``price``: see the environment.
    """

    scenario: str
    worlds: int
    price: float
    units: int = 12
    seed: int = 1


@dataclass(frozen=True)
class Round:
    """One finished round: what it played, means a request, and the learner after it."""

    batch: Batch
    means: dict[str, float]
    learner: Learner


def train(plan: Plan, rounds: int, work: Path, *, jobs: int = 0, address: str = "", play: Play = play_episode) -> list[Round]:
    """Train, or go on; call it within `connected` so that workers keep what they have loaded.

    Args:
        plan: What is trained.
        rounds: Rounds in all, those of earlier calls included.
        work: Folder of checkpoints and remembered model results.
        jobs: Episodes at once; 1: in this process, 0: one a core.
        address: Ray cluster.
        play: What plays an episode.

    Raises:
        BadInput: The folder holds rounds of another plan, or nothing is to be done.
    """
    if rounds < 1 or plan.worlds < 1:
        raise BadInput(f"{rounds} rounds of {plan.worlds} runs", "give at least 1 of each")
    _claim(plan, work)
    done: list[Round] = []
    for number in range(rounds):
        path = work / f"round-{number:03d}.npz"
        one = _read(path) if path.is_file() else None
        if one is None:
            one = _round(plan, number, done, work, lambda tasks: _played(play, tasks, jobs, address))
            _write(path, one)
            text = ", ".join(f"{name} {value:.4g}" for name, value in one.means.items())
            log.info("round %d of %d, %d choices: %s", number + 1, rounds, len(one.batch.actions), text)
        done.append(one)
    return done


def _round(plan: Plan, number: int, done: Sequence[Round], work: Path, play: Callable[[list[Task]], list[Episode]]) -> Round:
    learner = done[-1].learner if done else gradient.start(len(FEATURES), len(ACTIONS), plan.units, plan.seed)
    actor, weights = (SAMPLE, learner.weights) if done else (START, {})
    seeds = range(SEEDS, SEEDS + plan.worlds)
    episodes = play([Task(plan.scenario, seed, number, actor, weights, plan.price, str(work / "calls")) for seed in seeds])
    batch = batch_of(episodes)
    if done:
        recent = [*(one.batch for one in done[max(0, len(done) - MEMORY + 1) :]), batch]
        learner = gradient.improve(learner, gradient.joined(recent))
    else:
        learner = gradient.imitate(learner, batch.seen, batch.allowed, first_policy(batch))
    return Round(batch, means_of(episodes), learner)


def batch_of(episodes: Sequence[Episode]) -> Batch:
    """The choices of a round with their advantages, centred."""
    seen = np.concatenate([each.seen for each in episodes])
    actions = np.concatenate([each.actions for each in episodes])
    rewards = np.concatenate([each.rewards for each in episodes])
    chains = np.concatenate([1000 * number + each.users for number, each in enumerate(episodes)])
    chances = np.concatenate([each.chances for each in episodes])
    drawn = np.log(chances[np.arange(len(actions)), actions])
    allowed = np.concatenate([each.allowed for each in episodes])
    return gradient.centred(Batch(seen, allowed, actions, drawn, gradient.advantages(seen, rewards, chains)))


def means_of(episodes: Sequence[Episode]) -> dict[str, float]:
    """``reward``, ``error`` and ``bits``, each a mean over the requests of all episodes."""
    columns = {"reward": "rewards", "error": "errors", "bits": "bits"}
    return {name: float(np.concatenate([getattr(each, of) for each in episodes]).mean()) for name, of in columns.items()}


def _played(play: Play, tasks: Sequence[Task], jobs: int, address: str) -> list[Episode]:
    found: dict[int, Episode] = {}
    with closing(run_everywhere(play, tasks, jobs=jobs, address=address)) as answers:
        for index, episode in answers:
            found[index] = episode
            log.info("run %d of %d: seed %d, reward %.3f", len(found), len(tasks), tasks[index].seed, episode.rewards.mean())
    return [found[index] for index in range(len(tasks))]


def write_policy(plan: Plan, done: Sequence[Round], folder: Path, evaluation: dict[str, Any], about: dict[str, Any]) -> Card:
    """Write the weights of the last round, and their card.

    Args:
        plan: What was trained.
        done: All rounds.
        folder: Where ``policy.json`` and ``card.json`` go.
        evaluation: See `evaluated`.
        about: What else the card says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.round(value, 6).tolist() for name, value in done[-1].learner.weights.items()}
    content = {"features": FEATURES, "actions": ACTION_NAMES, **arrays}
    (folder / WEIGHTS_FILE).write_text(json.dumps(content, indent=None) + "\n", encoding="utf-8")
    card = {
        "name": "prompt-policy",
        "recipe": "prompt-policy",
        "what": "prompt policy rl: action of the best score of a network of one hidden layer",
        **about,
        "version": __version__,
        "params": sum(array.size for array in done[-1].learner.weights.values()),
        "price_per_1000_bits": plan.price,
        "seeds": [SEEDS, SEEDS + plan.worlds - 1],
        "rounds": len(done),
        "requests": sum(len(one.batch.actions) for one in done),
        "start": "round 1 follows `threshold` with chance 0.6; a regression on its advantages gives the first network; then PPO",
        "means_by_round": [{name: round(value, 5) for name, value in one.means.items()} for one in done],
        "held_out": evaluation,
        "files": [WEIGHTS_FILE],
    }
    return write_card(folder, card)


def evaluated(
    plan: Plan, learner: Learner, seeds: Sequence[int], work: Path, *, jobs: int = 0, address: str = "", play: Play = play_episode
) -> dict[str, Any]:
    """The trained policy without chance, and `threshold`, in worlds that were not trained in: means a request of each."""
    tasks = [
        Task(plan.scenario, seed, 0, actor, learner.weights if actor == BEST else {}, plan.price, str(work / "calls"))
        for actor in (BEST, THRESHOLD)
        for seed in seeds
    ]
    episodes = _played(play, tasks, jobs, address)
    each = {"rl": means_of(episodes[: len(seeds)]), "threshold": means_of(episodes[len(seeds) :])}
    rounded = {actor: {name: round(value, 5) for name, value in means.items()} for actor, means in each.items()}
    return {"seeds": list(seeds), **rounded}


# --- checkpoints --------------------------------------------------------------------------------------------------------


def _claim(plan: Plan, work: Path) -> None:
    """See that the folder is this plan's."""
    work.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**asdict(plan), "features": FEATURES, "actions": ACTION_NAMES, "version": __version__})
    mark = blake2b(text.encode(), digest_size=16).hexdigest()
    path = work / PLAN_FILE
    if path.is_file() and json.loads(path.read_text())["mark"] != mark:
        raise BadInput(f"{work} holds the rounds of another training", "give another --work, or the same scenario and options")
    path.write_text(json.dumps({"mark": mark, **asdict(plan)}, indent=1) + "\n", encoding="utf-8")


def _write(path: Path, one: Round) -> None:
    arrays: dict[str, Array] = {f"batch.{name}": getattr(one.batch, name) for name in Batch.__dataclass_fields__}
    arrays |= {f"means.{name}": np.array(value) for name, value in one.means.items()}
    for kind in ("weights", "first", "second"):
        arrays |= {f"{kind}.{name}": value for name, value in getattr(one.learner, kind).items()}
    arrays["steps"] = np.array(one.learner.steps)
    fresh = path.with_suffix(".new.npz")
    np.savez(fresh, **arrays)  # type: ignore[arg-type]
    fresh.replace(path)


def _read(path: Path) -> Round:
    with np.load(path, allow_pickle=False) as data:

        def group(name: str) -> dict[str, Array]:
            return {key.partition(".")[2]: data[key] for key in data.files if key.startswith(f"{name}.")}

        learner = Learner(group("weights"), group("first"), group("second"), int(data["steps"]))
        means = {name: float(value) for name, value in group("means").items()}
        return Round(Batch(**group("batch")), means, learner)
