"""The promise: one scenario and seed, one digest, on every host, for any number of workers and either form of exchange.

The default suite runs the short form of the catalog's scenarios; ``-m slow`` runs the matrix on the whole quickstart.
"""

from pathlib import Path

import pytest
from semcast.agents import hosting
from semcast.agents.request import RunReport, RunRequest
from semcast.bus.divergence import first_divergence
from semcast.bus.exchange.chaos import Chaos
from semcast.scenarios.build import network_settings
from semcast.scenarios.loading import load

CHAOS = Chaos(seed=3, delay_s=0.002, duplicate=0.2, shuffle=True, drop=0.02)


def run(
    name: str,
    folder: Path,
    *,
    seed: int = 1,
    quick: bool = True,
    chaos: Chaos | None = None,
    uvloop: bool = True,
    scheme: str = "",
    **where: object,
) -> RunReport:
    """Run a catalog scenario and return the host's report; the trace is in ``folder``."""
    scenario = load(name, quick=quick, overrides={"seed": seed} | ({"scheme": scheme} if scheme else {}))
    folder.mkdir(parents=True)
    request = RunRequest(run=f"{name}-test", folder=str(folder), settings=network_settings(scenario), **where)  # type: ignore[arg-type]
    return hosting.run(request, lambda progress: None, chaos=chaos, uvloop=uvloop)


def same(name: str, tmp_path: Path, quick: bool, places: list[dict[str, object]], scheme: str = "") -> None:
    """Run everywhere; name the first differing record where digests differ."""
    expected = run(name, tmp_path / "reference", quick=quick, scheme=scheme, host="memory", workers=1)
    assert expected.events > 50
    for number, place in enumerate(places):
        folder = tmp_path / str(number)
        report = run(name, folder, quick=quick, scheme=scheme, **place)  # type: ignore[arg-type]
        if report.digest != expected.digest:
            pytest.fail(f"{place}: {first_divergence(tmp_path / 'reference', folder)}")
        assert report.rejected == 0


NATS = [
    {"host": "nats", "workers": 1},
    {"host": "nats", "workers": 2, "exchange": "packed"},
    {"host": "nats", "workers": 2, "chaos": CHAOS},
    {"host": "nats", "workers": 4, "uvloop": False, "exchange": "packed", "chaos": CHAOS},
]
RAY = [{"host": "ray", "workers": 1}, {"host": "ray", "workers": 2, "exchange": "packed"}]
MEMORY = [{"host": "memory", "workers": 3, "chaos": Chaos(seed=1, delay_s=0.001, duplicate=0.3, shuffle=True)}]


def test_quickstart_in_memory_and_over_nats(tmp_path: Path) -> None:
    same("quickstart", tmp_path, True, MEMORY + NATS[1:3])


def test_two_users_everywhere(tmp_path: Path) -> None:
    agents = len(("user.mia", "user.leo", "bs.0", "edge.0", "cloud.0"))
    one_actor_an_agent = {"host": "ray", "workers": agents}
    same("two-users", tmp_path, True, [*MEMORY, *NATS, one_actor_an_agent, RAY[1]])


def test_receivers_that_generate_are_the_same_everywhere(tmp_path: Path) -> None:
    same("two-users", tmp_path, True, [*MEMORY, NATS[2]], scheme="aigc-scm")


def test_another_seed_gives_another_digest(tmp_path: Path) -> None:
    first, second = (run("two-users", tmp_path / str(seed), seed=seed, host="memory", workers=1) for seed in (1, 2))
    assert first.digest != second.digest


@pytest.mark.slow
def test_whole_quickstart_everywhere(tmp_path: Path) -> None:
    forms = [
        place | {"exchange": form}
        for place in ({"host": "nats", "workers": w} for w in (1, 2, 4))
        for form in ("subjects", "packed")
    ]
    disturbed = [{"host": "nats", "workers": 2, "chaos": CHAOS}, {"host": "nats", "workers": 2, "uvloop": False}]
    same("quickstart", tmp_path, False, [*forms, *RAY, *disturbed])


def test_workers_on_one_actor_an_agent_are_really_apart(tmp_path: Path) -> None:
    from semcast.agents.base import make_world

    world = make_world(network_settings(load("two-users")), "x")
    assert sorted({world.worker(rank, 16) for rank in range(len(world.ids))}) == list(range(len(world.ids)))
