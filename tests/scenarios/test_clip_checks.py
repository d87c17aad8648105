"""Mistakes of scenarios with clips."""

import pytest
from semcast.bus.errors import BadInput
from semcast.scenarios.loading import load

FILMING = {"traffic.content": "clips", "scheme": "aigc-scm"}


def test_a_network_of_cameras_is_taken() -> None:
    pytest.importorskip("trackers")
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
