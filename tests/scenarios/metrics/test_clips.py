"""Scores of clips: incidents are matched once, by kind and place; what stands still counts neither way."""

import pytest
from semcast.agents.models.framewise import FRAME_BYTES
from semcast.agents.settings import ClipSettings
from semcast.bus.records import Capture, ClipTruth, Happened, Placed
from semcast.scenarios.metrics.clips import clip_rows, told_incidents, tracked
from semcast.scenarios.metrics.story import Story

from ...agents.networks import two_users


def placed(number: int, frame: int, cx: float) -> Placed:
    return Placed(frame, number, "car", "red", cx, 30.0, 16.0, 10.0)


def truth(*incidents: Happened, places: list[Placed] | None = None) -> ClipTruth:
    return ClipTruth(8, places or [], list(incidents))


def test_incidents_are_matched_by_kind_and_place_once() -> None:
    stopped, far = Happened("stopped", 8, 30.0, 20.0), Happened("stopped", 8, 45.0, 20.0)
    assert told_incidents(truth(stopped), truth(Happened("stopped", 11, 36.0, 24.0))) == (1, 0)
    assert told_incidents(truth(stopped), truth(Happened("collision", 8, 30.0, 20.0))) == (0, 1)
    assert told_incidents(truth(stopped), truth(far)) == (0, 1)
    assert told_incidents(truth(stopped), truth(stopped, stopped)) == (1, 1)
    assert told_incidents(truth(stopped, far), truth()) == (0, 0)


def test_what_stands_still_counts_neither_way() -> None:
    real = truth(places=[placed(0, frame, 20.0 + frame) for frame in range(8)] + [placed(-1, frame, 55.0) for frame in range(8)])
    movers = truth(places=[placed(7, frame, 20.0 + frame) for frame in range(8)])
    also_still = truth(places=movers.places + [placed(8, frame, 55.0) for frame in range(8)])
    for told in (movers, also_still):
        score = tracked(real, told, 8)
        assert (score.mota, score.idf1, score.error_px) == (1.0, 1.0, 0.0)
    ghost = truth(places=movers.places + [placed(9, frame, 40.0) for frame in range(8)])
    assert tracked(real, ghost, 8).mota == 0.0


@pytest.mark.parametrize(
    ("scheme", "watch", "scored"), [("aigc-scm", False, True), ("semcom", True, True), ("semcom", False, False)]
)
def test_a_failed_clip_has_floor_scores_only_where_something_is_looked_for(scheme: str, watch: bool, scored: bool) -> None:
    seen = truth(Happened("stopped", 1, 30.0, 20.0), places=[placed(0, frame, 20.0) for frame in range(2)])
    taken = Capture("user.0/0", "user.1", bytes(2 * FRAME_BYTES), [], "white", "mapping", clip=seen)
    network = two_users(scheme=scheme, clips=ClipSettings(frames=2, watch=watch))
    (row,) = clip_rows([Story(taken.request, (0, 0, "", 0), "user.0", taken)], network)
    assert row.status == "failed" and (row.content, row.frames, row.incidents) == ("clip", 2, 1)
    assert (row.mota is not None, row.incidents_found) == ((True, 0) if scored else (False, None))
