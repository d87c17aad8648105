"""Semantic noise as knowledge-base mismatch: the share of the prompt's meaning that the generating side does not know."""

from dataclasses import dataclass
from typing import Annotated

from ..protocols import NoiseContext, SemanticNoise


@dataclass(frozen=True)
class Parameters:
    """``alike``: two terms of at least this similarity mean the same."""

    alike: Annotated[float, "cosine similarity from which a concept counts as covered"] = 0.9

    def __post_init__(self) -> None:
        if not 0.0 < self.alike <= 1.0:
            raise ValueError(f"alike = {self.alike} is not in (0, 1]")


def mismatch(context: NoiseContext, alike: float) -> tuple[float, ...]:
    """Each concept's mismatch in [0, 1], in the context's order.

    For concept i, with s_i the highest cosine similarity to anything known at the generating side::

        m_i = 0                    if i is known there word by word, or s_i >= alike
        m_i = 1 - max(0, s_i)      otherwise; 1 when no similarity is given

    This is the cosine distance to the nearest entry of the receiver's knowledge base. The papers ask for an estimate
    without giving a formula ("Harnessing the Power of AI-Generated Content for Semantic Communication", sections III-A and V-A:
    noise from unequal knowledge guides prompt selection and knowledge sharing), so the formula is ours.
    """
    known = frozenset(context.known)
    similarity = (1.0 if name in known else context.similarity.get(name, 0.0) for name in context.concepts)
    return tuple(0.0 if s >= alike else 1.0 - max(0.0, s) for s in similarity)


def uncovered_by(context: NoiseContext, missing: tuple[float, ...]) -> tuple[str, ...]:
    """The concepts with any mismatch, each once."""
    return tuple(dict.fromkeys(name for name, m in zip(context.concepts, missing, strict=True) if m > 0.0))


class KbMismatch:
    """Mean embedding distance of the prompt's concepts to the nearest thing that the generating side knows.

    ``value = (1/n) sum_i m_i`` with ``m_i`` of ``mismatch``; 0 for a prompt without concepts.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def estimate(self, context: NoiseContext) -> SemanticNoise:
        """Estimate from the KB summary alone."""
        missing = mismatch(context, self.parameters.alike)
        value = sum(missing) / max(1, len(missing))
        uncovered = uncovered_by(context, missing)
        return SemanticNoise(value, uncovered, f"{len(uncovered)} of {len(missing)} concepts are not covered: {value:.2f}")
