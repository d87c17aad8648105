"""Baseline: no semantic noise."""

from ..protocols import NoiseContext, SemanticNoise


class NoNoise:
    """Baseline: semantic noise is always taken to be 0."""

    def estimate(self, context: NoiseContext) -> SemanticNoise:
        """Answer 0, whatever the context."""
        return SemanticNoise(0.0, (), "noise is not estimated")
