"""What the CLIP-class judge learns from: pairs that differ in one thing and captions that say so; and the recipe end to end."""

from pathlib import Path

import numpy as np
import pytest
import torch
from semcast.agents.models.clip_judge import ClipJudge
from semcast.agents.models.clip_words import UNKNOWN, place_phrase, tokens
from semcast.agents.models.training.clip_data import CELL, CELLS, KINDS, dense_truth, make_batch, make_pair
from semcast.agents.models.training.clip_judge import contrast, identity, train
from semcast.agents.scenes.vocabulary import COLOUR_NAMES, LABELS
from semcast.agents.scenes.world import SceneObject

PAIRS = {kind: [make_pair("test", "clip", i, kind=kind) for i in range(20)] for kind in KINDS}


def place(thing: SceneObject) -> str:
    return place_phrase(thing.cx, thing.cy)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pair_differs_in_its_kind_and_its_captions_say_so(kind: str) -> None:
    for pair in PAIRS[kind]:
        one, two = pair.scenes
        assert len(one.objects) == len(two.objects) and one.background == two.background
        assert pair.captions[0] != pair.captions[1]
        assert all(UNKNOWN not in tokens(text) for text in pair.captions)
        a, b = one.objects[pair.changed], two.objects[pair.changed]
        differs = {"colour": a.colour != b.colour, "class": a.label != b.label, "marking": a.marking != b.marking}
        if kind == "place":
            said = [sorted((thing.label, thing.colour, place(thing)) for thing in scene.objects) for scene in pair.scenes]
            assert said[0] != said[1]
        else:
            assert [name for name, value in differs.items() if value] == [kind]
            same = [(x.label, x.colour, x.marking) for i, x in enumerate(one.objects) if i != pair.changed]
            assert same == [(x.label, x.colour, x.marking) for i, x in enumerate(two.objects) if i != pair.changed]
        for thing in (*one.objects, *two.objects):
            assert min(thing.left, thing.top) >= 0
            assert max(thing.left + thing.width, thing.top + thing.height) <= 64


def test_equal_keys_give_equal_pairs_and_twins_are_drawn_anew() -> None:
    assert make_pair("test", "again", 3) == make_pair("test", "again", 3) != make_pair("test", "again", 4)
    one, two = PAIRS["marking"][0].scenes
    assert one.texture != two.texture


def test_crops_of_one_look_have_one_identity() -> None:
    batch = make_batch(PAIRS["place"], "test")
    assert batch.pictures.shape == (40, 64, 64, 3) and len(batch.captions) == 40
    scenes = [scene for pair in PAIRS["place"] for scene in pair.scenes]
    looks = {}
    for row, box, name, phrase in zip(batch.rows, batch.places, batch.identities, batch.phrases, strict=True):
        (thing,) = [x for x in scenes[row].objects if [x.cx, x.cy, x.width, x.height] == box.tolist()]
        assert looks.setdefault(int(name), (thing.label, thing.colour, thing.marking)) == (
            thing.label,
            thing.colour,
            thing.marking,
        )
        assert phrase.split()[1:3] == [thing.colour, thing.label]
    assert len(looks) == len(set(looks.values()))


def test_dense_truth_names_the_frontmost_box_over_a_cell() -> None:
    scene = PAIRS["colour"][0].scenes[0]
    label, colour = (values.reshape(CELLS, CELLS) for values in dense_truth(scene))
    front = scene.objects[-1]
    row, column = int(front.cy // CELL), int(front.cx // CELL)
    assert (label[row, column], colour[row, column]) == (LABELS.index(front.label) + 1, COLOUR_NAMES.index(front.colour) + 1)
    assert ((label == 0) == (colour == 0)).all() and (label == 0).any()


def test_contrast_closed_forms() -> None:
    """Of n unrelated vectors each way a guess costs log n; right ones that are far nearer cost nothing; equal names share."""
    unit, names = torch.eye(4), ["a", "b", "c", "d"]
    flat = torch.ones(4, 4) / 2
    assert float(contrast(flat, flat, names, names, torch.tensor(5.0))) == pytest.approx(np.log(4))
    assert float(contrast(unit, unit, names, names, torch.tensor(50.0))) == pytest.approx(0, abs=1e-6)
    twice = torch.stack([unit[0], unit[0], unit[1]])
    shared = float(contrast(twice, twice, ["a", "a", "b"], ["a", "a", "b"], torch.tensor(50.0)))
    assert shared == pytest.approx(2 / 3 * np.log(2), abs=1e-5)  # the two right answers are equally near: entropy of the target


def test_identity_pulls_mates_together_and_copes_without_any() -> None:
    near, far = torch.eye(4)[[0, 0, 1, 1]], torch.eye(4)
    mates = torch.tensor([0, 0, 1, 1])
    assert float(identity(near, mates)) < float(identity(far, mates)) == pytest.approx(np.log(3))
    assert float(identity(far, torch.arange(4))) == 0


@pytest.mark.slow
def test_the_recipe_writes_a_judge_that_loads(tmp_path: Path) -> None:
    card = train(tmp_path / "out", tmp_path / "work", 0.02)
    assert card.data["training"]["steps"] >= 1
    assert set(card.data["metrics"]) >= {"picture_to_caption", "crop_class", "twin_identity"}
    assert ClipJudge.load(tmp_path / "out").texts(["a dog"]).shape == (1, 64)
