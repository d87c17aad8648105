"""Semantic noise learned from feedback: a regression for every goal, corrected for every receiver."""

from dataclasses import dataclass
from typing import Annotated

from ..protocols import Memory, NoiseContext, NoiseLesson, SemanticNoise
from .kb_mismatch import mismatch, uncovered_by

MOST_RECEIVERS = 64
"""Receivers whose corrections are kept; the one that was longest not heard of is forgotten first."""
FEATURES = 5
PLAIN = ("caption", "keywords", "references")
"""Parts of prompts whose outcome tells about the plainest prompt: references name again whom a caption names. Boxes, identifiers
or knowledge that was shared first would have mended it."""


@dataclass(frozen=True)
class Parameters:
    """``alike`` as in ``kb-mismatch``; ``ridge`` is the strength of the prior, in requests."""

    alike: Annotated[float, "cosine similarity from which a concept counts as covered"] = 0.9
    ridge: Annotated[float, "how many requests the prior (the mismatch itself) is worth"] = 4.0
    patience: Annotated[float, "requests of one receiver that halve the doubt about its own correction"] = 8.0

    def __post_init__(self) -> None:
        if not 0.0 < self.alike <= 1.0 or self.ridge <= 0.0 or self.patience <= 0.0:
            raise ValueError(f"alike = {self.alike} is not in (0, 1], or ridge = {self.ridge}, patience = {self.patience} <= 0")


class Regression:
    """Expected semantic error by recursive least squares on what receivers said that they saw.

    With features ``x = (1, mean mismatch, mean doubt of the extractor, things / 8, whether the prompt was more than plain)``
    and one weight vector ``w`` a task, ``value = clip(x w + b_r)``; the last feature is 0 when estimating. The prior is the
    mismatch itself, ``w = (0, 1, 0, 0, 0)`` with covariance ``I / ridge``, and every lesson (x, e) updates both by
    the recursive least squares of Plackett (1950)::

        k = P x / (1 + x' P x),    w <- w + k (e - x w),    P <- P - k (P x)'

    ``b_r`` corrects for receiver r: the mean of its residuals, shrunk by ``n / (n + patience)``.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def estimate(self, context: NoiseContext) -> SemanticNoise:
        """Estimate for the plainest prompt."""
        missing = mismatch(context, self.parameters.alike)
        uncovered = uncovered_by(context, missing)
        weights = self._fit(context.memory, context.task)[:FEATURES]
        fitted = _dot(self._features(context, rich=False), weights)
        correction = self._correction(context.memory, context.receiver)
        value = min(1.0, max(0.0, fitted + correction))
        return SemanticNoise(value, uncovered, f"{context.task}: {fitted:.2f}, this receiver {correction:+.2f}: {value:.2f}")

    def learn(self, memory: Memory, lesson: NoiseLesson) -> Memory:
        """Take in one outcome."""
        context, error = lesson.context, lesson.outcome.error
        if error is None:
            return memory
        x = self._features(context, rich=lesson.shared or any(part not in PLAIN for part in lesson.parts))
        fit = self._fit(memory, context.task)
        weights, covariance = fit[:FEATURES], fit[FEATURES:]
        residual = error - _dot(x, weights)
        px = [_dot(x, covariance[FEATURES * i : FEATURES * (i + 1)]) for i in range(FEATURES)]
        gain = [value / (1.0 + _dot(x, px)) for value in px]
        new = [w + k * residual for w, k in zip(weights, gain, strict=True)]
        new += [p - gain[i // FEATURES] * px[i % FEATURES] for i, p in enumerate(covariance)]
        count, total = memory.get(f"receiver {context.receiver}", (0.0, 0.0))
        kept = {key: value for key, value in memory.items() if key != f"receiver {context.receiver}"}
        kept |= {f"task {context.task}": tuple(new), f"receiver {context.receiver}": (count + 1.0, total + residual)}
        receivers = [key for key in kept if key.startswith("receiver ")]
        return {key: value for key, value in kept.items() if key not in receivers[:-MOST_RECEIVERS]}

    def _fit(self, memory: Memory, task: str) -> tuple[float, ...]:
        """Weights, then the covariance by rows."""
        prior = [0.0, 1.0, 0.0, 0.0, 0.0]
        prior += [(i == j) / self.parameters.ridge for i in range(FEATURES) for j in range(FEATURES)]
        return memory.get(f"task {task}", tuple(prior))

    def _correction(self, memory: Memory, receiver: str) -> float:
        count, total = memory.get(f"receiver {receiver}", (0.0, 0.0))
        return total / (count + self.parameters.patience)

    def _features(self, context: NoiseContext, rich: bool) -> list[float]:
        missing = mismatch(context, self.parameters.alike)
        doubts = [1.0 - min(1.0, max(0.0, context.certainty.get(name, 1.0))) for name in context.concepts]
        number = max(1, len(context.concepts))
        return [1.0, sum(missing) / number, sum(doubts) / number, context.things / 8.0, float(rich)]


def _dot(a: list[float] | tuple[float, ...], b: list[float] | tuple[float, ...]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))
