"""Attacks matched to what receivers said of them; rates with their intervals."""

import math

import pytest
from semcast.bus.records import Attack, Verdict
from semcast.scenarios.metrics.attacks import Rate, detection, detection_results


def attack(kind: str, mark: bytes) -> Attack:
    return Attack(kind, "user.a", "user.a/1", "prompt", mark)


def verdict(mark: bytes, reason: str = "") -> Verdict:
    return Verdict("user.a", "user.a/1", "prompt", mark, reason)


def test_attacks_are_detected_passed_or_never_arrived_and_the_rest_is_genuine() -> None:
    attacks = [attack("tamper", b"t1"), attack("tamper", b"t2"), attack("tamper", b"lost"), attack("forge", b"f")]
    verdicts = [
        verdict(b"good"),
        verdict(b"t1", "bad signature"),
        verdict(b"t2"),
        verdict(b"f"),
        verdict(b"slow", "over its rate"),
    ]
    found = detection(attacks, verdicts)
    assert found.launched == {"tamper": 3, "replay": 0, "flood": 0, "forge": 1}
    assert (found.detected["tamper"], found.detected["forge"]) == (Rate(1, 2), Rate(0, 1))
    assert (found.all, found.false_alarms) == (Rate(1, 3), Rate(1, 2))
    assert found.reasons == {"bad signature": 1, "over its rate": 1}
    results = detection_results(found)
    assert [results[f"attacks_tamper_{what}"] for what in ("launched", "detected", "passed")] == [3, 1, 1]
    assert "attacks_flood_launched" not in results
    assert results["detection_rate_low"] < results["detection_rate"] == 1 / 3 < results["detection_rate_high"]


def test_the_first_of_equal_messages_is_the_genuine_one() -> None:
    again = [Attack("replay", "user.a", "user.a/1", "prompt", b"m", True)] * 2
    found = detection(again, [verdict(b"m"), verdict(b"m", "stale counter"), verdict(b"m", "stale counter")])
    assert (found.detected["replay"], found.false_alarms) == (Rate(2, 2), Rate(0, 1))
    assert detection(again, [verdict(b"m")]).detected["replay"] == Rate(0, 0)
    assert detection([attack("replay", b"m")], [verdict(b"m")]).detected["replay"] == Rate(0, 1)  # under a new number


@pytest.mark.parametrize(("hits", "trials"), [(0, 20), (7, 50), (50, 50)])
def test_the_interval_is_wilsons(hits: int, trials: int) -> None:
    """Wilson (1927): the shares p with |hits / trials - p| <= z sqrt(p (1 - p) / trials)."""
    z, share = 1.959964, hits / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2))
    assert Rate(hits, trials).interval == pytest.approx((max(0, middle - half), min(1, middle + half)), abs=1e-6)


def test_without_trials_nothing_is_known() -> None:
    assert (Rate(0, 0).value, Rate(0, 0).interval) == (None, (0.0, 1.0))
    assert detection_results(detection([], [])) == {}
