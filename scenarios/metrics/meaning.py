"""Only what came across of each request and what was spent to tell it: two columns of the rows, without the rest of the work."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...agents.sketches import is_sketch
from .alignment import View, object_likeness
from .judging import judged, meaning_of, observe, true_boxes
from .reduce import KNOWLEDGE_PURPOSES, lesson_bits
from .story import Story

TOLD = ("prompt", *KNOWLEDGE_PURPOSES)


@dataclass(frozen=True)
class MeaningRow:
    """``error`` is the ``semantic_error`` and ``bits`` the ``told_bits`` of a `Row`."""

    request: str
    error: float
    bits: int


def meanings(stories: Sequence[Story]) -> list[MeaningRow]:
    """One row a story, in the same order.

    Raises:
        Missing: The judges' weights are not there.
    """
    bits = [sum(air.payload_bits for air in story.airs if air.purpose in TOLD) + lesson_bits(story) for story in stories]
    errors = _errors(stories)
    return [MeaningRow(story.request, error, spent) for story, error, spent in zip(stories, errors, bits, strict=True)]


def _errors(stories: Sequence[Story]) -> list[float]:
    if stories and is_sketch(stories[0].capture.picture):
        return [scores.meaning.error for scores in judged(stories)]
    shown = {i: story.shown.picture for i, story in enumerate(stories) if story.shown}
    seen = dict(zip(shown, observe(list(shown.values())), strict=True))
    personal = [i for i in shown if any(box.subject for box in true_boxes(stories[i]))]
    sources = [View(stories[i].capture.picture, "", true_boxes(stories[i])) for i in personal]
    views = [View(shown[i], seen[i].background, seen[i].boxes) for i in personal]
    pairs = list(zip(sources, views, strict=True))
    likeness = dict(zip(personal, object_likeness(pairs), strict=True))
    return [meaning_of(story, seen[i].boxes, likeness.get(i)).error if i in seen else 1.0 for i, story in enumerate(stories)]
