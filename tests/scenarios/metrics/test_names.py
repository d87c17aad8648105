"""Names of results: those that a run gives are known, and nothing near them."""

import pytest
from semcast.bus.records import Attack
from semcast.scenarios.metrics.attacks import KINDS, detection, detection_results
from semcast.scenarios.metrics.names import known_results, may_be_result


def test_results_of_attacks_are_known() -> None:
    attacks = [Attack(kind, "user.a", "user.a/0", "prompt", kind.encode()) for kind in KINDS]
    given = detection_results(detection(attacks, []))
    assert len(given) == 3 * len(KINDS) and set(given) <= set(known_results())


@pytest.mark.parametrize(
    "name", ["attacks_tamper_detcted", "attacks_rain_passed", "attacks_", "detection_rates", "detection_rate_mid", "latency"]
)
def test_no_run_has_these(name: str) -> None:
    assert not may_be_result(name)
