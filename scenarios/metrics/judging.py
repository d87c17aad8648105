"""The judge looks at pictures: a detector trained apart from extractor and generator. Only metrics ask it, never an agent."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ...agents.models.judge import Judge
from ...agents.models.roles import PICTURE_SIDE, Box
from .detection import object_recovery, object_recovery_iou50
from .story import Story

CHUNK = 32
"""Pictures a call of the judge."""


@dataclass(frozen=True)
class Recovery:
    """Shares in [0, 1] of the true objects that the judge finds: by class in any place, and by class and place (IoU of 0.5)."""

    recovery: float = 0.0
    iou50: float = 0.0


@dataclass(frozen=True)
class Scores:
    """What the judge says of one request; nothing is recovered in pictures that do not exist."""

    shown: Recovery = Recovery()
    generated: Recovery = Recovery()


def recoveries(pairs: Sequence[tuple[Sequence[Box], bytes]]) -> list[Recovery]:
    """Judge pictures (raw RGB) against the true boxes of their originals, all in one go.

    Raises:
        Missing: The judge's weights are not there.
    """
    if not pairs:
        return []
    pictures = np.stack([np.frombuffer(raw, np.uint8).reshape(PICTURE_SIDE, PICTURE_SIDE, 3) for _, raw in pairs])
    found = _detect(Judge.load(), pictures)
    return [
        Recovery(object_recovery(list(truth), boxes), object_recovery_iou50(list(truth), boxes))
        for (truth, _), boxes in zip(pairs, found, strict=True)
    ]


def _detect(judge: Judge, pictures: np.ndarray) -> list[list[Box]]:
    """Detect in chunks on all cores, one torch thread each: the same on any number of cores."""
    import torch

    chunks = [pictures[start : start + CHUNK] for start in range(0, len(pictures), CHUNK)]
    with ThreadPoolExecutor(os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return [boxes for chunk in pool.map(judge.detect, chunks) for boxes in chunk]


def judged(stories: Sequence[Story]) -> list[Scores]:
    """The scores of requests, in their order."""
    shown = [(i, story.shown.picture) for i, story in enumerate(stories) if story.shown]
    generated = [(i, story.content.picture) for i, story in enumerate(stories) if story.content]
    found = recoveries([(true_boxes(stories[i]), picture) for i, picture in [*shown, *generated]])
    of_shown = dict(zip([i for i, _ in shown], found[: len(shown)], strict=True))
    of_generated = dict(zip([i for i, _ in generated], found[len(shown) :], strict=True))
    return [Scores(of_shown.get(i, Recovery()), of_generated.get(i, Recovery())) for i in range(len(stories))]


def true_boxes(story: Story) -> list[Box]:
    """What is truly in the original."""
    return [Box(label, colour, cx, cy, w, h, 1.0, subject) for label, colour, cx, cy, w, h, subject in story.capture.truth]
