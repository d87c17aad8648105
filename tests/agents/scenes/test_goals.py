"""The goal world: keyed, unambiguous, and its evaluation's sentences never in training."""

import pytest
from semcast.agents.scenes.goals import HELD_OUT, KINDS, MAX_KEYWORDS, PATTERNS, Goal, impersonal, keywords, request, words
from semcast.agents.scenes.world import Scene, SceneObject, make_scene


def thing(label, colour, cx, subject=""):
    return SceneObject(label, colour, cx, 30.0, 12.0, 12.0, subject=subject)


SCENE = Scene("grass", (thing("dog", "white", 40.0, "mia/dog"), thing("cup", "red", 10.0), thing("cup", "blue", 55.0)))


def meant(message):
    """What the words of a message can mean in SCENE, for Mia."""
    told = {"my dog": "my dog", "the dog": "my dog", "the red cup": "the red cup", "the red one": "the red cup"}
    told |= {"the blue cup": "the blue cup", "the blue one": "the blue cup"}
    told |= {"the thing on the left": "the red cup", "the thing on the right": "the blue cup"}
    return {goal for words, goal in told.items() if words in message}


def test_goals_follow_from_message_and_picture():
    for index in range(300):
        found = request(SCENE, ("mia/dog",), "test", index, held_out=index % 2 == 0)
        goal = found.goal
        assert goal.kind in KINDS
        if goal.kind in ("show", "locate", "compare"):
            assert set(goal.subjects) == meant(found.message)
            assert len(goal.subjects) == (2 if goal.kind == "compare" else 1)
        if goal.kind == "greet":
            assert goal.subjects == ("my dog",)
        if goal.kind == "count":
            assert goal.subjects[0].split(" ", 1)[1] in found.message
        assert goal.place == ("grass" if goal.kind in ("show", "greet") else "")


def test_a_stranger_has_no_dog():
    phrases = {request(SCENE, (), "test", index).goal.phrase() for index in range(200)}
    assert "show the white dog on grass" in phrases
    assert "greet on grass" in phrases
    assert not any("my" in phrase.split() for phrase in phrases)


def test_equal_keys_give_equal_requests():
    scene = make_scene("goals", 1)
    assert request(scene, (), "a", 1) == request(scene, (), "a", 1)
    assert len({request(scene, (), "a", index).message for index in range(40)}) > 20


def test_places_only_where_asked_for():
    assert not any("thing on" in request(SCENE, (), "p", index, places=False).message for index in range(100))


def test_keywords_begin_with_what_is_meant():
    assert keywords(Goal("show", ("my dog",), "grass"), SCENE) == ("dog", "grass", "cup")
    assert keywords(Goal("locate", ("the blue cup",)), SCENE) == ("blue", "cup", "grass", "dog")
    assert keywords(Goal("count", ("the red things",)), SCENE) == ("red", "grass", "cup", "dog")
    assert all(len(request(make_scene("k", i), (), i).keywords) <= MAX_KEYWORDS for i in range(30))


@pytest.mark.parametrize("kind", KINDS)
def test_held_out_sentences_are_new_and_their_words_known(kind):
    known = set(words())
    trained = {sentence for sentences in PATTERNS.values() for sentence in sentences}
    assert trained.isdisjoint(HELD_OUT[kind])
    assert {word for sentence in HELD_OUT[kind] for word in sentence.split() if "{" not in word} <= known


def test_all_words_are_known():
    known = set(words())
    for index in range(200):
        found = request(make_scene("w", index), (), index, held_out=index % 2 == 0)
        assert {*found.message.split(), *found.goal.phrase().split(), *found.keywords} <= known


def test_a_goal_can_leave_out_whose_a_thing_is() -> None:
    assert impersonal("locate my dog", "dog") == "locate the dog"
    assert impersonal("compare my dog and my red cup", "dog") == "compare the dog and my red cup"
    assert impersonal("compare my dog and my red cup", "cup") == "compare my dog and the red cup"
    assert impersonal("show the white dog on grass", "dog") == "show the white dog on grass"
