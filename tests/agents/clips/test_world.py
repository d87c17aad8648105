"""Generated clips: the same bytes from the same key, truth that is where the pixels are, incidents as they were meant."""

import numpy as np
import pytest
from semcast.agents.clips.incidents import ANIMAL, COLLISION, STOPPED
from semcast.agents.clips.street import make_traffic, street
from semcast.agents.clips.world import Clip, Mover, camera, film, make_clip
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.world import SceneObject
from semcast.bus.errors import BadInput


def clip(number: int = 0) -> Clip:
    return make_clip(1, "here", number, still=camera(1, "here"))


def test_a_key_gives_one_clip() -> None:
    assert clip() == clip() and (film(clip()) == film(clip())).all()
    assert clip(1) != clip(0)


def test_what_stands_still_does_so_and_movers_are_where_truth_says() -> None:
    for number in range(6):
        made = clip(number)
        frames, still = film(made), draw(made.still)
        for frame in range(made.frames):
            changed = (frames[frame] != still).any(axis=2)
            inside = np.zeros_like(changed)
            for mover in made.movers:
                thing = mover.at(frame)
                rows = slice(max(thing.top, 0), max(thing.top + int(thing.height), 0))
                inside[rows, max(thing.left, 0) : max(thing.left + int(thing.width), 0)] = True
            assert not (changed & ~inside).any()
            assert changed.any() == inside.any()


def test_a_thing_that_leaves_is_cut_and_then_no_longer_true() -> None:
    thing = SceneObject("car", "red", 0, 0, 20, 12)
    places = tuple((32.0 + 4 * frame, 32.0) for frame in range(12))
    made = Clip(street(1), (Mover(thing, places),), 12, 8)
    there = [0 in made.boxes(frame) for frame in range(12)]
    assert there == [32 + 4 * frame + 10 - 64 <= 5 for frame in range(12)]  # at most a quarter of 20 pixels beyond the rim
    box = made.boxes(6)[0]
    assert (box.cx, box.width) == (55.0, 18.0)


@pytest.mark.parametrize("kind", [STOPPED, COLLISION, ANIMAL, ""])
def test_traffic_shows_what_was_drawn(kind: str) -> None:
    """Nothing, or one incident of a kind; in most clips, as a vehicle may stop at the rim of the picture."""
    kinds = [[each.kind for each in make_traffic(1, number, still=street(1)).incidents] for number in range(60)]
    assert all(len(each) <= 1 for each in kinds)
    found = kinds.count([kind] if kind else [])
    assert found >= (15 if not kind else 6)


def test_sizes_are_bounded() -> None:
    with pytest.raises(BadInput):
        make_clip(1, still=street(1), frames=65)
    with pytest.raises(BadInput):
        make_clip(1, still=street(1), movers=(1, 9))
