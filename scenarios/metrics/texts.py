"""How much of a text came across: its facts, its meaning, its wording; and of an alarm whether it was raised.

Similarity is the cosine of two texts' mean sentence embeddings (all-MiniLM-L6-v2, `sentences`): a text is longer than what the
embedder reads at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ...agents.models.roles import PICTURE_SIDE, Embed
from ...agents.texts.alarms import is_alarm
from . import facts
from .alignment import cosine
from .row import PICTURE_COLUMNS
from .sentences import embedder
from .story import Story

TEXTS = ("text", "alarms")
"""``traffic.content`` of which receivers are shown a text."""


@dataclass(frozen=True)
class TextScores:
    """What the judges say of one request; nothing is recovered of texts that do not exist."""

    facts: int
    recovery: float | None
    generated: float | None
    false: int
    similarity: float
    wording: float
    cross: float | None = None

    def columns(self) -> dict[str, Any]:
        """Those of a row."""
        return {
            **dict.fromkeys(PICTURE_COLUMNS),
            "facts": self.facts,
            "fact_recovery": self.recovery,
            "generated_fact_recovery": self.generated,
            "false_facts": self.false,
            "text_similarity": self.similarity,
            "wording": self.wording,
            "cross_alignment": self.cross,
        }


def judged_texts(stories: Sequence[Story], content: str) -> list[TextScores]:
    """The scores of requests, in their order; ``content``: of `TEXTS`.

    Raises:
        Missing: The embedder, or for alarms the CLIP-class judge, is not there.
    """
    _embed_together([text for s in stories for text in (s.capture.text, s.shown.text if s.shown else "")])
    crossed = (
        cross_alignments([(s.capture.picture, s.shown.text if s.shown else "") for s in stories]) if content != "text" else []
    )
    scores = []
    for number, story in enumerate(stories):
        truth = frozenset(story.capture.facts)
        shown, entered = story.shown.text if story.shown else "", story.written.text if story.written else ""
        found = facts_of(shown, content)
        scores.append(
            TextScores(
                facts=len(truth),
                recovery=recovery(truth, found),
                generated=recovery(truth, facts_of(entered, content)),
                false=len(found - truth),
                similarity=similarity(story.capture.text, shown),
                wording=facts.wording(shown) if content == "text" else float(bool(shown)),
                cross=crossed[number] if crossed else None,
            )
        )
    return scores


def facts_of(text: str, content: str) -> frozenset[str]:
    """The facts that a text says; of an alarm, that it is one."""
    if content == "text":
        return facts.facts(text)
    return frozenset(["alarm"] if is_alarm(text) else [])


def recovery(truth: frozenset[str], found: frozenset[str]) -> float | None:
    """Share of the true facts that were found; None without any."""
    return len(truth & found) / len(truth) if truth else None


def similarity(one: str, two: str) -> float:
    """Cosine of the mean sentence embeddings of two texts, in [-1, 1]; 0 where one is empty."""
    return cosine(_meaning(one), _meaning(two)) if one and two else 0.0


def _embed_together(texts: Sequence[str]) -> None:
    """The embedder remembers what it has read, and reads many sentences at once faster."""
    said = list(dict.fromkeys(sentence for text in texts for sentence in facts.sentences(text)))
    if said:
        embedder().run([Embed(said)] * embedder().batch)


@cache
def _meaning(text: str) -> np.ndarray:
    said = facts.sentences(text)
    model = embedder()
    vectors = model.run([Embed(said)] * model.batch)[0].vectors
    found: np.ndarray = np.mean([np.frombuffer(vector, "<f4") for vector in vectors], axis=0)
    return found


def cross_alignments(pairs: Sequence[tuple[bytes, str]]) -> list[float | None]:
    """Cosine of the CLIP-class judge's features of a picture (raw RGB) and of what an alarm says; None where there is no alarm.

    AIGC-SCM (Wang et al., section II) compares source and destination of two modalities so, by features of CLIP.
    """
    from ...agents.models.clip_judge import ClipJudge

    which = [i for i, (_, text) in enumerate(pairs) if is_alarm(text)]
    found: list[float | None] = [None] * len(pairs)
    if which:
        judge = ClipJudge.load()
        shape = (PICTURE_SIDE, PICTURE_SIDE, 3)
        pictures = judge.images(np.stack([np.frombuffer(pairs[i][0], np.uint8).reshape(shape) for i in which]))
        texts = judge.texts([said(pairs[i][1]) for i in which])
        for i, one, two in zip(which, pictures, texts, strict=True):
            found[i] = cosine(one, two)
    return found


def said(alarm: str) -> str:
    """The caption in an alarm."""
    return alarm.partition(": ")[2].rstrip(".")
