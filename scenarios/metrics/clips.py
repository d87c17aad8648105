"""Rows of clips: scores of all frames, how things are followed, and which incidents were told."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from msgspec import structs

from ...agents.models.boxes import iou
from ...agents.models.framewise import FRAME_BYTES, frame, frames_in, still
from ...agents.models.roles import Box
from ...agents.settings import AT_RECEIVERS, NetworkSettings
from ...bus.records import ClipTruth, Placed
from .alignment import Features
from .detection import object_count_discrepancy, object_recovery, object_recovery_iou50
from .judging import Fidelity, Recovery, Scores, judged, observe
from .quality import GREY, psnr_db, ssim
from .row import Row
from .story import Story
from .tracking import LEAST_IOU, Followed, followed

NEAR_PX = 10.0
"""An incident counts as told if one of its kind is told within so many pixels."""


def clip_rows(stories: Sequence[Story], settings: NetworkSettings, features: Features | None = None) -> list[Row]:
    """One row a clip. Pictures' scores are means over its frames; alignments, and what was generated, are of the middle frame."""
    from .reduce import row_of

    middles = [_middle(story) for story in stories]
    scores = [_over_frames(story, base) for story, base in zip(stories, judged(middles, features), strict=True)]
    rows = [row_of(middle, score, settings) for middle, score in zip(middles, scores, strict=True)]
    return [_as_clip(row, story, settings) for row, story in zip(rows, stories, strict=True)]


def _middle(story: Story) -> Story:
    """A story of its clip's middle frame."""
    return replace(
        story,
        capture=structs.replace(story.capture, picture=still(story.capture.picture)),
        content=story.content and structs.replace(story.content, picture=still(story.content.picture)),
        shown=story.shown and structs.replace(story.shown, picture=still(story.shown.picture)),
    )


def true_frames(truth: ClipTruth, frames: int) -> list[list[Placed]]:
    """Frame by frame."""
    found: list[list[Placed]] = [[] for _ in range(frames)]
    for place in truth.places:
        if place.frame < frames:
            found[place.frame].append(place)
    return found


def box_of(place: Placed) -> Box:
    """As a box."""
    return Box(place.label, place.colour, place.cx, place.cy, place.width, place.height)


def _over_frames(story: Story, base: Scores) -> Scores:
    """Means over a clip's frames; a clip that was not shown is grey and empty in all of them."""
    sent = story.capture.picture
    count = frames_in(sent)
    shown = story.shown.picture if story.shown and len(story.shown.picture) == len(sent) else GREY * count
    pairs = [(frame(shown, number), frame(sent, number)) for number in range(count)]
    psnr = float(np.mean([psnr_db(*pair) for pair in pairs]))
    fidelity = Fidelity(psnr, psnr, float(np.mean([ssim(*pair) for pair in pairs])))
    if story.shown is None or story.capture.clip is None:
        return replace(base, fidelity=fidelity)
    seen = [found.boxes for found in observe([one for one, _ in pairs])]
    truth = [[box_of(place) for place in places] for places in true_frames(story.capture.clip, count)]
    there = [(boxes, found) for boxes, found in zip(truth, seen, strict=True) if boxes]
    recovery = Recovery(
        float(np.mean([object_recovery(*pair) for pair in there])) if there else 1.0,
        float(np.mean([object_recovery_iou50(*pair) for pair in there])) if there else 1.0,
    )
    discrepancy = round(float(np.mean([object_count_discrepancy(*pair) for pair in zip(truth, seen, strict=True)])))
    return replace(base, fidelity=fidelity, shown=recovery, count_discrepancy=discrepancy)


def _as_clip(row: Row, story: Story, settings: NetworkSettings) -> Row:
    """A row of a clip. What is followed is scored where receivers are told or look for it, of clips that failed, too."""
    truth, frames = story.capture.clip, len(story.capture.picture) // FRAME_BYTES
    if truth is None:
        return row
    columns: dict[str, Any] = {"content": "clip", "frames": frames, "cbr": None if row.cbr is None else row.cbr / frames}
    columns |= {"psnr_db": None, "incidents": len(truth.incidents)}
    if settings.scheme in AT_RECEIVERS or settings.clips.watch:
        told = (story.shown and story.shown.clip) or ClipTruth(truth.fps, [], [])
        score = tracked(truth, told, frames)
        found, false = told_incidents(truth, told)
        columns |= {"mota": score.mota, "idf1": score.idf1, "place_error_px": score.error_px}
        columns |= {"incidents_found": found, "false_incidents": false}
    return structs.replace(row, **columns)


def tracked(truth: ClipTruth, told: ClipTruth, frames: int) -> Followed:
    """How movers are followed; what is told of things that stand still counts neither way."""
    real, seen = true_frames(truth, frames), true_frames(told, frames)
    movers, found = [], []
    for here, there in zip(real, seen, strict=True):
        fixed = [box_of(place) for place in here if place.number < 0]
        movers.append({place.number: box_of(place) for place in here if place.number >= 0})
        boxes = {place.number: box_of(place) for place in there}
        found.append({number: box for number, box in boxes.items() if all(iou(box, each) < LEAST_IOU for each in fixed)})
    return followed(movers, found)


def told_incidents(truth: ClipTruth, told: ClipTruth) -> tuple[int, int]:
    """(True incidents that were told, told ones that are not true); each is matched once."""
    left = list(told.incidents)
    found = 0
    for incident in truth.incidents:
        near = [
            each
            for each in left
            if each.kind == incident.kind and np.hypot(each.cx - incident.cx, each.cy - incident.cy) <= NEAR_PX
        ]
        if near:
            left.remove(near[0])
            found += 1
    return found, len(left)
