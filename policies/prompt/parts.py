"""What every prompt policy knows about the parts of a prompt."""

from ..protocols import Candidate, PromptContext

CORE = ("caption", "boxes")
"""A prompt holds at least one of these, or the keywords: nothing else says what is in the picture."""


def by_name(context: PromptContext) -> dict[str, Candidate]:
    """The candidates by name, in the context's order."""
    return {candidate.name: candidate for candidate in context.candidates}


def with_core(chosen: list[str], context: PromptContext) -> tuple[str, ...]:
    """``chosen``, in the candidates' order and with the cheapest core part where none was chosen."""
    offered = by_name(context)
    core = [name for name in CORE if name in offered]
    if core and not any(name in chosen for name in ("keywords", *core)):
        chosen = [*chosen, min(core, key=lambda name: offered[name].bits)]
    return tuple(name for name in offered if name in chosen)
