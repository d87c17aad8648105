"""Evaluations of generated pictures: prompts with and without boxes, and personal subjects."""

import numpy as np
from semcast.agents.models.loading import load_models
from semcast.agents.scenes.draw import draw
from semcast.scenarios.evaluations import Request, prompting
from semcast.scenarios.evaluations.personalisation import alignment, cases, ways


def test_boxes_put_objects_where_captions_cannot() -> None:
    found = prompting.evaluate(Request(scenes=8))
    assert found["generator_boxes_iou50_1_to_4"].value > 0.8
    assert found["generator_captions_classes_1_to_4"].value > 0.7
    assert found["generator_boxes_over_captions_iou50"].low > 0.3
    assert 0 < found["generator_boxes_iou50_8"].n <= 8


def test_each_case_shows_its_subject_in_every_picture() -> None:
    found = cases(6)
    assert len({case.subject.name for case in found}) == 6
    for case in found:
        assert case.box.subject == case.subject.name
        assert [box.subject for box in case.shared.boxes] == [case.subject.name] * 4
        assert draw(case.scene).tobytes() not in case.shared.pictures


def test_the_original_is_aligned_with_itself_and_others_less() -> None:
    found = cases(4)
    assert np.allclose(alignment(found, [draw(case.scene).tobytes() for case in found]), 1.0)
    assert alignment(found, [bytes(64 * 64 * 3)] * 4).max() < 0.9


def test_history_shows_the_subject_better_than_its_class() -> None:
    found = ways(load_models(roles=["generator", "personaliser"]), cases(16))
    assert set(found) == {"plain", "identifier", "reference"}
    assert found["reference"].mean() > found["plain"].mean() + 0.05
