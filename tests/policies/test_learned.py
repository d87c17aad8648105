"""The trained prompt policy: its features, what it may do, and what it says of weights that are wrong."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.bus.errors import BadInput, Missing
from semcast.policies.checks import check_policy
from semcast.policies.examples import prompt_context
from semcast.policies.prompt.actions import ACTIONS, FEATURES, NAMES, SHARE, action_of, features, mask, parts_of, standing_for
from semcast.policies.prompt.learned import SHIPPED
from semcast.policies.protocols import Candidate, PromptContext, SemanticNoise
from semcast.policies.registry import fingerprint, load, resolve

POLICY = "semcast.policies.prompt.learned:Learned"
CAPTION, BOXES = Candidate("caption", 200, ("tree", "dog")), Candidate("boxes", 150, ("tree", "dog"))
REFERENCES, IDENTIFIERS = Candidate("references", 24, ("mia/dog",)), Candidate("identifiers", 800, ("tom/mug",))
UNCOVERED = SemanticNoise(0.4, ("tom/mug",), "test")


def offered(*candidates, budget_bits=0, knowledge_bits=0, noise=UNCOVERED):
    context = PromptContext(candidates, noise, 10.0, "mapping", budget_bits, knowledge_bits)
    return {NAMES[i] for i, can in enumerate(mask(context)) if can}


@given(st.integers(0, 10_000), st.floats(-1e3, 1e3), st.integers(0, 10**9), st.integers(0, 10**9))
def test_features_are_shares_and_some_action_can_be_done(number, snr_db, knowledge_bits, budget_bits) -> None:
    example = prompt_context(number)
    context = PromptContext(example.candidates, example.noise, snr_db, example.task, budget_bits, knowledge_bits)
    numbers = features(context)
    assert len(numbers) == len(FEATURES) and all(0.0 <= value <= 1.0 for value in numbers)
    allowed = mask(context)
    assert any(allowed)
    for action in range(len(ACTIONS)):
        assert allowed[standing_for(action, allowed)]
    done = [(parts_of(i, context), ACTIONS[i][1] == SHARE) for i, can in enumerate(allowed) if can]
    assert len(set(done)) == len(done) and all(parts for parts, _ in done)


def test_only_what_is_on_offer_can_be_done() -> None:
    assert offered(CAPTION) == {"caption"}
    assert offered(CAPTION, REFERENCES) == {"caption", "caption+references"}
    assert offered(CAPTION, IDENTIFIERS, knowledge_bits=900) == {"caption", "caption+identifiers", "caption+share"}
    assert offered(CAPTION, BOXES) == {"caption", "boxes", "caption+boxes"}
    covered = SemanticNoise(0.4, (), "test")
    assert offered(CAPTION, knowledge_bits=900, noise=covered) == {"caption"}


def test_a_budget_forbids_what_does_not_fit() -> None:
    assert offered(CAPTION, BOXES, IDENTIFIERS, budget_bits=210) == {"caption", "boxes"}
    assert offered(CAPTION, BOXES, budget_bits=100) == {"boxes"}


def test_another_action_stands_for_what_cannot_be_done() -> None:
    allowed = mask(PromptContext((CAPTION, REFERENCES), UNCOVERED, 10.0, "greeting"))
    assert NAMES[standing_for(NAMES.index("caption+share"), allowed)] == "caption+references"
    assert NAMES[standing_for(NAMES.index("boxes+references"), allowed)] == "caption"


def test_actions_read_what_others_choose() -> None:
    for i, (description, extra) in enumerate(ACTIONS):
        assert action_of((*description, extra), extra == SHARE) == i


def network(tmp_path: Path, **changes) -> str:
    zeros = {
        "features": FEATURES,
        "actions": NAMES,
        "hidden": [[0.0] * len(FEATURES)],
        "hidden_bias": [0.0],
        "output": [[0.0]] * len(ACTIONS),
        "output_bias": [float(name in ("boxes+identifiers", "caption+share")) for name in NAMES],
    }
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(zeros | changes))
    return f"{POLICY}:weights={path}"


def test_it_conforms(tmp_path: Path) -> None:
    check_policy("prompt", load(resolve("prompt", network(tmp_path))))


def test_takes_the_best_score_of_what_can_be_done(tmp_path: Path) -> None:
    policy = load(resolve("prompt", network(tmp_path)))
    choice = policy.select(PromptContext((CAPTION, BOXES, IDENTIFIERS), UNCOVERED, 10.0, "greeting"), lambda name: 0.5)
    assert (choice.parts, choice.share_knowledge) == (("boxes", "identifiers"), False)
    shared = policy.select(PromptContext((CAPTION, REFERENCES), UNCOVERED, 10.0, "greeting", 0, 900), lambda name: 0.5)
    assert (shared.parts, shared.share_knowledge) == (("caption", "references"), True)


def test_the_fingerprint_covers_the_weights(tmp_path: Path) -> None:
    one = fingerprint(resolve("prompt", network(tmp_path)))
    (tmp_path / "other").mkdir()
    other = network(tmp_path / "other", hidden_bias=[1.0])
    assert fingerprint(resolve("prompt", other)) != one


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"features": ["noise"]}, "other features"),
        ({"output_bias": [0.0]}, "other shapes"),
        ({"hidden_bias": ["much"]}, "no prompt policy"),
        ({"hidden_bias": [1e999]}, "not finite"),
    ],
)
def test_wrong_weights_are_named(tmp_path: Path, changes: dict, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        load(resolve("prompt", network(tmp_path, **changes)))


def test_absent_weights_are_named_with_what_mends_them(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="no weights") as told:
        load(resolve("prompt", f"{POLICY}:weights={tmp_path / 'none.json'}"))
    assert "semcast train prompt-policy" in told.value.hint


def test_shipped_weights_are_those_of_their_card() -> None:
    from semcast.agents.models.cards import checked, read_card

    card = read_card(SHIPPED.parent)
    assert checked(card, SHIPPED.name) == SHIPPED
    assert min(card.data["seeds"]) >= 20_000 and min(card.data["held_out"]["seeds"]) > max(card.data["seeds"])
