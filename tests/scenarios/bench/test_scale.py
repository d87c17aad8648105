"""Networks of more and more users: the same load on every cell, and rows that are what was measured."""

import math

import pytest
from semcast.scenarios.bench import scale, startup
from semcast.scenarios.bench.scale import Measured, Point, measure, settings_of


def test_cells_of_all_sizes_have_the_same_load() -> None:
    for users in (1_000, 100_000, 1_000_000):
        some = settings_of(users)
        assert some["network.users"] / some["network.stations"] == 250
        area_m2 = math.prod(some["network.area_m"])
        assert area_m2 / some["network.stations"] == pytest.approx(500 * 500)
        assert some["compute.cloud_accelerators"] / users == pytest.approx(60 / 10_000)


def test_a_point_is_a_network_that_serves_its_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "DURATION_S", 2.5)
    monkeypatch.setattr(scale, "RATE_HZ", 1.0)
    found = measure(Point(30, "table"))
    assert found.requests > 5 and found.run_s > 0 and found.start_s > 0


def test_rows_tell_costs_of_requests_and_of_one_more_user() -> None:
    found = {
        100: [Measured(1.0, 2.0, 10, 1_000_000), Measured(1.0, 3.0, 10, 1_000_000)],
        1000: [Measured(1.9, 10.0, 100, 1_900_000), Measured(1.9, 10.0, 100, 2_800_000)],
        10_000: [Measured(10.9, 300.0, 2000, 19_900_000)],
    }
    rows = scale._rows(found, 1000, "table")
    assert rows["request_s_100"]["value"] == 0.25 and rows["request_s_100"]["ratio"] == 2.5
    assert (rows["request_s_100"]["low"], rows["request_s_100"]["high"]) == pytest.approx((2.0, 3.0))
    assert rows["user_bytes_1000"]["value"] == 1500 and rows["user_bytes_10000"]["value"] == 2000
    assert rows["start_user_s_10000"]["ratio"] == pytest.approx(1.0) and "user_bytes_100" not in rows
    assert rows["request_s_10000"]["turns"] == 1 and rows["request_s_10000"]["x"] == 10_000


@pytest.mark.slow
def test_parts_of_a_start() -> None:
    results = startup.run(1, quick=True)
    assert results["memory_whole_s"]["ratio"] == 1.0
    assert {"memory_imports_s", "memory_models_s"} <= results.keys()
    assert all(0 <= each["ratio"] <= 1 for each in results.values())
