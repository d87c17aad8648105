"""Who looks at a picture: extractor, captioner and keyword model, as the settings say."""

from functools import cache

import pytest
from semcast.agents.granularity import Granularity
from semcast.agents.models.roles import Extract, Extraction, Intent, Interpret
from semcast.agents.prompt_codec import decode
from semcast.agents.scenes.caption import caption, parse
from semcast.agents.scenes.goals import KINDS
from semcast.bus.messages import Prompt, Uplink
from semcast.policies.registry import resolve
from semcast.scenarios.bench.harming.network import Arithmetic

from .networks import Run, run, two_users
from .simple_models import extract, models


def word(call: Extract) -> Extraction:
    """Says what it sees another way round."""
    seen = extract(call)
    return Extraction(caption(seen.background, [(b.label, b.colour, "") for b in reversed(seen.boxes)]), seen.background, [])


def interpret(call: Interpret) -> Intent:
    """The kind whose name or question word is in the message."""
    kind = next((kind for kind in KINDS if kind in call.message), "locate" if "where" in call.message else "greet")
    return Intent(f"{kind} the {call.boxes[0].label}" if call.boxes else kind, [box.label for box in call.boxes])


ROLES = {"captioner": Arithmetic("captioner", word, 2_000_000), "keywords": Arithmetic("keywords", interpret, 1_000_000)}


@cache
def network(caption: str, goals: str, parts: str = "keywords", workers: int = 1, boxes: int = 15) -> Run:
    settings = two_users(
        caption=caption,
        goals=goals,
        granularity=Granularity(2, boxes),
        policies=(resolve("prompt", f"fixed:parts={parts}"),),
    )
    return run(settings, workers, {**models(), **ROLES})


def prompts(result: Run) -> list[Prompt]:
    return [uplink.body for uplink in result.of(Uplink) if isinstance(uplink.body, Prompt)]


def test_by_default_nobody_else_is_asked() -> None:
    result = run(two_users(), 1, models())
    assert result.of(Extraction) and not result.of(Intent)


def test_the_captioner_words_what_the_extractor_placed() -> None:
    result = network("captioner", "given", "caption+boxes")
    assert len(result.of(Extraction)) > len(prompts(result)) > 0
    for prompt in prompts(result):
        content = decode(prompt.data)
        said = [label for label, _, subject in parse(content.caption).objects if not subject]
        assert sorted(said) == sorted(box.label for box in content.boxes)
        if said:
            assert said[0] == content.boxes[-1].label  # the captioner's order


def test_goals_make_tasks_and_keywords() -> None:
    result = network("boxes", "inferred")
    sent = [decode(prompt.data) for prompt in prompts(result)]
    assert sent
    for content in sent:
        kind = content.goal.split()[0]
        assert content.task == ("mapping" if kind in ("locate", "compare") else "greeting")
        assert content.parts == ("keywords",) and 1 <= len(content.keywords) <= 2
    assert len({content.goal.split()[0] for content in sent}) > 1


def test_granularity_limits_boxes() -> None:
    few, many = (network("boxes", "given", "boxes", boxes=number) for number in (1, 15))
    assert max(len(decode(prompt.data).boxes) for prompt in prompts(few)) == 1
    assert max(len(decode(prompt.data).boxes) for prompt in prompts(many)) > 1


@pytest.mark.parametrize("workers", [2])
def test_digest_is_the_same_for_any_number_of_workers(workers: int) -> None:
    one = network("captioner", "inferred")
    assert network("captioner", "inferred", workers=workers).digest == one.digest
    assert one.digest != network("boxes", "inferred").digest
