"""The shipped extractor on pictures that training never drew: boxes, captions, subjects, and what it must refuse."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from semcast.agents.models.boxes import iou
from semcast.agents.models.loading import WEIGHTS, load_models
from semcast.agents.models.roles import Box, Extract
from semcast.agents.models.tiny.extractor import load
from semcast.agents.models.tiny.personaliser import catalog
from semcast.agents.scenes.caption import parse
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.vocabulary import SUBJECTS
from semcast.agents.scenes.world import make_scene
from semcast.bus.errors import BadInput
from semcast.scenarios.metrics.detection import detection_score

MODEL = load_models()["extractor"]
SUBJECT_VECTORS = catalog()


def ask(scenes, subjects=None):
    calls = [Extract(draw(scene).tobytes(), subjects or {}) for scene in scenes]
    results = []
    for start in range(0, len(calls), MODEL.batch):
        part = calls[start : start + MODEL.batch]
        results += MODEL.run((part + [part[-1]] * MODEL.batch)[: MODEL.batch])[: len(part)]
    return results


def test_f1_on_held_out_scenes_of_up_to_four_objects():
    scenes = [make_scene("test", index, count=(1, 4)) for index in range(120)]
    results = ask(scenes)
    score = detection_score((s.boxes(), r.boxes) for s, r in zip(scenes, results, strict=True))
    assert score.f1 >= 0.97
    assert np.mean([s.background == r.background for s, r in zip(scenes, results, strict=True)]) >= 0.99


def test_caption_says_what_was_detected():
    for result in ask([make_scene("caption", index) for index in range(16)]):
        read = parse(result.caption)
        assert read.background == result.background
        assert sorted(read.objects) == sorted((box.label, box.colour, box.subject) for box in result.boxes)


def test_an_owner_finds_its_subject_and_a_stranger_does_not():
    """Each subject in eight scenes; who asks with all other subjects must not see one of them."""
    found = mistaken = 0
    for name in SUBJECTS:
        scenes = [make_scene("own", name, index, count=(1, 4), subjects=(name,)) for index in range(8)]
        other = {key: vector for key, vector in SUBJECT_VECTORS.items() if key != name}
        for scene, mine, theirs in zip(scenes, ask(scenes, {name: SUBJECT_VECTORS[name]}), ask(scenes, other), strict=True):
            truth = next(box for box in scene.boxes() if box.subject == name)
            found += any(box.subject == name and iou(box, truth) > 0.5 for box in mine.boxes)
            mistaken += any(box.subject for box in theirs.boxes)
    assert found >= 0.9 * 8 * len(SUBJECTS)
    assert mistaken <= 0.03 * 8 * len(SUBJECTS)


def test_no_subjects_named_none_found():
    scene = make_scene("own", "mia/dog", 1, subjects=("mia/dog",))
    assert all(not box.subject for box in ask([scene])[0].boxes)
    assert all(not box.subject for box in ask([scene], {"mia/dog": b"short"})[0].boxes)


def test_bytes_do_not_depend_on_companions_or_position():
    scenes = [make_scene("place", index) for index in range(MODEL.batch)]
    calls = [Extract(draw(scene).tobytes(), SUBJECT_VECTORS) for scene in scenes]
    straight = [msgspec.msgpack.encode(result) for result in MODEL.run(calls)]
    for shift in (1, 3):
        turned = MODEL.run(calls[shift:] + calls[:shift])
        assert [msgspec.msgpack.encode(result) for result in turned] == straight[shift:] + straight[:shift]
    alone = MODEL.run([calls[0]] * MODEL.batch)
    assert {msgspec.msgpack.encode(result) for result in alone} == {straight[0]}


def test_places_are_sixteenths_of_a_pixel():
    for result in ask([make_scene("grid", 1)]):
        assert all(value * 16 == int(value * 16) for box in result.boxes for value in (box.cx, box.cy, box.width, box.height))
        assert [box.score for box in result.boxes] == sorted((box.score for box in result.boxes), reverse=True)


def test_looks_are_the_personalisers():
    name = "identifier.safetensors"
    assert (WEIGHTS / "extractor" / name).read_bytes() == (WEIGHTS / "personaliser" / name).read_bytes()


def test_bad_calls_are_refused():
    with pytest.raises(BadInput, match="batch of 2"):
        MODEL.run([Extract(bytes(12288))] * 2)
    with pytest.raises(BadInput, match="5 bytes"):
        MODEL.run([Extract(bytes(5))] * MODEL.batch)


def test_damaged_weights_are_told(tmp_path: Path):
    for path in (WEIGHTS / "extractor").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(BadInput, match="damaged"):
        load(tmp_path)


def test_overlap_of_detections():
    assert iou(Box("a", "", 0, 0, 4, 4), Box("a", "", 2, 0, 4, 4)) == pytest.approx(1 / 3)
