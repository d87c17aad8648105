"""What ``semcast eval WHAT`` can measure. To add one: a line in `EVALUATIONS` and a module of that name here with

    evaluate(request: Request) -> dict[str, Score | Skipped]

Names of figures carry their units; `kept.py` keeps the figures beside the weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy would make the command line's help slow
    from .score import Score, Skipped


@dataclass(frozen=True)
class Request:
    """What is asked of an evaluation: how many held-out ``scenes``, and the model ``profile``."""

    scenes: int = 200
    profile: str = "tiny"


@dataclass(frozen=True)
class Evaluation:
    """One line of the list.

    Attributes:
        what: For the list.
        roles: Whose weights its figures depend on; ``judge`` for the report's.
        models: Part of ``semcast eval models``.
    """

    what: str
    roles: tuple[str, ...]
    models: bool = True


EVALUATIONS: Mapping[str, Evaluation] = {
    "extraction": Evaluation("boxes and captions of the extractor, as F1", ("extractor",)),
    "generation": Evaluation(
        "objects that the judge finds in pictures generated from extracted prompts", ("extractor", "generator", "judge")
    ),
    "library": Evaluation("the JSCC codec library on scenes against its own middle codec", ("jscc_encoder", "jscc_decoder")),
}
"""Name of the evaluation, which is its module's, too -> what it is."""

ALL = "models"
"""Stands for every evaluation that is part of ``semcast eval models``."""


def chosen(what: str) -> tuple[str, ...]:
    """The evaluations that a word of the command line stands for; empty if it is none."""
    if what == ALL:
        return tuple(name for name, evaluation in EVALUATIONS.items() if evaluation.models)
    return (what,) if what in EVALUATIONS else ()


def evaluate(name: str, request: Request) -> "dict[str, Score | Skipped]":
    """Run one evaluation of `EVALUATIONS`.

    Raises:
        Missing: A model's weights are not there.
    """
    found: dict[str, Score | Skipped] = import_module(f".{name}", __name__).evaluate(request)
    return found
