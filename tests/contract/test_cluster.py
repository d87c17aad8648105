"""On a Ray cluster of several nodes: policies from outside the package reach the workers, wherever these are put; one digest."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from semcast.bus.records import Decision
from semcast.bus.trace_reading import TraceReader
from semcast.scenarios import cli
from semcast.scenarios.bench.harming.cluster import Cluster, running
from semcast.scenarios.bench.hosts import PLACES, Place, run

POLICY = '''"""A policy outside the package."""
from pathlib import Path

import msgspec
import semcast
from semcast.policies.encoder.outage import Outage


class Mine(Outage):
    def choose(self, context, rng):
        where = "here" if Path(__file__).parts[-3:-1] == ("plugins", "here") else "away"
        whose = "sent along" if "_ray_pkg_" in semcast.__file__ else "installed"
        return msgspec.structs.replace(super().choose(context, rng), reason=f"mine, read {where}, semcast {whose}")
'''


def test_the_places_of_the_campaign_have_all_hosts_and_a_coordinator() -> None:
    assert {place.host for place in PLACES} == {"memory", "nats", "ray"}
    assert {place.workers for place in PLACES if place.host == "ray"} >= {1, 2, 4, 17}
    assert {place.loses for place in PLACES if place.workers > 16} == {"", "worker", "node"}


def test_a_small_campaign() -> None:
    """The whole one: ``semcast bench hosts``."""
    (row,) = run(quick=True, places=(Place("memory", 17),)).values()
    assert row["ratio"] == 1.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running() as cluster:
        yield cluster


@pytest.mark.slow
@pytest.mark.parametrize(("place", "written"), [("spread", "file"), ("pack", "module")])
def test_policies_from_outside_reach_the_nodes(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, written: str
) -> None:
    here = tmp_path / "plugins" / "here"
    here.mkdir(parents=True)
    (here / "of_mine.py").write_text(POLICY)
    monkeypatch.syspath_prepend(str(here))
    policy = f"{here / 'of_mine.py'}:Mine" if written == "file" else "of_mine:Mine"
    common = [
        "run",
        "city-1000",
        "--quick",
        "--workers",
        "3",
        "--display",
        "none",
        "--no-report",
        "--policy",
        f"encoder={policy}",
    ]
    away = ["--host", "ray", "--address", cluster.address, "--set", f"cluster.placement={place}", "--out", str(tmp_path / "away")]
    assert cli.main([*common, *away]) == 0
    assert reasons(tmp_path / "away") == {"mine, read away, semcast sent along"}
    assert cli.main([*common, "--host", "memory", "--out", str(tmp_path / "home")]) == 0
    assert reasons(tmp_path / "home") == {"mine, read here, semcast installed"}
    assert requests(tmp_path / "away") == requests(tmp_path / "home") > 0


def reasons(run: Path) -> set[str]:
    decisions = [record.envelope.payload for record in TraceReader(run).records(kind="decision")]
    return {each.choice["reason"] for each in decisions if isinstance(each, Decision) and each.policy_kind == "encoder"}


def requests(run: Path) -> int:
    return int(json.loads((run / "run.json").read_text())["requests"])
