"""What workers on other machines are given, and what is asked of a cluster; without one."""

import bisect
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.agents.checkpoint import ALL, Checkpoints
from semcast.agents.ray_hosting import _check_gpus, check_shared, plugin_modules, plugin_sources, processor_share, unpacked
from semcast.agents.worker import WorkerSpec
from semcast.bus.errors import BadInput, Missing
from semcast.policies.registry import load, resolve
from semcast.scenarios.bench.harming.network import network

POLICY = """
class Mine:
    def select(self, context, rng):
        raise NotImplementedError
"""


@given(st.lists(st.integers(0, 64), max_size=6), st.integers(1, 64))
def test_all_workers_find_room_with_their_share_and_not_with_a_larger_one(processors: list[int], workers: int) -> None:
    share = processor_share(processors, workers)
    nodes = [each for each in processors if each] or [1]
    assert 0 < share <= 1
    assert sum(int(each / share + 1e-9) for each in nodes) >= workers
    larger = share + 0.0002
    assert share > 0.9998 or sum(int(each / larger) for each in nodes) < workers


def test_shares_on_nodes_of_two_processors() -> None:
    assert processor_share([0, 2, 2], 4) == 1.0 and processor_share([0, 2, 2], 3) == 1.0
    assert processor_share([0, 2, 2], 17) == 0.2222  # nine and eight of them: 4 / 17 has room for sixteen only


@pytest.mark.parametrize(
    ("there", "each", "workers", "fit"),
    [
        (1, 0.25, 4, True),
        (1, 0.25, 5, False),
        (3, 0.6, 3, True),
        (3, 0.6, 4, False),
        (4, 2, 2, True),
        (4, 2, 3, False),
        (0, 0.1, 1, False),
    ],
)
def test_shares_of_gpus(there: float, each: float, workers: int, fit: bool) -> None:
    if fit:
        _check_gpus(there, each, workers)
    else:
        with pytest.raises(Missing, match="find no room"):
            _check_gpus(there, each, workers)


def test_a_policy_in_a_file_is_laid_down_where_the_worker_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(POLICY)
    policy = resolve("prompt", f"{path}:Mine")
    settings = msgspec.structs.replace(network(), policies=(policy, resolve("encoder", "outage")))
    spec = WorkerSpec(run="x", index=0, workers=1, settings=settings)
    sources = plugin_sources(settings.policies)
    assert sources == {str(path): POLICY.encode()}
    path.unlink()  # another machine has no such file
    with pytest.raises(BadInput, match="no file"):
        load(msgspec.structs.replace(policy, target=str(tmp_path / "other.py") + ":Mine"))
    with unpacked(spec, sources) as ready:
        mine, built_in = ready.settings.policies
        assert Path(mine.target.rpartition(":")[0]).read_text() == POLICY and mine.name == policy.name
        assert type(load(mine)).__name__ == "Mine" and built_in == settings.policies[1]


def test_packages_of_policies_travel_whole_and_ours_once() -> None:
    assert plugin_modules([resolve("encoder", "outage"), resolve("eviction", "lru")]) == []
    outside = msgspec.structs.replace(resolve("encoder", "outage"), target="json.decoder:JSONDecoder")
    assert plugin_modules([outside, outside]) == [str(Path(json.__file__).parent)]
    alone = msgspec.structs.replace(outside, target="bisect:Bisect")
    assert plugin_modules([alone]) == [bisect.__file__]


def test_a_run_folder_of_another_machine_is_missed(tmp_path: Path) -> None:
    """One that is not there, one of the same name of another run, and the right one."""
    spec = WorkerSpec(run="x", index=2, workers=3, settings=network(), folder=str(tmp_path / "run"), incarnation=1)
    with pytest.raises(Missing, match="worker 2 on .* does not find the driver's run folder"):
        check_shared(spec, patience_s=0.0)
    checkpoints = Checkpoints(tmp_path / "run")
    (tmp_path / "run").mkdir()
    checkpoints.prepare()
    checkpoints.begin(ALL, 0)
    with pytest.raises(Missing, match="mount one file system"):
        check_shared(spec, patience_s=0.0)
    checkpoints.begin(ALL, 0)
    check_shared(spec, patience_s=0.0)
