"""A contextual bandit: which prompt pays, learned from what receivers say that they saw."""

from dataclasses import dataclass
from math import log, sqrt
from typing import Annotated

from ..protocols import Draw, Memory, PromptChoice, PromptContext, PromptLesson
from .parts import by_name, with_core

ARMS = (("keywords",), ("caption", "references"), ("boxes", "references"), ("caption", "boxes", "references"))
"""Sets of parts, cheapest first; of each what is on offer."""
LEVELS = (0.1, 0.4)
"""Semantic noise between these is a context of its own."""
PRIOR = (0.4, 0.2, 0.1, 0.1)
"""Errors of the arms for a greeting, as good a guess as any before the first lesson (``mapping``: 1 without boxes)."""


@dataclass(frozen=True)
class Parameters:
    """``price`` trades bits for errors; ``prior`` says how much the first guess is worth, ``explore`` how curious it is."""

    price: Annotated[float, "semantic error that 1000 bits are worth"] = 0.2
    prior: Annotated[float, "lessons that the prior guess is worth"] = 2.0
    explore: Annotated[float, "weight of the confidence bonus"] = 0.1
    share: Annotated[float, "noise from which the uncovered subjects' KB items are shared first"] = 0.05

    def __post_init__(self) -> None:
        if self.prior <= 0.0 or min(self.price, self.explore, self.share) < 0.0:
            raise ValueError("prior must be above 0; price, explore and share not negative")


class Bandit:
    """Lower confidence bound on ``error + price * bits / 1000`` over four sets of parts, for each task and level of noise.

    ``score = (p g + sum e) / (p + n) + price * bits / 1000 - explore * sqrt(2 ln(1 + N) / (p + n))`` with the arm's guess g and
    its weight p, its n lessons of errors e, and N lessons in this context: UCB1 (Auer, Cesa-Bianchi, Fischer 2002) with a
    prior, for costs. Bits are known exactly and need no learning. What receivers report says nothing of a personal
    subject's look, so sharing is no arm: it follows the noise as in ``threshold``. Every sender learns alone.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def select(self, context: PromptContext, rng: Draw) -> PromptChoice:
        """Select the arm with the lowest bound; on a tie the cheaper one."""
        offered = by_name(context)
        table = context.memory.get(_situation(context), (0.0,) * (2 * len(ARMS)))
        lessons = sum(table[0::2])
        rated = []
        for number, arm in enumerate(ARMS):
            parts = with_core([name for name in arm if name in offered], context)
            if arm[0] in offered:
                bits = sum(offered[name].bits for name in parts)
                rated.append(
                    (self._bound(number, table, lessons, context.task) + self.parameters.price * bits / 1e3, bits, parts)
                )
        bound, bits, parts = min(rated) if rated else (1.0, 0, with_core([], context))
        share = context.noise.value >= self.parameters.share and bool(context.noise.uncovered)
        return PromptChoice(parts, share, f"{'+'.join(parts)} for {bits} bits: bound {bound:.2f} after {lessons:.0f} lessons")

    def learn(self, memory: Memory, lesson: PromptLesson) -> Memory:
        """Count the error to the arm that was chosen."""
        chosen = [name for name in ("keywords", "caption", "boxes") if name in lesson.choice.parts]
        arm = next((i for i, arm in enumerate(ARMS) if [name for name in arm if name != "references"] == chosen), None)
        if arm is None or lesson.outcome.error is None:
            return memory
        situation = _situation(lesson.context)
        table = list(memory.get(situation, (0.0,) * (2 * len(ARMS))))
        table[2 * arm] += 1.0
        table[2 * arm + 1] += lesson.outcome.error
        return memory | {situation: tuple(table)}

    def _bound(self, arm: int, table: tuple[float, ...], lessons: float, task: str) -> float:
        guess = 1.0 if task == "mapping" and "boxes" not in ARMS[arm] else PRIOR[arm]
        weight = self.parameters.prior + table[2 * arm]
        mean = (self.parameters.prior * guess + table[2 * arm + 1]) / weight
        return mean - self.parameters.explore * sqrt(2.0 * log(1.0 + lessons) / weight)


def _situation(context: PromptContext) -> str:
    level = sum(context.noise.value >= edge for edge in LEVELS)
    return f"{context.task} {level}"
