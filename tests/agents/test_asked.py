"""A user that is acted as from outside does what it does of its own accord, with the choices that it is given."""

from typing import Any

import pytest
from msgspec.structs import replace
from semcast.agents.base import make_agents
from semcast.agents.settings import TrafficSettings
from semcast.agents.user import User
from semcast.bus.asks import FIRST_NUMBER
from semcast.bus.clock import SECOND
from semcast.bus.messages import Ask, Failure, JsccPicture, Prompt
from semcast.bus.outside import Injection
from semcast.bus.records import Capture, Shown

from .networks import Run, run, two_users

QUIET = TrafficSettings(duration_s=6.0, start_s=2.0, rate_hz=0.0, feedback_sync_s=2.0)
REQUEST = f"user.0/{FIRST_NUMBER}"


def asked(*asks: Ask, t_ns: int = 3 * SECOND, **changes: Any) -> Run:
    injections = [Injection(t_ns, number, "user.0", f"me:{number}", ask) for number, ask in enumerate(asks)]
    return run(two_users(**({"traffic": QUIET} | changes)), injections=injections)


def test_a_picture_is_taken_at_once_as_it_was_asked_for_and_arrives() -> None:
    ran = asked(Ask(FIRST_NUMBER, "user.1", "mapping", things=3, subject="mia/dog"))
    (taken,) = ran.of(Capture)
    assert (taken.request, taken.recipient, taken.task) == (REQUEST, "user.1", "mapping")
    assert len(taken.truth) == 3 and [subject for *_, subject in taken.truth if subject] == ["mia/dog"]
    assert [envelope.t_send for envelope in ran.sent(Capture)] == [3 * SECOND]
    assert REQUEST in {e.payload.body.request for e, _ in ran.records if isinstance(getattr(e.payload, "body", None), Prompt)}
    assert [shown.request for shown in ran.of(Shown)] == [REQUEST] and not ran.of(Failure)


def test_what_is_left_open_is_as_the_scenario_says() -> None:
    ran = asked(*(Ask(FIRST_NUMBER + number, "user.1") for number in range(12)))
    taken = ran.of(Capture)
    assert [each.request for each in taken] == [f"user.0/{FIRST_NUMBER + number}" for number in range(12)]
    counts = {len(each.truth) for each in taken}
    low, high = QUIET.objects
    assert len(counts) > 1 and counts <= set(range(low, high + 1))
    assert all(each.task == "greeting" and not any(subject for *_, subject in each.truth) for each in taken)
    assert len({each.picture for each in taken}) == 12


def test_the_users_own_pictures_are_the_same_whatever_is_asked() -> None:
    traffic = TrafficSettings(duration_s=6.0, start_s=2.0, rate_hz=1.0, feedback_sync_s=2.0)
    plain = run(two_users(traffic=traffic)).sent(Capture)
    with_ask = [e for e in asked(Ask(FIRST_NUMBER, "user.1"), traffic=traffic).sent(Capture) if e.payload.request != REQUEST]
    assert [(e.t_send, e.payload) for e in plain] == [(e.t_send, e.payload) for e in with_ask] and len(plain) > 3


def test_other_schemes_do_what_is_asked_too() -> None:
    ran = asked(Ask(FIRST_NUMBER, "user.1"), scheme="semcom")
    assert [each.request for each in ran.of(Capture)] == [REQUEST]
    bodies = [e.payload.body for e, _ in ran.records if hasattr(e.payload, "body")]
    assert any(isinstance(body, JsccPicture) for body in bodies) and not any(isinstance(body, Prompt) for body in bodies)


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (Ask(FIRST_NUMBER, "user.1", subject="mia/dog"), ""),
        (Ask(FIRST_NUMBER, "user.0"), "'user.0' is no other user of this run"),
        (Ask(FIRST_NUMBER, "bs.0"), "'bs.0' is no other user of this run"),
        (Ask(FIRST_NUMBER, ""), "'' is no other user of this run"),
        (Ask(FIRST_NUMBER, "user.1", subject="leo/cat"), "'leo/cat' is no subject of user.0"),
    ],
)
def test_a_user_says_what_it_cannot_do(ask: Ask, reason: str) -> None:
    (user,) = make_agents(two_users(), ["user.0"])
    assert isinstance(user, User)
    assert user.cannot(ask) == reason


def test_pictures_of_a_folder_are_not_asked_for() -> None:
    settings = two_users(scheme="semcom")
    (user,) = make_agents(replace(settings, traffic=replace(settings.traffic, images="album")), ["user.0"])
    assert isinstance(user, User)
    assert user.cannot(Ask(FIRST_NUMBER, "user.1")) == "the users of this run send pictures of a folder"


def test_an_asked_request_has_room_in_a_prompts_header() -> None:
    from semcast.agents.prompt_codec import NUMBER_BITS
    from semcast.bus.asks import MOST_ASKS

    assert FIRST_NUMBER + MOST_ASKS == 1 << NUMBER_BITS
