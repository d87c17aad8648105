"""Scenes and their pictures: keyed, exact, within bounds, the same bytes everywhere."""

from hashlib import sha256
from itertools import combinations

import numpy as np
import pytest
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.sprites import SHAPES, sprite
from semcast.agents.scenes.vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS, SUBJECTS, random_marking
from semcast.agents.scenes.world import MAX_OVERLAP, Scene, SceneObject, _overlap, make_scene
from semcast.bus.errors import BadInput

SCENES = [make_scene(5, "test", index) for index in range(300)]


def test_sizes_of_the_vocabulary():
    assert len(set(LABELS)) >= 20 and set(LABELS) == set(SHAPES)
    assert len(COLOUR_NAMES) == 8 and len(BACKGROUND_NAMES) == 4
    assert all(subject.name == name and name.split("/")[1] == subject.label for name, subject in SUBJECTS.items())


def test_key_decides():
    assert make_scene(5, "test", 7) == SCENES[7] != make_scene(5, "test", 8)
    assert draw(SCENES[7]).tobytes() == draw(make_scene(5, "test", 7)).tobytes()


def test_bytes_are_the_same_everywhere():
    """A change of this hash means that every model must be trained again."""
    digest = sha256(b"".join(draw(scene).tobytes() for scene in SCENES)).hexdigest()
    assert digest.startswith("dbd142381884a04f")


def test_objects_lie_inside_and_overlap_little():
    for scene in SCENES:
        assert 1 <= len(scene.objects) <= 8
        for thing in scene.objects:
            assert thing.cx - thing.width / 2 >= 0 and thing.cx + thing.width / 2 <= 64
            assert thing.cy - thing.height / 2 >= 0 and thing.cy + thing.height / 2 <= 64
        for one, two in combinations(scene.objects, 2):
            assert _overlap(one.cx, one.cy, one.width, one.height, two) <= MAX_OVERLAP


def test_count_is_met():
    assert all(len(make_scene(1, index, count=4).objects) == 4 for index in range(100))
    eights = [len(make_scene(1, index, count=8).objects) for index in range(100)]
    assert np.mean(eights) > 7.9


@pytest.mark.parametrize("label", LABELS)
def test_sprite_fills_its_box(label):
    opacity = sprite(label, 24, 20, False).sum(-1)
    assert opacity.shape == (20, 24) and opacity.max() <= 258
    assert opacity.any(0).all() and opacity.any(1).all()
    assert np.array_equal(sprite(label, 24, 20, True).sum(-1), opacity[:, ::-1])


def test_box_is_where_the_picture_changes():
    empty = draw(Scene("snow", (), 3)).astype(int)
    thing = SceneObject("car", "red", 30.0, 21.5, 28.0, 17.0)
    changed = np.abs(draw(Scene("snow", (thing,), 3)).astype(int) - empty).sum(-1) > 0
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    assert (columns[0], columns[-1] + 1, rows[0], rows[-1] + 1) == (16, 44, 13, 30)


def test_a_marking_is_seen_and_belongs_to_its_subject():
    scene = make_scene(1, "m", count=3, subjects=("mia/dog", "leo/cat"))
    assert sorted(thing.subject for thing in scene.objects) == ["", "leo/cat", "mia/dog"]
    plain = [SceneObject("dog", "white", 30.0, 30.0, 28.0, 24.0), None]
    marked = SceneObject("dog", "white", 30.0, 30.0, 28.0, 24.0, marking=SUBJECTS["mia/dog"].marking)
    assert (draw(Scene("sand", (plain[0],))) != draw(Scene("sand", (marked,)))).any(-1).sum() > 60
    assert random_marking("red", 1) == random_marking("red", 1) != random_marking("red", 2)


def test_bad_requests_are_refused():
    with pytest.raises(BadInput, match="unknown subject"):
        make_scene(1, subjects=("nobody/dog",))
    with pytest.raises(BadInput, match="count"):
        make_scene(1, count=9)
