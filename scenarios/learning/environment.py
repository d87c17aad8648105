"""A network as a Gymnasium environment: an episode is a run, a step is one choice of a prompt by any of its users.

- *Order*: choices come in simulated time; whose turn it is, is ``info["user"]``.
- *Observation*: what the deciding user knows, ``FEATURES`` of ``policies.prompt.actions``, each in [0, 1]. Nothing of other
  agents, no truth, no outcome. After the last choice it is all zero.
- *Action*: index into ``ACTIONS``. ``info["action_mask"]`` says which can be done; another one is taken for the one that stands
  for it (``standing_for``).
- *Reward*: what a request earns is ``-(semantic_error) - price * told_bits / 1000``, both as in the rows of a run: the judge
  compares the picture that was shown with the true scene, 1 where none was shown. It is known when the run has ended, so every
  step but the last gives 0 and the last one the sum over all requests. Which request earned what is then in ``info["earned"]``:
  `Earned` in the order of the choices. Knowledge is charged to the request that sent it, and helps later ones of its sender.
- *End*: an episode ends with its run (``terminated``), it is never cut short.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Queue
from typing import Any

import gymnasium
import numpy as np

from ...agents.models.loading import load_models
from ...agents.network import asked
from ...agents.playing import play
from ...bus.calls import ModelSet
from ...bus.envelope import Envelope
from ...policies.prompt.actions import ACTIONS, FEATURES, NAMES, SHARE, features, mask, parts_of, standing_for
from ...policies.protocols import Draw, PromptChoice, PromptContext
from ..build import hub_settings, network_settings
from ..metrics.meaning import MeaningRow, meanings
from ..metrics.story import collect
from ..schema import Scenario

PRICE = 0.2
"""Default price of 1000 told bits, in semantic error."""
Judge = Callable[[Sequence[Any]], list[MeaningRow]]
"""Stories of a run -> what came across of each, at what cost."""


@dataclass(frozen=True)
class Earned:
    """What came of one choice: ``reward`` = ``-error - price * bits / 1000``."""

    user: str
    request: str
    action: int
    error: float
    bits: int
    reward: float


class _Left(Exception):
    """The episode was given up: ends the engine."""


@dataclass
class _Table:
    """Between the engine's thread, which asks, and the environment's, which answers."""

    asked: "Queue[PromptContext | list[Envelope] | BaseException]" = field(default_factory=Queue)
    answers: "Queue[int | None]" = field(default_factory=Queue)

    def select(self, context: PromptContext, rng: Draw) -> PromptChoice:
        """The policy that the network's users ask."""
        self.asked.put(context)
        action = self.answers.get()
        if action is None:
            raise _Left
        return PromptChoice(parts_of(action, context), ACTIONS[action][1] == SHARE, NAMES[action])


class NetworkEnv(gymnasium.Env[np.ndarray, np.int64]):
    """See the module.

    Args:
        scenario: What is run; its seed is that of `reset`, its host and its prompt policy do not matter.
        price: What 1000 told bits cost, in semantic error.
        models: What agents ask; default: those of the scenario's profile.
        judge: Default: the judges of reports.
    """

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(self, scenario: Scenario, price: float = PRICE, models: ModelSet | None = None, judge: Judge = meanings) -> None:
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (len(FEATURES),), np.float32)
        self.action_space = gymnasium.spaces.Discrete(len(ACTIONS))
        self.price = price
        self.context: PromptContext | None = None
        """What the next choice is asked with; None before the first and after the last."""
        self._scenario = scenario
        settings = network_settings(_fixed(scenario, scenario.seed))
        self._models = models or load_models(scenario.models.profile, asked(settings), hub=hub_settings(scenario))
        self._judge = judge
        self._table: _Table | None = None
        self._thread: threading.Thread | None = None
        self._actions: list[int] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin a run whose seed is ``seed``; without one, it is drawn from the environment's own generator.

        Raises:
            SemcastError: The run failed.
        """
        super().reset(seed=seed)
        self.close()
        run_seed = int(self.np_random.integers(1 << 31)) if seed is None else seed
        self._actions, self._table = [], _Table()
        self._thread = threading.Thread(target=self._run, args=(run_seed, self._table), daemon=True)
        self._thread.start()
        observation, _, _, _, info = self._next()
        return observation, info

    def step(self, action: np.int64 | int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Answer the choice that is asked.

        Raises:
            SemcastError: The run failed.
            RuntimeError: No choice is asked: call `reset`.
        """
        if self.context is None or self._table is None:
            raise RuntimeError("no choice is asked: call reset() first")
        self._actions.append(standing_for(int(action), mask(self.context)))
        self._table.answers.put(self._actions[-1])
        return self._next()

    def close(self) -> None:
        """Give up the run that is under way, if there is one."""
        if self._thread is not None and self._table is not None:
            self._table.answers.put(None)
            self._thread.join()
        self._thread = self._table = self.context = None

    def _run(self, seed: int, table: _Table) -> None:
        try:
            table.asked.put(play(network_settings(_fixed(self._scenario, seed)), "prompt", table, self._models))
        except BaseException as error:  # it is raised again in the caller's thread
            table.asked.put(error)

    def _next(self) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        assert self._table is not None
        asked = self._table.asked.get()
        if isinstance(asked, PromptContext):
            self.context = asked
            seen = np.array(features(asked), np.float32)
            return seen, 0.0, False, False, {"action_mask": np.array(mask(asked), np.int8)}
        self.close()
        if isinstance(asked, BaseException):
            raise asked
        earned = self._earned(asked)
        total = float(np.sum([each.reward for each in earned]))
        nothing = np.zeros(len(FEATURES), np.float32)
        return nothing, total, True, False, {"action_mask": np.zeros(len(ACTIONS), np.int8), "earned": earned}

    def _earned(self, records: Sequence[Envelope]) -> list[Earned]:
        """What each choice earned, in the order of the choices."""
        stories, _ = collect(records, {})
        rows = {row.request: row for row in self._judge(stories)}
        chosen = (
            (record.source, record.payload.request)
            for record in records
            if type(record.payload).__name__ == "Decision" and record.payload.verb == "select"
        )
        found = []
        for (user, request), action in zip(chosen, self._actions, strict=True):
            row = rows[request]
            reward = -row.error - self.price * row.bits / 1000.0
            found.append(Earned(user, request, action, row.error, row.bits, reward))
        return found


def _fixed(scenario: Scenario, seed: int) -> Scenario:
    """The scenario as it is run here: with a seed, and a prompt policy that wants nothing for itself."""
    policies = scenario.policies.model_copy(update={"prompt": "fixed"})
    return scenario.model_copy(update={"seed": seed, "policies": policies})
