"""The shipped captioner on scenes that training never drew; decoding row by row; what it must refuse."""

from collections import Counter

import numpy as np
import pytest
import torch
from semcast.agents.models.loading import load_models
from semcast.agents.models.roles import Extract
from semcast.agents.models.tiny.captioner import END, MAX_WORDS, WORDS, build, greedy, text_of
from semcast.agents.models.tiny.text import NOTHING, START
from semcast.agents.models.training.captioner import caption_loss, example, numbers_of, sentence
from semcast.agents.scenes.caption import parse
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.world import Scene, SceneObject, make_scene
from semcast.bus.errors import BadInput

MODEL = load_models()["captioner"]


def say(scenes):
    return [MODEL.run([Extract(draw(scene).tobytes())])[0] for scene in scenes]


@pytest.mark.parametrize(("count", "least"), [((1, 4), 0.95), ((8, 8), 0.85)])
def test_f1_of_class_and_colour_on_held_out_scenes(count, least):
    scenes = [make_scene("test captions", index, count=count) for index in range(30)]
    hits = total = 0
    for scene, said in zip(scenes, say(scenes), strict=True):
        true = Counter((thing.label, thing.colour) for thing in scene.objects)
        seen = Counter((label, colour) for label, colour, _ in parse(said.caption).objects)
        hits += (true & seen).total()
        total += true.total() + seen.total()
        assert said.boxes == []
        assert said.background == parse(said.caption).background
    assert 2 * hits / total >= least


def test_a_rows_words_do_not_depend_on_the_others():
    torch.manual_seed(0)
    model = build(32, 1, 2).eval()
    features = torch.randn(4, 64, 16, 16)
    rows = greedy(model, features)
    turned = greedy(model, features[[2, 0, 3, 1]])

    def ended(row):
        return row[: row.index(END) + 1] if END in row else row

    for index, place in enumerate((2, 0, 3, 1)):
        length = min(len(ended(rows[place])), len(ended(turned[index])))
        assert rows[place][:length] == turned[index][:length]
    assert all(len(row) <= MAX_WORDS - 1 for row in rows)


def test_numbers_and_words_are_inverse():
    for index in range(60):
        text = sentence(make_scene("words", index))
        numbers = numbers_of([text])[0].tolist()
        assert numbers[0] == START and END in numbers  # the longest fits
        assert text_of(numbers[1:]) == text
    assert text_of([WORDS.number("a"), NOTHING, END, WORDS.number("dog")]) == "a"


def test_things_are_told_from_left_to_right():
    things = tuple(SceneObject(label, "red", x, 20.0, 12.0, 12.0) for label, x in (("dog", 50.0), ("cup", 10.0), ("key", 30.0)))
    assert sentence(Scene("snow", things)) == "a red cup, a red key and a red dog on snow"


def test_training_pairs_are_keyed_and_the_loss_is_of_the_next_word():
    one, two = example(3, "k", 1), example(3, "k", 1)
    assert np.array_equal(one[0], two[0]) and torch.equal(one[1], two[1])
    assert not np.array_equal(one[0], example(3, "k", 2)[0])
    torch.manual_seed(0)
    model = build(32, 1, 2)
    with torch.no_grad():  # a model that knows nothing: close to the logarithm of the number of words
        loss = float(caption_loss(model, torch.zeros(3, 64, 16, 16), one[1]))
    assert loss == pytest.approx(np.log(WORDS.size), rel=0.05)


def test_bad_calls_are_refused():
    with pytest.raises(BadInput, match="batch of 2"):
        MODEL.run([Extract(bytes(12288))] * 2)
    with pytest.raises(BadInput, match="5 bytes"):
        MODEL.run([Extract(bytes(5))])
