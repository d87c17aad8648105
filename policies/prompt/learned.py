"""A prompt policy trained by reinforcement learning: a small network's weights, and nothing else that knows the task.

``semcast train prompt-policy`` makes the weights: whole runs are episodes of ``scenarios.environment``, and a policy gradient
(PPO, Schulman et al., arXiv 1707.06347) raises ``-(semantic error) - price * bits``. The card beside them has seeds and what was
reached.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, isfinite, tanh
from operator import mul
from pathlib import Path
from typing import Annotated

from ...bus.errors import BadInput, Missing
from ..protocols import Draw, PromptChoice, PromptContext
from .actions import ACTIONS, FEATURES, NAMES, SHARE, features, mask, parts_of

SHIPPED = Path(__file__).parent / "weights" / "policy.json"
MEND = "train them: semcast train prompt-policy"

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Network:
    """Scores of all actions: ``output @ tanh(hidden @ features + hidden_bias) + output_bias``.

    Attributes:
        hidden: Shape (hidden units, features).
        hidden_bias: Shape (hidden units,).
        output: Shape (actions, hidden units).
        output_bias: Shape (actions,).
    """

    hidden: Matrix
    hidden_bias: tuple[float, ...]
    output: Matrix
    output_bias: tuple[float, ...]

    def scores(self, seen: Sequence[float]) -> list[float]:
        """One score an action; a softmax over those that can be done is the policy that was trained."""
        units = [tanh(sum(map(mul, row, seen)) + bias) for row, bias in zip(self.hidden, self.hidden_bias, strict=True)]
        return [sum(map(mul, row, units)) + bias for row, bias in zip(self.output, self.output_bias, strict=True)]


@lru_cache(maxsize=16)
def read_network(path: Path) -> Network:
    """Read a weights file: a JSON object with the names of features and actions, and the four arrays of a `Network`.

    Raises:
        Missing: No such file.
        BadInput: Not such an object, or made for other features or actions.
    """
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise Missing(f"no weights of a prompt policy at {path} ({error.strerror})", MEND) from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"weights {path} are no JSON ({error})", MEND) from None
    try:
        names = tuple(data["features"]), tuple(data["actions"])
        network = Network(_matrix(data["hidden"]), _row(data["hidden_bias"]), _matrix(data["output"]), _row(data["output_bias"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadInput(f"weights {path} are no prompt policy ({type(error).__name__}: {error})", MEND) from None
    if names != (FEATURES, NAMES):
        raise BadInput(f"weights {path} are for other features or actions than this version has", MEND)
    units = len(network.hidden_bias)
    wide = [len(row) for row in network.hidden] == [len(FEATURES)] * units
    if not wide or [len(row) for row in network.output] != [units] * len(ACTIONS) or len(network.output_bias) != len(ACTIONS):
        raise BadInput(f"weights {path} have arrays of other shapes than their names say", MEND)
    return network


def _row(values: Sequence[float]) -> tuple[float, ...]:
    row = tuple(float(value) for value in values)
    if not all(map(isfinite, row)):
        raise ValueError("a number is not finite")
    return row


def _matrix(values: Sequence[Sequence[float]]) -> Matrix:
    return tuple(_row(row) for row in values)


@dataclass(frozen=True)
class Parameters:
    """``weights``: a file on every machine that runs a worker."""

    weights: Annotated[str, "weights file of semcast train prompt-policy; empty: where that writes it"] = ""

    @property
    def path(self) -> Path:
        """The file that is read."""
        return Path(self.weights) if self.weights else SHIPPED


class Learned:
    """Trained by reinforcement learning to trade semantic error for bits; always the action of the best score."""

    def __init__(self, parameters: Parameters) -> None:
        self.network = read_network(parameters.path)

    @staticmethod
    def files(parameters: Parameters) -> tuple[Path, ...]:
        """What decides besides this source file."""
        return (parameters.path,)

    def select(self, context: PromptContext, rng: Draw) -> PromptChoice:
        """Select the best of the actions that can be done; the reason says how sure the trained softmax is."""
        allowed = mask(context)
        scored = [(score, -i) for i, score in enumerate(self.network.scores(features(context))) if allowed[i]]
        best, place = max(scored)
        share = ACTIONS[-place][1] == SHARE
        sure = 1.0 / sum(exp(score - best) for score, _ in scored)
        return PromptChoice(parts_of(-place, context), share, f"{NAMES[-place]}, best of {len(scored)} with weight {sure:.2f}")
