"""Pictures for several users: one request to the group, or one for each."""

from collections import Counter
from functools import cache

import msgspec
import pytest
from semcast.agents.settings import NetworkSettings
from semcast.bus.messages import CodedPicture, Failure, Uplink
from semcast.bus.records import AirRecord, Capture, Shown

from .networks import Run, run, town


def pictures(scheme: str, **changes: object) -> NetworkSettings:
    return town(scheme=scheme, traffic=msgspec.structs.replace(town().traffic, recipients=3, **changes))


@cache
def of(scheme: str, unicast: bool) -> Run:
    return run(pictures(scheme, unicast=unicast))


def ends(result: Run) -> Counter[tuple[str, str]]:
    told = Counter((each.payload.request, each.source) for each in result.sent(Shown))
    for failure in result.of(Failure):
        receiver = failure.receiver if isinstance(failure.receiver, str) else alone(result)[failure.request]
        told[failure.request, receiver] += 1
    return told


def alone(result: Run) -> dict[str, str]:
    return {each.request: each.recipient for each in result.of(Capture)}


def begun(result: Run) -> Counter[tuple[str, str]]:
    return Counter((each.request, user) for each in result.of(Capture) for user in (each.recipient, *each.further))


@pytest.mark.parametrize(("scheme", "unicast"), [("traditional", False), ("gai-scn", True), ("aigc-scm", True), ("semcom", True)])
def test_everybody_hears_the_end_once(scheme: str, unicast: bool) -> None:
    result = of(scheme, unicast)
    assert begun(result) and begun(result) == ends(result)


def test_a_request_for_each_is_of_the_same_picture_for_the_same_users() -> None:
    group = {each.request: each for each in of("aigc-scm", False).of(Capture)}
    single: dict[str, list[Capture]] = {}
    for each in of("aigc-scm", True).of(Capture):
        user, _, number = each.request.rpartition("/")
        single.setdefault(f"{user}/{int(number) // 3}", []).append(each)
    assert len(group) > 10 and group.keys() == single.keys()
    for request, whole in group.items():
        assert [each.recipient for each in single[request]] == [whole.recipient, *whole.further]
        assert all(each.picture == whole.picture and not each.further for each in single[request])


def test_a_file_for_a_group_goes_up_once_and_down_once_a_cell() -> None:
    result = of("traditional", False)
    airs: dict[str, list[AirRecord]] = {}
    for air in result.of(AirRecord):
        if air.purpose == "features":
            airs.setdefault(air.request, []).append(air)
    group = {each.request: sorted((each.recipient, *each.further)) for each in result.of(Capture)}
    assert any(len(air.users) > 1 for some in airs.values() for air in some)
    for request, some in airs.items():
        assert [air.direction for air in some].count("up") == 1
        reached = [user for air in some if air.direction == "down" for user in air.users]
        assert sorted(reached) == group[request] or not some[0].delivered


def test_further_recipients_of_a_file_are_charged() -> None:
    from semcast.agents.accounting import COUNT_BITS, body_bits
    from semcast.agents.knowledge.summary import USER_BITS

    body = next(each.body for each in of("traditional", False).of(Uplink) if isinstance(each.body, CodedPicture))
    one = CodedPicture(body.request, body.recipient, body.t_ns, body.codec, body.file)
    assert body_bits(body) - body_bits(one) == COUNT_BITS + 2 * USER_BITS
