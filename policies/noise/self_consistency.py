"""Semantic noise by self-consistency: the sender plays the receiving side and looks at what became of its own words."""

from dataclasses import dataclass
from typing import Annotated

from ..protocols import NoiseContext, SemanticNoise
from .kb_mismatch import mismatch, uncovered_by


@dataclass(frozen=True)
class Parameters:
    """``alike`` as in ``kb-mismatch``; ``trust`` weighs the rehearsal against the mismatch."""

    alike: Annotated[float, "cosine similarity from which a concept counts as covered"] = 0.9
    trust: Annotated[float, "weight of the rehearsal; the rest is the mismatch's"] = 0.7

    def __post_init__(self) -> None:
        if not 0.0 < self.alike <= 1.0 or not 0.0 <= self.trust <= 1.0:
            raise ValueError(f"alike = {self.alike} is not in (0, 1], or trust = {self.trust} is not in [0, 1]")


class SelfConsistency:
    """Error of a rehearsal, joined with the knowledge mismatch because one rehearsal is one draw.

    ``value = trust e + (1 - trust) (1/n) sum_i m_i``: ``e`` is the semantic error (``agents.meaning``) between what the extractor
    saw in the picture and what it sees again in one that the sender's own small generator drew from the caption, knowing no more
    than the cloud's summary; ``m_i`` of ``kb_mismatch.mismatch``. The idea of checking a generative model by drawing again and
    comparing is that of self-consistency (Wang et al., ICLR 2023); its use for semantic noise is ours. It costs the
    sender one small generation and one extraction a picture.
    """

    needs = ("rehearsal",)

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def estimate(self, context: NoiseContext) -> SemanticNoise:
        """Estimate from rehearsal and summary; without a rehearsal from the summary alone."""
        missing = mismatch(context, self.parameters.alike)
        known = sum(missing) / max(1, len(missing))
        uncovered = uncovered_by(context, missing)
        if context.rehearsed is None:
            return SemanticNoise(known, uncovered, f"no rehearsal, mismatch {known:.2f}")
        value = self.parameters.trust * context.rehearsed + (1.0 - self.parameters.trust) * known
        return SemanticNoise(value, uncovered, f"rehearsal lost {context.rehearsed:.2f}, mismatch {known:.2f}: {value:.2f}")
