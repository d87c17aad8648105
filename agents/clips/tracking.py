"""Boxes of single frames -> tracks, by OC-SORT (Cao et al., CVPR 2023) of the package ``trackers``."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...bus.errors import Missing
from ..models.roles import Box

LOST_FRAMES = 4
"""Frames after which a track that is not seen ends."""
LEAST_IOU = 0.15
"""Overlap from which a box can continue a track: things of 12 pixels that move by 3 a frame still have 0.3."""
LEAST_SEEN = 3
"""A track of fewer boxes is taken for a mistake of the detector."""
LEAST_SCORE = 0.3
"""Boxes that the detector is less sure of are left out."""


@dataclass(frozen=True)
class Track:
    """One thing through a clip: its class and colour, most often seen, and frame -> box, without gaps between first and last."""

    label: str
    colour: str
    places: dict[int, Box]

    @property
    def first(self) -> int:
        """First frame."""
        return min(self.places)

    @property
    def last(self) -> int:
        """Last frame."""
        return max(self.places)


def tracks_of(boxes: Sequence[Sequence[Box]]) -> list[Track]:
    """Track what a detector found, frame by frame.

    Args:
        boxes: Of each frame.

    Returns:
        Tracks of at least `LEAST_SEEN` boxes (all, in clips as short), in order of first frame, then place; frames in which a
        thing was not found hold its interpolated place.

    Raises:
        Missing: The package ``trackers`` is not installed.
    """
    tracker = _tracker()
    seen: list[tuple[Any, dict[int, Box]]] = []
    for frame, found in enumerate(boxes):
        sure = [box for box in found if box.score >= LEAST_SCORE and box.width > 0 and box.height > 0]
        tracker.update(_detections(sure))
        for tracklet in tracker.tracks:
            if tracklet.time_since_update == 0:
                places = next((places for other, places in seen if other is tracklet), None)
                if places is None:
                    places = {}
                    seen.append((tracklet, places))
                places[frame] = _nearest(sure, tracklet.last_observation)
    least = min(LEAST_SEEN, len(boxes))
    tracks = [_track(places) for _, places in seen if len(places) >= least]
    return sorted(tracks, key=lambda track: (track.first, track.places[track.first].cx, track.places[track.first].cy))


def filled(places: dict[int, Box]) -> dict[int, Box]:
    """Places with those of missing frames interpolated linearly between their neighbours."""
    frames = sorted(places)
    whole = dict(places)
    for before, after in zip(frames, frames[1:], strict=False):
        for frame in range(before + 1, after):
            whole[frame] = between(places[before], places[after], (frame - before) / (after - before))
    return {frame: whole[frame] for frame in sorted(whole)}


def between(one: Box, two: Box, share: float) -> Box:
    """A box a ``share`` of the way from one to another."""

    def mix(name: str) -> float:
        return float((1 - share) * getattr(one, name) + share * getattr(two, name))

    return Box(one.label, one.colour, mix("cx"), mix("cy"), mix("width"), mix("height"), min(one.score, two.score), one.subject)


def _track(places: dict[int, Box]) -> Track:
    label = _most(box.label for box in places.values())
    colour = _most(box.colour for box in places.values())
    named = {frame: Box(label, colour, box.cx, box.cy, box.width, box.height, box.score) for frame, box in places.items()}
    return Track(label, colour, filled(named))


def _most(names: Iterable[str]) -> str:
    """The most frequent name; of several the first in the alphabet."""
    return min(Counter(names).items(), key=lambda entry: (-entry[1], entry[0]))[0]


def _tracker() -> Any:
    try:
        from trackers import OCSORTTracker
    except ImportError:
        raise Missing(
            "clips are tracked by the package trackers, which is not installed", 'pip install "semcast[video]"'
        ) from None
    return OCSORTTracker(
        lost_track_buffer=LOST_FRAMES,
        minimum_consecutive_frames=1,
        minimum_iou_threshold=LEAST_IOU,
        high_conf_det_threshold=0.0,
    )


def _detections(boxes: Sequence[Box]) -> Any:
    import supervision

    if not boxes:
        return supervision.Detections.empty()
    corners = [
        (box.cx - box.width / 2, box.cy - box.height / 2, box.cx + box.width / 2, box.cy + box.height / 2) for box in boxes
    ]
    return supervision.Detections(xyxy=np.asarray(corners, np.float64), confidence=np.asarray([box.score for box in boxes]))


def _nearest(boxes: Sequence[Box], corners: np.ndarray) -> Box:
    """The box that a tracklet took, by its corners."""
    cx, cy = (corners[0] + corners[2]) / 2, (corners[1] + corners[3]) / 2
    wide = corners[2] - corners[0]
    return min(boxes, key=lambda box: (abs(box.cx - cx) + abs(box.cy - cy) + abs(box.width - wide), box.label))


def scaled(track: Track, factor: float) -> Track:
    """A track in other pixels, such as those of a larger picture."""
    places = {
        frame: Box(
            box.label,
            box.colour,
            box.cx * factor,
            box.cy * factor,
            box.width * factor,
            box.height * factor,
            box.score,
            box.subject,
        )
        for frame, box in track.places.items()
    }
    return replace(track, places=places)
