"""Tracks of boxes, and their scores against another implementation's."""

import numpy as np
import pytest
from semcast.agents.clips.tracking import tracks_of
from semcast.agents.clips.world import camera, make_clip
from semcast.agents.models.roles import Box
from semcast.bus import keys
from semcast.scenarios.metrics.tracking import followed

pytest.importorskip("trackers")


def seen(number: int, drop: float) -> tuple[list[dict[int, Box]], list[list[Box]]]:
    """Truth of a clip, and a detector's boxes with noise of a pixel of which some are missing."""
    clip = make_clip(1, "t", number, still=camera(1, "t"), movers=(2, 3))
    truth = [clip.boxes(frame) for frame in range(clip.frames)]
    rng = keys.generator("detector", number)
    found = []
    for boxes in truth:
        shaken = [
            Box(
                box.label,
                box.colour,
                *(float(value) for value in (box.cx, box.cy) + rng.normal(0, 0.5, 2)),
                box.width,
                box.height,
            )
            for box in boxes.values()
        ]
        found.append([box for box in shaken if rng.random() >= drop])
    return truth, found


def test_things_are_followed_through_gaps() -> None:
    scores = []
    for number in range(8):
        truth, found = seen(number, 0.15)
        tracks = tracks_of(found)
        assert all(sorted(track.places) == list(range(track.first, track.last + 1)) for track in tracks)
        frames = [{i: t.places[f] for i, t in enumerate(tracks) if f in t.places} for f in range(len(truth))]
        scores.append(followed(truth, frames))
    assert np.mean([score.idf1 for score in scores]) > 0.9
    assert np.mean([score.mota for score in scores]) > 0.85


def test_two_that_pass_each_other_keep_their_names() -> None:
    boxes = [
        [Box("car", "red", 8 + 3 * frame, 20, 16, 10, 0.9), Box("bus", "blue", 56 - 3 * frame, 32, 16, 10, 0.9)]
        for frame in range(16)
    ]
    tracks = tracks_of(boxes)
    assert [(track.label, track.colour, track.first, track.last) for track in tracks] == [
        ("car", "red", 0, 15),
        ("bus", "blue", 0, 15),
    ]


def test_scores_are_those_of_an_independent_implementation() -> None:
    from semcast.agents.models.boxes import iou
    from trackers.eval.clear import compute_clear_metrics
    from trackers.eval.identity import compute_identity_metrics

    for number in range(6):
        truth, found = seen(number, 0.3)
        tracks = tracks_of(found)
        # names change half way, so that there are switches to be counted
        frames = [
            {i + 100 * (f >= 8 and number % 2): t.places[f] for i, t in enumerate(tracks) if f in t.places}
            for f in range(len(truth))
        ]
        mine = followed(truth, frames)
        numbers = (
            sorted({number for boxes in truth for number in boxes}),
            sorted({number for boxes in frames for number in boxes}),
        )
        theirs = (
            [np.array([numbers[0].index(i) for i in boxes], dtype=int) for boxes in truth],
            [np.array([numbers[1].index(i) for i in boxes], dtype=int) for boxes in frames],
            [
                np.array([[iou(one, two) for two in b.values()] for one in a.values()]).reshape(len(a), len(b))
                for a, b in zip(truth, frames, strict=True)
            ],
        )
        clear, identity = compute_clear_metrics(*theirs), compute_identity_metrics(*theirs)
        assert mine.mota == pytest.approx(clear["MOTA"], abs=1e-9)
        assert (mine.missed, mine.false, mine.switched) == (clear["CLR_FN"], clear["CLR_FP"], clear["IDSW"])
        assert mine.idf1 == pytest.approx(identity["IDF1"], abs=1e-9)


def test_perfect_and_empty_tracks() -> None:
    truth, _ = seen(0, 0.0)
    same = followed(truth, truth)
    assert (same.mota, same.idf1, same.error_px) == (1.0, 1.0, 0.0)
    nothing = followed(truth, [{} for _ in truth])
    assert (nothing.mota, nothing.idf1, nothing.error_px) == (0.0, 0.0, None)
    assert followed([{}], [{}]).idf1 == 1.0
