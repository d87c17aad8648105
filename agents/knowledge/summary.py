"""What one side tells the other about its knowledge, and what that costs."""

from ...bus.messages import KbSummary
from .base import KnowledgeBase
from .items import SUBJECT

USER_BITS = 16
SUBJECT_NUMBER_BITS = 4
"""A subject is named by its owner and the number among the owner's subjects."""
COUNT_BITS = 16
VERSION_BITS = 8


def summary_of(base: KnowledgeBase, version: int) -> KbSummary:
    """The subjects that this side can draw (those with an identifier), in sorted order."""
    return KbSummary(sorted(item.name for item in base.of_kind(SUBJECT) if item.data), version)


def summary_bits(summary: KbSummary) -> int:
    """Size of a summary in bits: a version, a count, and one number a subject."""
    return VERSION_BITS + COUNT_BITS + len(summary.subjects) * (USER_BITS + SUBJECT_NUMBER_BITS)
