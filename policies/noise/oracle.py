"""Semantic noise as it will be: an upper bound for all estimators, not a policy that could exist."""

from ..protocols import NoiseContext, SemanticNoise
from .kb_mismatch import Parameters, mismatch, uncovered_by


class Oracle:
    """The semantic error of what the cloud would draw of the caption with its seed and no branch models, against the true scene.

    ``value = truth``. ``uncovered`` is what ``kb-mismatch`` says: which concepts the generating side lacks is no secret.
    """

    privileged = True

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def estimate(self, context: NoiseContext) -> SemanticNoise:
        """Answer the truth; 0 where there is none to be had."""
        missing = mismatch(context, self.parameters.alike)
        uncovered = uncovered_by(context, missing)
        value = context.truth or 0.0
        return SemanticNoise(value, uncovered, f"the plainest prompt would lose {value:.2f}")
