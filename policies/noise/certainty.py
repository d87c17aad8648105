"""Semantic noise from both ends: the extractor may be wrong, and the generating side may not know what it means."""

from dataclasses import dataclass
from typing import Annotated

from ..protocols import NoiseContext, SemanticNoise
from .kb_mismatch import mismatch, uncovered_by


@dataclass(frozen=True)
class Parameters:
    """``alike`` as in ``kb-mismatch``; ``doubt`` scales the extractor's uncertainty (0: trust it, then this is kb-mismatch)."""

    alike: Annotated[float, "cosine similarity from which a concept counts as covered"] = 0.9
    doubt: Annotated[float, "weight of the extractor's uncertainty"] = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.alike <= 1.0:
            raise ValueError(f"alike = {self.alike} is not in (0, 1]")
        if not 0.0 <= self.doubt <= 1.0:
            raise ValueError(f"doubt = {self.doubt} is not in [0, 1]")


class Certainty:
    """Mean probability that a concept is lost, by the extractor's doubt or by the knowledge mismatch, if independent.

    ``value = (1/n) sum_i [1 - (1 - doubt (1 - c_i)) (1 - m_i)]`` with the extractor's score ``c_i``
    (1 where none is given, e.g. for what the sender knows itself) and ``m_i`` of ``kb_mismatch.mismatch``.
    More prompts mend a doubtful extraction as well, but only the mismatch calls for knowledge sharing: ``uncovered`` lists the
    same concepts as ``kb-mismatch`` does.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def estimate(self, context: NoiseContext) -> SemanticNoise:
        """Estimate from the extractor's scores and the KB summary."""
        missing = mismatch(context, self.parameters.alike)
        unsure = tuple(1.0 - min(1.0, max(0.0, context.certainty.get(name, 1.0))) for name in context.concepts)
        lost = [1.0 - (1.0 - self.parameters.doubt * u) * (1.0 - m) for u, m in zip(unsure, missing, strict=True)]
        value = sum(lost) / max(1, len(lost))
        uncovered = uncovered_by(context, missing)
        doubt = sum(unsure) / max(1, len(unsure))
        reason = f"{len(uncovered)} of {len(missing)} concepts are not covered, mean doubt {doubt:.2f}: {value:.2f}"
        return SemanticNoise(value, uncovered, reason)
