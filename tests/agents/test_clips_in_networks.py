"""Clips in a whole network, with simple models: who is told what, what is charged, and that nobody is shown what was not sent."""

import msgspec
import numpy as np
import pytest
from semcast.agents.accounting import body_bits
from semcast.agents.clips import looks, prompt
from semcast.agents.clips.rendering import frames_of
from semcast.agents.models.framewise import FramewiseModels, frames_in
from semcast.agents.settings import ClipSettings, NetworkSettings, SecuritySettings, TrafficSettings, UserSettings
from semcast.bus.content_messages import ClipKnowledge, GroupPrompt, JsccPicture
from semcast.bus.messages import Arrived, Failure, Feedback, Uplink
from semcast.bus.records import AirRecord, Capture, KbRecord, Shown

from .networks import Run, run, two_users
from .simple_models import models

pytest.importorskip("trackers")
TRAFFIC = TrafficSettings(duration_s=7.0, start_s=1.0, rate_hz=1.0, feedback_sync_s=2.0, content="clips", senders=("user.0",))


def network(scheme: str = "aigc-scm", **clips: object) -> NetworkSettings:
    settings = two_users(scheme=scheme, traffic=TRAFFIC, clips=ClipSettings(frames=12, **clips))  # type: ignore[arg-type]
    return msgspec.structs.replace(settings, users=tuple(UserSettings(user.id) for user in settings.users))


def played(settings: NetworkSettings, workers: int = 1) -> Run:
    return run(settings, workers, FramewiseModels(models()))


@pytest.fixture(scope="module")
def drawn() -> Run:
    return played(network())


def prompts(found: Run) -> dict[str, GroupPrompt]:
    return {each.request: each.body for each in found.of(Arrived) if isinstance(each.body, GroupPrompt)}


def test_every_clip_ends_once_and_is_judged_by_its_receiver(drawn: Run) -> None:
    taken = [each.request for each in drawn.of(Capture)]
    ended = [each.request for each in [*drawn.of(Shown), *drawn.of(Failure)]]
    assert len(taken) >= 3 and sorted(taken) == sorted(set(ended)) and len(drawn.of(Shown)) >= 3
    feedback = [each.body for each in drawn.of(Uplink) if isinstance(each.body, Feedback)]
    assert {each.request for each in feedback} == {each.request for each in drawn.of(Shown)}


def test_what_is_shown_is_drawn_from_what_was_received_alone(drawn: Run) -> None:
    """From knowledge as it arrived and the prompt's bits, the frames can be drawn again; the sender's pixels are not needed."""
    known: dict[str, bytes] = {}
    again: dict[str, bytes] = {}
    for envelope, _ in drawn.records:
        body = envelope.payload.body if isinstance(envelope.payload, Arrived) else None
        if isinstance(body, ClipKnowledge):
            prefix = f"{body.sender}:{body.camera}"
            known |= {f"{prefix}:{look.number}": look.file for look in body.looks}
            known |= {f"{prefix}:background": body.background} if body.background else {}
        elif isinstance(body, GroupPrompt):
            content = prompt.decode(body.data)
            prefix = f"{body.sender}:{content.camera}"
            cut = {thing.look: looks.opened(known[f"{prefix}:{thing.look}"], "RGBA") for thing in content.things}
            again[body.request] = frames_of(content, looks.opened(known[f"{prefix}:background"], "RGB"), cut).tobytes()
    assert again == {each.request: each.picture for each in drawn.of(Shown)}


def test_knowledge_is_sent_once_and_charged(drawn: Run) -> None:
    told = [each.body for each in drawn.of(Uplink) if isinstance(each.body, ClipKnowledge)]
    whole = [each for each in told if each.background]
    assert 1 <= len(whole) < len(drawn.of(Capture))
    numbers = [look.number for each in told for look in each.looks]
    assert len(numbers) == len(set(numbers))  # no look twice
    airs = [air for air in drawn.of(AirRecord) if air.purpose == "kb" and air.request]
    assert sum(air.payload_bits for air in airs) == 2 * sum(body_bits(each) for each in told)  # up and down
    records = [each for each in drawn.of(KbRecord) if each.item_kind == "look"]
    assert len(records) == len(numbers) + len(whole)


def test_prompts_cost_what_they_say(drawn: Run) -> None:
    airs = {(air.request, air.direction): air.payload_bits for air in drawn.of(AirRecord) if air.purpose == "prompt"}
    for request, body in prompts(drawn).items():
        assert prompt.encode(prompt.decode(body.data))[1] == body.bits
        assert airs[request, "up"] == airs[request, "down"] == body_bits(body) > body.bits


def test_with_each_clip_everything_is_sent_again() -> None:
    found = played(network(background="each"))
    told = [each.body for each in found.of(Uplink) if isinstance(each.body, ClipKnowledge)]
    assert len(told) == len(found.of(Capture)) and all(each.background for each in told)


def test_maps_need_no_knowledge() -> None:
    found = played(network(background="map", world="street", places="predicted"))
    assert not [each for each in found.of(Uplink) if isinstance(each.body, ClipKnowledge)]
    assert found.of(Shown) and all(each.clip.places for each in found.of(Shown))


def test_every_frame_by_jscc() -> None:
    found = played(network("semcom", world="street", watch=True))
    headers = [each.body for each in found.of(Uplink) if isinstance(each.body, JsccPicture)]
    assert headers and all(header.frames == 12 for header in headers)
    plain = body_bits(msgspec.structs.replace(headers[0], frames=msgspec.UNSET))
    assert body_bits(headers[0]) == plain + 6
    assert found.of(Shown) and all(frames_in(each.picture) == 12 and each.clip is not None for each in found.of(Shown))
    for capture, shown in zip(found.of(Capture), found.of(Shown), strict=False):
        apart = np.frombuffer(capture.picture, np.uint8).astype(int) - np.frombuffer(shown.picture, np.uint8)
        assert 0 < np.abs(apart).mean() < 40


def test_a_background_that_was_lost_is_grey_and_not_known(drawn: Run) -> None:
    """The receiver without its KB draws the same prompt on grey: pixels come from knowledge alone."""
    user = played(network()).agents["user.1"]
    body = next(iter(prompts(drawn).values()))
    content = prompt.decode(body.data)
    kept = user.draw(body.sender, content)  # type: ignore[attr-defined]
    user.state.kb.items.clear()
    bare = user.draw(body.sender, content)  # type: ignore[attr-defined]
    assert (bare == 128).all(axis=-1).mean() > 0.5 > (kept == 128).all(axis=-1).mean()


def test_workers_make_no_difference(drawn: Run) -> None:
    assert played(network(), workers=3).digest == drawn.digest


def test_signed_prompts_are_taken_and_their_signatures_charged() -> None:
    found = played(msgspec.structs.replace(network(), security=SecuritySettings(signatures=True)))
    assert len(found.of(Shown)) >= 3
    assert all(air.signature_bits for air in found.of(AirRecord) if air.purpose == "prompt")
