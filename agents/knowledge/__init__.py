"""Knowledge bases: typed items, event sourcing, retrieval by meaning, summaries (DESIGN section 4)."""

from .base import KnowledgeBase, change, fold
from .items import KINDS, SHARING, KbItem
from .retrieval import nearest
from .summary import summary_bits, summary_of

__all__ = ["KINDS", "SHARING", "KbItem", "KnowledgeBase", "change", "fold", "nearest", "summary_bits", "summary_of"]
