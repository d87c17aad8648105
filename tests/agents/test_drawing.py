"""The cloud draws content: by the family that the settings name, once or several times."""

import msgspec
import pytest
from semcast.agents.models.roles import Extract, Extraction, Generate, Picture
from semcast.agents.network import asked, generator_role
from semcast.agents.selection import agreement, asked_by
from semcast.bus import keys
from semcast.bus.envelope import Envelope
from semcast.bus.messages import Content
from semcast.bus.records import Capture, Shown
from semcast.scenarios.bench.harming.network import Arithmetic

from .networks import Run, run, two_users
from .simple_models import extract, generate, models

CALLS: list[Generate] = []


def careless(call: Generate) -> Picture:
    """Forgets everything but the background at two of three seeds."""
    CALLS.append(call)
    return generate(msgspec.structs.replace(call, boxes=[], caption="")) if call.seed % 3 else generate(call)


ROLES = {**models(), "generator": Arithmetic("generator", careless, 10**11)}


def drawings(result: Run) -> list[Envelope]:
    return [each for each in result.sent(Picture) if each.in_reply_to.startswith("generator:")]


def good(result: Run) -> int:
    """Contents in which something is found again."""
    return sum(bool(extract_of(content.picture).boxes) for content in result.of(Content))


def extract_of(picture: bytes) -> Extraction:
    return extract(Extract(picture))


def test_the_best_of_six_shows_what_was_asked_for() -> None:
    once, several = run(two_users(), 1, ROLES), run(two_users(best_of=6), 1, ROLES)
    contents = several.of(Content)
    assert len(once.of(Content)) == len(contents) > 5
    assert good(once) < 0.8 * len(contents) < good(several)
    assert len(drawings(once)) == len(contents) and len(drawings(several)) == 6 * len(contents)


def test_every_candidate_and_every_look_takes_its_time() -> None:
    several = run(two_users(best_of=6), 1, ROLES)
    looks = [each for each in several.sent(Extraction) if each.in_reply_to.startswith("selector:")]
    assert len(looks) == len(drawings(several)) and all(each.t_deliver > each.t_send for each in looks)
    assert all(each.source == "cloud.0" for each in looks)


def test_what_goes_on_is_the_first_that_agrees_best() -> None:
    CALLS.clear()
    settings = two_users(best_of=3)
    several = run(settings, 1, ROLES)
    drawn = {envelope.in_reply_to: envelope.payload.picture for envelope in drawings(several)}
    asked_for = {call.seed: asked_by(call) for call in CALLS}
    for content in several.of(Content):
        candidates = [drawn[f"generator:{content.request}{which}"] for which in ("", ":1", ":2")]
        prompt = asked_for[keys.integer(1 << 62, settings.seed, "generate", content.request)]
        values = [agreement(prompt, extract_of(picture)) for picture in candidates]
        assert content.picture == candidates[values.index(max(values))]


def test_one_candidate_is_drawn_as_without_the_choice() -> None:
    assert run(two_users(best_of=1)).digest == run(two_users()).digest


def test_the_digest_does_not_depend_on_workers() -> None:
    assert run(two_users(best_of=3), 2, ROLES).digest == run(two_users(best_of=3), 1, ROLES).digest


@pytest.mark.parametrize("family", ["vae", "gan", "flow"])
def test_a_family_is_asked_in_place_of_the_diffusion(family: str) -> None:
    settings = two_users(generator=family)
    assert generator_role(settings) == f"generator@{family}"
    assert f"generator@{family}" in asked(settings) and "generator" not in asked(settings)
    roles = {**models(), f"generator@{family}": Arithmetic("generator", careless, 10**11)}
    del roles["generator"]
    result = run(settings, 1, roles)
    assert len(result.of(Capture)) == len(result.of(Shown)) == len(drawings(result)) > 0
