"""Every role of the hub profile keeps the promises of a model, on each checkpoint class of the table."""

from pathlib import Path
from typing import Any

import pytest
from semcast.agents.models.hub.models import ROLES
from semcast.agents.models.hub.settings import HubSettings
from semcast.agents.models.hub.table import TABLE
from semcast.agents.models.loading import load_models, model_table
from semcast.agents.models.roles import Box, Embed, Extract, Generate, Interpret, Personalise
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.world import make_scene

from ....contract.model_checks import check_batch, check_companions, check_flops, coded, one_group

CASES = [
    *("captioner:vit-gpt2", "captioner:blip", "embedder:minilm", "extractor:yolos", "extractor:detr"),
    *("generator:stable-diffusion-2-1", "generator:gligen", "keywords:gpt-neo", "personaliser:clip-b32"),
]
BATCH = 3
loaded: dict[str, Any] = {}


def settings(cache: Path, case: str = "", **more: Any) -> HubSettings:
    """Settings that pick the case's checkpoint for the part that it does."""
    name = case.partition(":")[2]
    part = {row.name: row.part for row in TABLE}.get(name)
    return HubSettings(folder=str(cache), batch=BATCH, **({part: name} if part else {}), **more)


@pytest.fixture(params=CASES)
def it(request: pytest.FixtureRequest, cache: Path) -> Any:
    """The model of a case, read once."""
    case = request.param
    if case not in loaded:
        loaded[case] = load_models("hub", [case.partition(":")[0]], hub=settings(cache, case))[case.partition(":")[0]]
    return loaded[case]


def scene(index: int) -> bytes:
    return draw(make_scene("hub", index, count=(2, 4))).tobytes()


def examples(role: str) -> list[Any]:
    """Different calls of a role."""
    boxes = [Box("dog", "red", 20.0, 24.0, 20.0, 18.0), Box("traffic light", "", 44.0, 40.0, 10.0, 30.0)]
    if role in ("extractor", "captioner"):
        own = {"mia/dog": b"\0" * 48, "too/short": b"\0"}  # CLIP's width is 12 here
        return [Extract(scene(index), own if index % 2 else {}) for index in range(4)]
    if role == "generator":
        texts = ("a red dog", "two cups on grass", "", "a cat")
        return [Generate(text, "grass", boxes[: index % 3], seed=index, steps=2) for index, text in enumerate(texts)]
    if role == "embedder":
        return [Embed(["a red cup", word][index % 2 :]) for index, word in enumerate(("dog", "cat", "snow", "grass"))]
    if role == "keywords":
        return [Interpret(text, "a red dog on grass", boxes) for text in ("look, my dog!", "where is it?", "")]
    return [Personalise("mia/dog", "dog", [scene(index), scene(9)], [boxes[0], boxes[0]]) for index in range(3)]


def test_it_says_what_it_is(it: Any, cache: Path, request: pytest.FixtureRequest) -> None:
    case = request.node.callspec.params["it"]
    row = next(row for row in model_table("hub", hub=settings(cache, case)) if row.role == it.role)
    assert it.role in ROLES
    assert (it.name, it.sha256, row.problem) == (row.name, row.sha256, "")
    assert row.params > 0 and row.weights_bytes > 4 * row.params  # float32 and headers


def test_flops_and_group_are_pure_and_positive(it: Any) -> None:
    check_flops(it, examples(it.role))


def test_a_batch_gives_results_of_the_role_in_order_and_again(it: Any) -> None:
    check_batch(it, one_group(it, examples(it.role)))


def test_companions_and_place_do_not_matter(it: Any) -> None:
    check_companions(it, one_group(it, examples(it.role)))


def test_different_calls_give_different_results(it: Any) -> None:
    """Random weights look at what they are given, so that the tests above could fail."""
    calls = one_group(it, examples(it.role))[:BATCH]
    results = coded([it.run([call] * it.batch)[0] for call in calls])
    assert len(set(results)) > 1
