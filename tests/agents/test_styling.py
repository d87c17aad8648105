"""Styles in networks: who renders in them, and who hears of them."""

from collections.abc import Mapping
from functools import cache

import msgspec
from semcast.agents.knowledge import fold
from semcast.agents.knowledge.items import OWN, PREFERENCE
from semcast.agents.models.loading import load_models
from semcast.agents.settings import KnowledgeSettings, NetworkSettings
from semcast.agents.style import NAME, preferred, restyled
from semcast.bus.messages import Content, Share, Uplink
from semcast.bus.records import KbRecord, Shown

from .networks import Run, run, town
from .simple_models import models

STYLES = KnowledgeSettings(privacy_cost=(0.1, 0.5), style_share=1.0)


def with_stylist() -> Mapping:
    return {**models(), "stylist": load_models(roles=["stylist"])["stylist"]}


@cache
def of(scheme: str, restyle: bool) -> Run:
    return run(settings(scheme, restyle), role_models=with_stylist())


def settings(scheme: str, restyle: bool) -> NetworkSettings:
    return town(scheme=scheme, restyle=restyle, knowledge=STYLES)


def style(user: str) -> bytes:
    return preferred(settings("gai-scn", True).seed, user, 1.0)


def shown(result: Run) -> dict[tuple[str, str], bytes]:
    return {(each.payload.request, each.source): each.payload.picture for each in result.sent(Shown)}


def test_receivers_that_generate_render_in_their_own_style() -> None:
    plain, styled = shown(of("aigc-scm", False)), shown(of("aigc-scm", True))
    assert len(plain) > 5 and plain.keys() == styled.keys()
    assert all(styled[request, user] == restyled(picture, style(user)) for (request, user), picture in plain.items())


def test_a_style_stays_with_its_owner_where_nobody_else_needs_it() -> None:
    result = of("aigc-scm", True)
    sent = b"".join(msgspec.msgpack.encode(each) for each in result.of(Uplink))
    assert not any(style(f"user.{number}") in sent for number in range(8))
    told = [each.payload for each in result.sent(KbRecord) if (each.payload.item_kind, each.payload.name) == (PREFERENCE, NAME)]
    assert len(told) == 8 and all(each.sharing == OWN for each in told)


def test_the_cloud_renders_in_styles_that_it_was_told_and_in_no_others() -> None:
    plain, result = of("gai-scn", False), of("gai-scn", True)
    told = {
        each.body.user
        for each in result.of(Uplink)
        if isinstance(each.body, Share) and NAME in [item.name for item in each.body.items]
    }
    known = {each.payload.provenance for each in result.sent(KbRecord) if each.payload.name.endswith(f"/{NAME}")}
    assert known and known <= told and len(known) < 8  # a budget
    drawn = {each.request: each for each in plain.of(Content)}
    for content in result.of(Content):
        before = drawn[content.request].picture
        expected = restyled(before, style(content.recipient)) if content.recipient in known else before
        assert content.picture == expected
    assert any(content.recipient in known for content in result.of(Content))


def test_nobody_offers_a_style_that_nobody_would_use() -> None:
    shares = [each.body for each in of("gai-scn", False).of(Uplink) if isinstance(each.body, Share)]
    assert shares and all(item.name != NAME for share in shares for item in share.items)


def test_the_kb_tells_the_style_again_after_a_restart() -> None:
    records = [each.payload for each in of("aigc-scm", True).sent(KbRecord) if each.source == "user.3"]
    item = fold(records).get(PREFERENCE, NAME)
    assert item is not None and item.data == style("user.3") and "pictures" in item.text
