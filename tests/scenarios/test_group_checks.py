"""What a scenario may not ask for where pictures go to groups, or receivers generate."""

from typing import Any

import pytest

from .test_schema import mistakes, tables, validated

THREE = {"network": {"users": 3}}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"traffic": {"senders": ["user.9"]}}, "traffic.senders[0]"),
        ({"aigc": {"informed": ["user.00", "user.x"]}}, "aigc.informed[1]"),
        ({"traffic": {"recipients": 3}}, "traffic.recipients"),
        ({"scheme": "semcom", "traffic": {"recipients": 2}}, "traffic.recipients"),
        ({"models": {"profile": "table"}}, "models.profile"),
        ({"models": {"best_of": 2}}, "models.best_of"),
        ({"models": {"calibrate": True}}, "models.calibrate"),
        ({"models": {"denoise": True}}, "models.denoise"),
        ({"models": {"coded_fallback": True}}, "models.coded_fallback"),
        ({"adversary": {"stations": ["bs.0"]}}, "adversary.stations"),
    ],
)
def test_what_does_not_fit_is_told_where_it_is(change: dict[str, Any], path: str) -> None:
    told = mistakes(tables(**({"scheme": "aigc-scm"} | THREE | change)))
    assert list(told) == [path]


def test_what_fits_is_taken() -> None:
    fine = {"traffic": {"recipients": 2, "senders": ["user.0"]}, "aigc": {"variant": "hi", "informed": ["user.2"]}}
    devices = {"watch": {"share": 0.5, "generates": False}, "phone": {"share": 0.5, "variants": {"generator": "small"}}}
    users = {"network": {"users": [{"id": "user.0"}, {"id": "user.1"}, {"id": "user.2"}]}}
    scenario = validated(tables(**({"scheme": "aigc-scm", "devices": devices} | users | fine)), "x.toml")
    assert scenario.aigc.variant == "hi" and scenario.traffic.recipients == 2


def test_a_generator_on_devices_is_for_receivers_that_generate() -> None:
    data = tables(scheme="gai-scn", devices={"phone": {"share": 1.0, "variants": {"generator": "small"}}})
    assert "devices.phone.variants.generator" in mistakes(data)
