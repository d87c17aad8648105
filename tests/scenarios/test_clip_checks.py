"""Mistakes of scenarios with clips."""

import pytest
from semcast.bus.errors import BadInput, Missing
from semcast.scenarios.clip_checks import check_tracking
from semcast.scenarios.loading import load

FILMING = {"traffic.content": "clips", "scheme": "aigc-scm"}


def test_a_network_of_cameras_is_taken() -> None:
    assert load("two-users", overrides=FILMING).clips.frames == 16


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"scheme": "gai-scn"}, "scheme"),
        ({"models.profile": "table"}, "models.profile"),
        ({"models.calibrate": True}, "models.calibrate"),
        ({"scheme": "semcom", "models.coded_fallback": True}, "models.coded_fallback"),
        ({"models.restyle": True, "knowledge.style_share": 1.0}, "models.restyle"),
        ({"traffic.recipients": 2, "traffic.unicast": True}, "traffic.unicast"),
        ({"clips.world": "street", "clips.frames": 8}, "clips.frames"),
        ({"devices.phone.share": 1.0, "devices.phone.generates": False}, "devices.phone.generates"),
        ({"traffic.images": "."}, "no pictures are sent"),
        ({"clips.movers": [3, 1]}, "clips.movers"),
    ],
)
def test_mistakes_are_named_with_their_path(more: dict[str, object], path: str) -> None:
    with pytest.raises(BadInput) as caught:
        load("two-users", overrides=FILMING | more)
    assert path in str(caught.value)


def test_a_tracker_that_is_not_there_is_missing_and_no_mistake_of_the_scenario() -> None:
    with pytest.raises(Missing, match="not installed") as caught:
        check_tracking(load("two-users", overrides=FILMING), "no_such_package")
    assert "semcast[video]" in caught.value.hint
    check_tracking(load("two-users", overrides=FILMING | {"scheme": "semcom"}), "no_such_package")
