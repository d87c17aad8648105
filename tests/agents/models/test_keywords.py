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
    SEMICOLON,
    STOP,
    WORDS,
    answer,
    before,
    build,
    meanings,
    numbers_of,
    prompt,
    said,
)
from semcast.agents.models.tiny.text import NOTHING, UNKNOWN
from semcast.agents.models.training import wording
from semcast.agents.models.training.keywords import DRAWS, example, lookup, numbers, situation, spelled
from semcast.agents.scenes.goals import KINDS, NEEDED
from semcast.bus.errors import BadInput

DOG = Box("dog", "white", 40, 30, 16, 14, 0.9, "mia/dog")
CUP = Box("cup", "red", 12, 30, 12, 12)
CALL = Interpret("Where is it?", "mia's white dog and a red cup on grass", [DOG, CUP], ["mia/dog"])


def test_the_text_has_the_message_and_things_from_left_to_right_or_else_the_caption():
    text = " ".join(prompt(CALL))
    assert text == f"where is it {BAR} left red cup right my dog {BAR} on grass {ARROW}"
    alone = " ".join(prompt(Interpret("hello", "what is it", [CUP], [])))
    assert alone == f"hello {BAR} right left red cup {BAR} {ARROW}"
    assert " ".join(prompt(Interpret("hello", CALL.caption))) == f"hello {BAR} a white dog and a red cup on grass {ARROW}"


def test_answers_are_read_as_far_as_they_go():
    def read(text):
        return answer([WORDS.number(word) for word in text.split()])

    assert read("show my dog ; dog grass . cup") == Intent("show my dog", ["dog", "grass"])
    assert read("show my dog") == Intent("show my dog", [])
    whole = read("compare ( the dog ) my dog and ( the thing on the left ) the red cup ; cup .")
    assert whole.goal == "compare my dog and the red cup"
    assert read("show ( the thing on") == Intent("show", [])
    assert read(".") == Intent("", [])


def test_all_that_training_reads_and_says_has_its_number_and_fits():
    for index in range(200):
        read, told = numbers(*situation("test", index, held_out=index % 2 == 0))
        assert UNKNOWN not in read + told
        assert len(read) < MAX_PROMPT and len(told) <= MAX_ANSWER


def test_the_answer_is_learned():
    ids, wanted = example(6, "e", 1, lookups=2, repairs=1)
    for index in range(4):
        read, told = numbers(*situation("e", 1, index, draws=DRAWS)) if index < 3 else wording.numbers("e", 1, index)
        assert ids[index, : len(read)].tolist() == read
        places = [place for place, number in enumerate(wanted[index].tolist()) if number != -100]
        assert [int(wanted[index, place]) for place in places] == told
        assert int(ids[index, places[0]]) == WORDS.number(ARROW)
        assert places == list(range(places[0], len(read) + len(told) - 1))
    for index in range(2):
        text, bar = lookup("e", 1, index)
        learned = [number for number in wanted[4 + index].tolist() if number != -100]
        assert learned == text[bar + 1 :] == text[bar - len(learned) : bar]


def test_what_is_spelled_out_is_read_as_the_goal():
    kinds = set()
    for index in range(60):
        _, wanted = situation("spelled", index)
        text = [*spelled(wanted), SEMICOLON, *wanted.keywords, STOP]
        assert answer([WORDS.number(word) for word in text]) == Intent(wanted.goal.phrase(), list(wanted.keywords))
        assert all(name in wanted.message and name in " ".join(text) for name in wanted.named)
        kinds.add(wanted.goal.kind)
    assert kinds == set(KINDS)


def test_messages_that_name_no_single_thing_are_drawn_again_for_training():
    def share(draws):
        return sum(situation("draws", index, draws=draws)[1].goal.kind in NEEDED for index in range(200)) / 200

    assert share(1) < 0.75 < 0.85 < share(DRAWS)


def test_what_was_read_is_kept_and_changes_nothing():
    """The answer is the plain model's, word for word."""
    torch.manual_seed(0)
    model = build(32, 2, 2).eval()
    text = prompt(CALL)
    ids = torch.tensor([numbers_of(text)])
    with torch.no_grad():
        for number in said(model, text)[:8]:
            kinds = before(ids, torch.tensor([[NOTHING]]))
            logits = model(ids, token_type_ids=kinds, use_cache=False).logits[0, -1, : WORDS.size]
            assert float(logits[number]) >= float(logits.max()) - 1e-4
            ids = torch.cat([ids, torch.tensor([[number]])], dim=1)


def test_what_can_be_meant_is_what_was_seen():
    assert meanings(CALL) == [["my", "dog"], ["the", "red", "cup"]]
    assert meanings(Interpret("hello", CALL.caption, [], ["mia/dog"])) == [["my", "dog"], ["the", "red", "cup"]]
    assert meanings(Interpret("hello", CALL.caption)) == [["the", "white", "dog"], ["the", "red", "cup"]]
    assert meanings(Interpret("hello", "", [CUP, CUP])) == [["the", "red", "cup"]]


def test_a_thing_is_said_as_a_whole_and_the_likeliest_one():
    """A model that always opens and closes brackets after "show", then prefers "the blue": no such thing was seen."""
    script = ["show", "(", "the", "dog", ")", "the", "blue", "cup", ".", "."]

    class Scripted:
        config = build(32, 2, 2).config

        def __call__(self, ids, position_ids, past_key_values, **_):
            self.place = int(position_ids[0, 0])
            rows = torch.zeros(1, ids.shape[1], 2 * WORDS.size)
            for column in range(ids.shape[1]):
                rows[0, column, WORDS.number(script[min(int(position_ids[0, column]) - start, 9)])] = 2.0
                rows[0, column, WORDS.number("dog")] += 1.0
            return type("Out", (), {"logits": rows})()

    start = len(numbers_of(["x"])) - 1
    free = [WORDS.word(number) for number in said(Scripted(), ["x"])]
    bound = [WORDS.word(number) for number in said(Scripted(), ["x"], [["the", "red", "cup"], ["the", "white", "dog"]])]
    assert free == script[:9]
    assert bound[:5] == script[:5] and bound[5:8] == ["the", "red", "cup"]


MODEL = load_models()["keywords"]


def test_goals_of_sentences_that_training_never_had():
    cases = [situation("test goals", index, held_out=True) for index in range(60)]
    found = [MODEL.run([call])[0] for call, _ in cases]
    assert sum(intent.goal == wanted.goal.phrase() for intent, (_, wanted) in zip(found, cases, strict=True)) >= 56


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
