"""The keyword model: what it reads, what it answers; the shipped one on sentences that training never had."""

import pytest
import torch
from semcast.agents.models.loading import load_models
from semcast.agents.models.roles import Box, Intent, Interpret
from semcast.agents.models.tiny.keywords import (
    ARROW,
    BAR,
    MAX_ANSWER,
    MAX_PROMPT,
    WORDS,
    answer,
    before,
    build,
    greedy,
    numbers_of,
    prompt,
)
from semcast.agents.models.tiny.text import NOTHING, UNKNOWN
from semcast.agents.models.training.keywords import example, lookup, numbers, situation
from semcast.bus.errors import BadInput

DOG = Box("dog", "white", 40, 30, 16, 14, 0.9, "mia/dog")
CUP = Box("cup", "red", 12, 30, 12, 12)
CALL = Interpret("Where is it?", "mia's white dog and a red cup on grass", [DOG, CUP], ["mia/dog"])


def test_the_text_has_message_caption_and_things_from_left_to_right():
    text = " ".join(prompt(CALL))
    assert text == f"where is it {BAR} my white dog and a red cup on grass {BAR} red cup my dog {ARROW}"
    assert " ".join(prompt(Interpret("hello", CALL.caption))) == f"hello {BAR} a white dog and a red cup on grass {ARROW}"


def test_answers_are_read_as_far_as_they_go():
    def said(text):
        return answer([WORDS.number(word) for word in text.split()])

    assert said("show my dog ; dog grass . cup") == Intent("show my dog", ["dog", "grass"])
    assert said("show my dog") == Intent("show my dog", [])
    assert said(".") == Intent("", [])


def test_all_that_training_reads_and_says_has_its_number_and_fits():
    for index in range(200):
        read, said = numbers(*situation("test", index, held_out=index % 2 == 0))
        assert UNKNOWN not in read + said
        assert len(read) < MAX_PROMPT and len(said) <= MAX_ANSWER


def test_what_comes_after_the_last_bar_is_learned():
    ids, wanted = example(6, "e", 1, lookups=2)
    for index in range(4):
        read, said = numbers(*situation("e", 1, index))
        assert ids[index, : len(read)].tolist() == read
        places = [place for place, number in enumerate(wanted[index].tolist()) if number != -100]
        assert [int(wanted[index, place]) for place in places][-len(said) :] == said
        assert int(ids[index, places[0]]) == WORDS.number(BAR)
        assert places == list(range(places[0], len(read) + len(said) - 1))
    for index in range(2):
        text, bar = lookup("e", 1, index)
        learned = [number for number in wanted[4 + index].tolist() if number != -100]
        assert learned == text[bar + 1 :] == text[bar - len(learned) : bar]


def test_filling_up_on_the_left_changes_nothing():
    """The answer after a filled-up text is the plain model's."""
    torch.manual_seed(0)
    model = build(32, 2, 2).eval()
    text = prompt(CALL)
    row = greedy(model, [text])[0]
    ids = torch.tensor([numbers_of(text)])
    with torch.no_grad():
        for number in row[:6]:
            kinds = before(ids, torch.tensor([[NOTHING]]))
            logits = model(ids, token_type_ids=kinds, use_cache=False).logits[0, -1, : WORDS.size]
            assert float(logits[number]) >= float(logits.max()) - 1e-4
            ids = torch.cat([ids, torch.tensor([[number]])], dim=1)
    assert greedy(model, [["hello", ARROW], text])[1][:6] == row[:6]


MODEL = load_models()["keywords"]


def test_goals_of_sentences_that_training_never_had():
    cases = [situation("test goals", index, held_out=True) for index in range(60)]
    said = [MODEL.run([call])[0] for call, _ in cases]
    assert sum(intent.goal == wanted.goal.phrase() for intent, (_, wanted) in zip(said, cases, strict=True)) >= 48


def test_the_picture_decides_what_is_meant():
    def goal(message, caption):
        return MODEL.run([Interpret(message, caption, [], ["mia/dog"])])[0].goal

    assert goal("where is the dog", "mia's white dog and a red cup on sand") == "locate my dog"
    assert goal("where is the dog", "a white dog and a red cup on sand") == "locate the white dog"
    assert goal("where is the red one", "a white dog and a red cup on sand") == "locate the red cup"


def test_anything_can_be_asked():
    long = Interpret("quantum flux? " * 200, "", [CUP] * 15, ["zed/unicorn"])
    assert isinstance(MODEL.run([long])[0], Intent)
    with pytest.raises(BadInput, match="batch of 2"):
        MODEL.run([CALL, CALL])
