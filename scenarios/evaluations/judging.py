"""How well the CLIP-class judge of reports ranks and names, on pictures and texts that no training saw."""

from . import Request
from .score import Score, Skipped, mean


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """The judge's held-out scores; see `training.clip_eval.answers` for what each asks and its chance level."""
    from ...agents.models.clip_judge import ClipJudge
    from ...agents.models.training.clip_eval import answers

    found = answers(ClipJudge.load(), pairs=request.scenes, families=max(2, request.scenes // 2))
    return {f"clip_judge_{name}": mean(right) for name, right in found.items()}
