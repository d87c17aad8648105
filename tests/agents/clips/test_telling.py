"""What a sender tells: backgrounds and looks once to each receiver, and of things only those that move."""

import numpy as np
import pytest
from semcast.agents.clips.incidents import STOPPED
from semcast.agents.clips.prompt import NO_LOOK
from semcast.agents.clips.street import make_traffic, street
from semcast.agents.clips.telling import Camera, tell
from semcast.agents.clips.tracking import Track
from semcast.agents.clips.world import Clip, camera, film, make_clip
from semcast.agents.settings import ClipSettings


def tracks(clip: Clip) -> list[Track]:
    """The true ones, of at least three frames."""
    places: dict[int, Track] = {}
    for frame in range(clip.frames):
        for number, box in clip.boxes(frame).items():
            places.setdefault(number, Track(box.label, box.colour, {})).places[frame] = box
    return [track for track in places.values() if len(track.places) >= 3]


STILL = camera(4, "gate")
CLIPS = [make_clip(4, number, still=STILL, movers=(2, 3)) for number in range(3)]


def test_what_stands_still_is_not_told() -> None:
    known = Camera()
    told = tell(film(CLIPS[0]), tracks(CLIPS[0]), known, ["user.1"], ClipSettings())
    assert {(thing.label, thing.colour) for thing in told.things} == {(m.thing.label, m.thing.colour) for m in CLIPS[0].movers}
    assert told.lacking == ["user.1"] and told.background and len(told.looks) == len(CLIPS[0].movers)


def test_nobody_is_told_twice_and_who_comes_later_is_told() -> None:
    known = Camera()
    first = tell(film(CLIPS[0]), tracks(CLIPS[0]), known, ["user.1"], ClipSettings())
    again = tell(film(CLIPS[0]), tracks(CLIPS[0]), known, ["user.1"], ClipSettings())
    assert again.things == first.things and (again.lacking, again.background, again.looks) == ([], b"", [])
    group = tell(film(CLIPS[0]), tracks(CLIPS[0]), known, ["user.1", "user.2"], ClipSettings())
    assert group.lacking == ["user.2"] and group.background == first.background and len(group.looks) == len(first.looks)


def test_a_background_is_sent_again_only_when_more_of_it_has_been_seen() -> None:
    known, shares = Camera(), []
    for clip in CLIPS * 2:
        before = known.version
        told = tell(film(clip), tracks(clip), known, ["user.1"], ClipSettings())
        assert bool(told.background) == (known.version > before)
        shares.append(np.frombuffer(known.seen, np.uint8).mean())
    assert shares == sorted(shares) and known.version <= 3
    assert shares[-1] == shares[2]  # the second round shows nothing new


@pytest.mark.parametrize("settings", [ClipSettings(background="map"), ClipSettings(looks="known")])
def test_looks_that_all_know_are_not_sent(settings: ClipSettings) -> None:
    told = tell(film(CLIPS[0]), tracks(CLIPS[0]), Camera(), ["user.1"], settings)
    assert not told.looks and {thing.look for thing in told.things} == {NO_LOOK}
    assert bool(told.background) == (settings.background == "kb")


def test_incidents_are_told_on_streets_alone() -> None:
    clips = [make_traffic(4, number, still=street(4)) for number in range(40)]
    clip = next(each for each in clips if [incident.kind for incident in each.incidents] == [STOPPED])
    here = ClipSettings(world="street", background="map")
    assert tell(film(clip), tracks(clip), Camera(), ["user.1"], here).incidents == clip.incidents
    assert tell(film(clip), tracks(clip), Camera(), ["user.1"], ClipSettings()).incidents == ()
