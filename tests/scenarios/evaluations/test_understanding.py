"""What is counted of captions and goals, and that both evaluations give their figures."""

import pytest
from semcast.agents.models.roles import Extraction
from semcast.agents.scenes.goals import HELD_OUT, PATTERNS
from semcast.agents.scenes.world import Scene, SceneObject
from semcast.scenarios.evaluations import Request, captions, goals
from semcast.scenarios.evaluations.score import Score, Skipped

SCENE = Scene("grass", tuple(SceneObject("dog", colour, x, 20.0, 12.0, 12.0) for colour, x in (("red", 10.0), ("blue", 40.0))))


class Says:
    """A captioner with one sentence."""

    batch = 2

    def __init__(self, text):
        self.text = text

    def run(self, arguments):
        return [Extraction(self.text, "", [])] * len(arguments)


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("a red dog and a blue dog on grass", (2, 4, 1, 1)),
        ("a blue dog and a red dog on grass", (2, 4, 1, 1)),
        ("a blue dog and a red dog on sand", (2, 4, 0, 1)),
        ("two red dogs on grass", (1, 4, 0, 1)),
        ("a red dog on grass", (1, 3, 0, 1)),
        ("a red dog, a blue dog and a red cup on grass", (2, 5, 0, 1)),
        ("a red a dog", (0, 2, 0, 1)),
    ],
)
def test_a_captions_counts(text, row):
    assert captions.counts(Says(text), [SCENE, SCENE]).tolist() == [list(map(float, row))] * 2


def test_captions_of_held_out_scenes():
    found = captions.evaluate(Request(scenes=6))
    assert set(found) == {f"caption_{what}_{name}" for what in ("f1", "exact") for name in ("1_to_4", "at_8")}
    assert all(isinstance(score, Score) and score.low <= score.value <= score.high for score in found.values())
    assert found["caption_f1_1_to_4"].value > 0.8


def test_goals_are_asked_in_sentences_that_training_never_had():
    trained = {sentence for sentences in PATTERNS.values() for sentence in sentences}
    world = goals.cases(60)
    shown = [any(thing.subject == case.subject for thing in case.scene.objects) for case in world]
    assert 20 < sum(shown) < 40
    assert {case.wish.goal.kind for case in world} == set(HELD_OUT)
    assert not any(case.wish.message in trained for case in world)
    assert goals.cases(3) == world[:3]


def test_goals_from_message_and_picture():
    found = goals.evaluate(Request(scenes=16))
    assert set(found) == {"goal_accuracy", "keyword_recall"}
    assert found["goal_accuracy"].value > 0.85


def test_a_profile_without_these_models_is_skipped():
    for evaluation in (captions, goals):
        scores = evaluation.evaluate(Request(scenes=4, profile="none"))
        assert scores and all(isinstance(score, Skipped) and "none" in score.reason for score in scores.values())
