"""What the report says of attacks."""

import re
from typing import Any

import pytest
from msgspec import structs
from msgspec.structs import replace
from semcast.agents.settings import AdversarySettings, SecuritySettings
from semcast.bus.records import Attack, Verdict
from semcast.scenarios.metrics.network import Network
from semcast.scenarios.metrics.reduction import Reduction
from semcast.scenarios.metrics.summary import results
from semcast.scenarios.report.simplified import notes
from semcast.scenarios.report.trust import trust

from ..tale import SETTINGS

ATTACKS = [Attack("tamper", "user.a", "user.a/1", "prompt", mark) for mark in (b"1", b"2", b"3", b"4")]
VERDICTS = [Verdict("user.a", "user.a/1", "prompt", mark, "bad signature" if mark != b"4" else "") for mark in (b"1", b"2", b"4")]
GENUINE = [Verdict("user.a", "user.a/2", "prompt", b"good", "")]


def reduction(network: Network, security: SecuritySettings) -> Reduction:
    settings = structs.replace(SETTINGS, security=security, adversary=AdversarySettings(("bs.0",)))
    return Reduction([], network, settings)


def test_attacks_are_told_by_kind_with_intervals() -> None:
    network = Network(attacks=ATTACKS, verdicts=VERDICTS + GENUINE, forgeries_shown=3)
    page = re.sub("<[^>]+>", " ", "".join(trust(reduction(network, SecuritySettings(signatures=True)))))
    assert "were signed" in page and "Of 1 genuine messages 0 were refused" in page and "3 pictures were shown" in page
    assert re.search(r"tamper\s+a passing message was changed\s+4\s+2\s+1\s+66.7 % \[20.8, 93.9\]", page)
    assert "flood" not in page and "bad signature 2" in page
    found = results(reduction(network, SecuritySettings(signatures=True)))
    assert (found["attacks_tamper_launched"], found["attacks_tamper_detected"], found["forged_pictures_shown"]) == (4, 2, 3)


def test_where_nobody_looks_nothing_is_said() -> None:
    assert not list(trust(reduction(Network(), SecuritySettings())))
    page = "".join(trust(reduction(Network(verdicts=GENUINE), SecuritySettings(rate_hz=2.0))))
    assert "Nothing was signed" in page and "limited to 2 a second" in page and "<table" not in page


@pytest.mark.parametrize(
    ("traffic", "scheme", "told", "not_told"),
    [
        ({}, "gai-scn", "drawn scene world", "does not queue"),
        ({"images": "album"}, "semcom", "of a folder", "drawn scene world"),
        ({}, "traditional", "writing and opening files", "a folder"),
        ({"content": "clips"}, "aigc-scm", "of tracking", "files are"),
        ({"content": "text"}, "gai-scn", "not apart from the agents", "drawn scene world"),
    ],
)
def test_what_is_simple_about_content_is_told_of_that_content(
    traffic: dict[str, Any], scheme: str, told: str, not_told: str
) -> None:
    said = " ".join(notes(replace(SETTINGS, scheme=scheme, traffic=replace(SETTINGS.traffic, **traffic))))
    assert told in said and not_told not in said


def test_what_is_simplified_of_trust_is_told() -> None:
    said = " ".join(notes(reduction(Network(), SecuritySettings(signatures=True)).settings))
    assert "keyed hashes" in said and "holds no message back" in said
    assert "keyed hashes" not in " ".join(notes(SETTINGS))
