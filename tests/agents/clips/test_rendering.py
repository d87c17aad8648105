"""A receiver's frames: background and looks from knowledge, places from the prompt."""

import numpy as np
import pytest
from semcast.agents.clips import looks
from semcast.agents.clips.background import Background, background_of, merged, shows, still
from semcast.agents.clips.prompt import EVERY, NO_LOOK, ClipPromptContent, told
from semcast.agents.clips.rendering import frames_of, grey, road_map, sign
from semcast.agents.clips.street import street
from semcast.agents.clips.tracking import Track
from semcast.agents.clips.world import Clip, Mover, film
from semcast.agents.models.roles import Box
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.world import SceneObject
from semcast.bus.errors import BadInput

THING = SceneObject("car", "red", 0, 0, 20, 12, flip=True, tint=(-16, 16, 16))
CLIP = Clip(street(1), (Mover(THING, tuple((14.0 + 3 * frame, 30.0) for frame in range(12))),), 12, 8)
TRACK = Track("car", "red", {frame: CLIP.boxes(frame)[0] for frame in range(12)})


def psnr_db(one: np.ndarray, two: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - two.astype(float)) ** 2)))


def test_the_background_is_found_behind_what_moves() -> None:
    found = background_of(film(CLIP), [TRACK])
    assert found.seen.all()
    assert (found.picture == draw(CLIP.still)).mean() > 0.99


def test_a_thing_that_stands_is_part_of_the_background() -> None:
    standing = Clip(street(1), (Mover(THING, ((30.0, 30.0),) * 6),), 6, 8)
    track = Track("car", "red", {frame: standing.boxes(frame)[0] for frame in range(6)})
    assert still(track) and not still(TRACK)
    picture = background_of(film(standing), [track]).picture
    assert (picture == film(standing)[0]).all()
    assert shows(picture, film(standing)[0], track.places[0])
    assert not shows(draw(CLIP.still), film(standing)[0], track.places[0])


def test_what_a_further_clip_shows_free_is_added() -> None:
    one, two = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 9, np.uint8)
    left = np.array([[True, False], [True, False]])
    both = merged(Background(one, left), Background(two, ~left))
    assert both.seen.all() and both.picture[:, :, 0].tolist() == [[0, 9], [0, 9]]


def test_frames_come_back_from_background_look_and_places() -> None:
    frames = film(CLIP)
    ground = background_of(frames, [TRACK]).picture
    look = looks.opened(looks.cut_out(frames, ground, TRACK), "RGBA")
    sent = looks.opened(looks.compress(ground), "RGB")
    content = ClipPromptContent(0, 0, 0, 0, 12, 8, EVERY, 1, (told(TRACK, 3, EVERY, 1, 0.0),))
    shown = frames_of(content, sent, {3: look})
    assert psnr_db(shown, frames) > 27
    assert (
        psnr_db(shown, frames) > psnr_db(frames_of(content, sent, {}), frames) > psnr_db(frames_of(content, grey(), {}), frames)
    )


def test_a_look_that_is_not_known_is_the_sign_of_its_class() -> None:
    thing = told(TRACK, NO_LOOK, EVERY, 1, 0.0)
    drawn = sign(thing, 64)
    assert drawn is not None and drawn.shape == (12, 20, 4)
    shown = frames_of(ClipPromptContent(0, 0, 0, 0, 12, 8, EVERY, 1, (thing,)), road_map(), {})
    assert psnr_db(shown[3, 24:36, 13:33], film(CLIP)[3, 24:36, 13:33]) > 15
    assert sign(told(Track("", "", TRACK.places), NO_LOOK, EVERY, 1, 0.0), 64) is None


def test_places_scale_with_the_background() -> None:
    thing = told(TRACK, NO_LOOK, EVERY, 1, 0.0)
    large = frames_of(ClipPromptContent(0, 0, 0, 0, 12, 8, EVERY, 1, (thing,)), grey(128), {})
    rows, columns = np.nonzero((large[0] != 128).any(axis=2))
    assert (rows.min() + rows.max()) / 2 == pytest.approx(2 * 30, abs=2)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(2 * TRACK.places[0].cx, abs=2)


def test_files_that_are_none_are_refused() -> None:
    with pytest.raises(BadInput):
        looks.opened(b"no file", "RGB")
    with pytest.raises(BadInput):
        looks.opened(looks.compress(np.zeros((300, 10, 3), np.uint8)), "RGB")


def test_boxes_at_the_rim_are_cut() -> None:
    assert looks.window(Box("", "", 0, 63, 10, 10), 64) == (slice(58, 64), slice(0, 5))
