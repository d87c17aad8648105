"""The judges look at pictures: a detector and a CLIP-class model trained apart from all others. Only metrics ask them."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from msgspec import UnsetType

from ...agents.meaning import semantic_error
from ...agents.models.roles import PICTURE_SIDE, Box
from ...agents.models.table.outcomes import Effect
from ...agents.sketches import is_sketch
from .alignment import Alignment, Features, View, alignments, object_likeness
from .detection import object_count_discrepancy, object_recovery, object_recovery_iou50
from .quality import GREY, psnr_db, ssim
from .story import Story

if TYPE_CHECKING:  # the judges import torch, which sketches do not need
    from ...agents.models.judge import Seen

CHUNK = 32
"""Pictures a call of the judge."""


@dataclass(frozen=True)
class Recovery:
    """Shares in [0, 1] of the true objects that the judge finds: by class in any place, and by class and place (IoU of 0.5)."""

    recovery: float = 0.0
    iou50: float = 0.0


@dataclass(frozen=True)
class Meaning:
    """What came across in a picture: ``error`` as `agents.meaning` defines it, a personal subject by the likeness of its look.

    ``subject``: alignment of the personal subjects, the mean of each one's best cosine to anything found; None without any.
    """

    error: float = 1.0
    subject: float | None = None


@dataclass(frozen=True)
class Fidelity:
    """How near the shown picture (grey where none is) comes to what entered its last encoder and to the original."""

    psnr_db: float
    psnr_to_original_db: float
    ssim: float


@dataclass(frozen=True)
class Scores:
    """What the judge says of one request; nothing is recovered in pictures that do not exist."""

    fidelity: Fidelity
    shown: Recovery = Recovery()
    generated: Recovery = Recovery()
    alignment: Alignment = field(default_factory=Alignment)
    meaning: Meaning = Meaning()
    generated_meaning: Meaning = Meaning()
    count_discrepancy: int | None = None
    """Of the shown picture; None where there is none."""


def recoveries(pairs: Sequence[tuple[Sequence[Box], bytes]]) -> list[Recovery]:
    """Judge pictures (raw RGB) against the true boxes of their originals, all in one go.

    Raises:
        Missing: The judge's weights are not there.
    """
    found = observe([raw for _, raw in pairs])
    return [_recovery(truth, seen.boxes) for (truth, _), seen in zip(pairs, found, strict=True)]


def _recovery(truth: Sequence[Box], found: Sequence[Box]) -> Recovery:
    return Recovery(object_recovery(truth, found), object_recovery_iou50(truth, found))


def observe(raw: Sequence[bytes]) -> "list[Seen]":
    """What the detector sees in pictures (raw RGB), in chunks on all cores, one torch thread each: the same on any number.

    Raises:
        Missing: The judge's weights are not there.
    """
    if not raw:
        return []
    import torch

    from ...agents.models.judge import Judge

    judge = Judge.load()
    pictures = np.stack([np.frombuffer(picture, np.uint8).reshape(PICTURE_SIDE, PICTURE_SIDE, 3) for picture in raw])
    chunks = [pictures[start : start + CHUNK] for start in range(0, len(pictures), CHUNK)]
    with ThreadPoolExecutor(os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return [seen for chunk in pool.map(judge.observe, chunks) for seen in chunk]


def judged(stories: Sequence[Story], features: Features | None = None) -> list[Scores]:
    """The scores of requests, in their order; ``features`` judge alignments, see `alignments`. Sketches: as measured ones."""
    if stories and is_sketch(stories[0].capture.picture):
        from .tabled import shipped

        outcomes = shipped()
        return [_as_measured(story, outcomes.of(story)[1]) for story in stories]
    if any(story.capture.file for story in stories):  # the judges know the scene world alone
        known = iter(judged([story for story in stories if not story.capture.file], features))
        return [Scores(fidelity_of(story)) if story.capture.file else next(known) for story in stories]
    shown = [(i, story.shown.picture) for i, story in enumerate(stories) if story.shown]
    generated = [(i, story.content.picture) for i, story in enumerate(stories) if story.content]
    seen = observe([picture for _, picture in [*shown, *generated]])
    of_generated = {
        i: _recovery(true_boxes(stories[i]), found.boxes) for (i, _), found in zip(generated, seen[len(shown) :], strict=True)
    }
    views = [View(picture, found.background, found.boxes) for (_, picture), found in zip([*shown, *generated], seen, strict=True)]
    sources = [View(stories[i].capture.picture, stories[i].capture.background, true_boxes(stories[i])) for i, _ in shown]
    aligned = alignments(list(zip(sources, views[: len(shown)], strict=True)), features)
    scores = [
        Scores(fidelity_of(story), generated=of_generated.get(i, Recovery()), meaning=_lost(story))
        for i, story in enumerate(stories)
    ]
    for (i, _), source, view, alignment in zip(shown, sources, views, aligned, strict=False):
        scores[i] = replace(
            scores[i],
            shown=_recovery(source.boxes, view.boxes),
            alignment=alignment,
            meaning=meaning_of(stories[i], view.boxes, alignment.likeness),
            count_discrepancy=object_count_discrepancy(source.boxes, view.boxes),
        )
    drawn = dict(zip((i for i, _ in generated), views[len(shown) :], strict=True))
    personal = [i for i in drawn if any(box.subject for box in true_boxes(stories[i]))]
    looks = object_likeness(
        [(View(stories[i].capture.picture, "", true_boxes(stories[i])), drawn[i]) for i in personal], features
    )
    likeness = dict(zip(personal, looks, strict=True))
    for i, view in drawn.items():
        scores[i] = replace(scores[i], generated_meaning=meaning_of(stories[i], view.boxes, likeness.get(i)))
    return scores


def fidelity_of(story: Story) -> Fidelity:
    """Measured on the pixels of a story's pictures."""
    original = story.capture.picture
    shown = story.shown.picture if story.shown else GREY
    content = story.content
    entered = content.picture if content and isinstance(content.file, UnsetType) else original  # a file is the sender's
    return Fidelity(psnr_db(shown, entered), psnr_db(shown, original), ssim(shown, entered))


def _as_measured(story: Story, effect: Effect) -> Scores:
    personal = any(box.subject for box in true_boxes(story))
    return Scores(
        Fidelity(effect.psnr_db, effect.psnr_to_original_db, effect.ssim),
        Recovery(effect.object_recovery, effect.object_recovery_iou50),
        Recovery(effect.generated_recovery),
        Alignment(effect.image_alignment, effect.object_alignment, effect.text_alignment),
        Meaning(effect.semantic_error, effect.subject_alignment if personal else None),
        Meaning(effect.generated_error),
        round(effect.object_count_discrepancy),
    )


def meaning_of(story: Story, found: Sequence[Box], likeness: np.ndarray | None) -> Meaning:
    """What came across of a story; ``likeness`` (true things, found things) is wanted where there are personal subjects."""
    truth = true_boxes(story)
    subjects = [i for i, box in enumerate(truth) if box.subject]
    error = semantic_error(truth, found, story.capture.task, likeness)
    if not subjects or likeness is None:
        return Meaning(error, None if not subjects else 0.0)
    best = likeness.max(axis=1) if likeness.size else np.zeros(len(truth))
    return Meaning(error, float(best[subjects].mean()))


def _lost(story: Story) -> Meaning:
    return Meaning(1.0, 0.0 if any(box.subject for box in true_boxes(story)) else None)


def true_boxes(story: Story) -> list[Box]:
    """What is truly in the original."""
    return [Box(label, colour, cx, cy, w, h, 1.0, subject) for label, colour, cx, cy, w, h, subject in story.capture.truth]
