"""Which cells are taken for finished ones."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from semcast.scenarios.comparison import cells
from semcast.scenarios.comparison.cells import CELL_FILE, jobs, read_cell, simulator
from semcast.scenarios.comparison.plan import Point
from semcast.scenarios.loading import load

ROOT = Path(cells.__file__).resolve().parents[2]


def test_a_cell_counts_for_its_own_scenario_and_seed_only(tmp_path: Path) -> None:
    scenario = load("two-users", overrides={"host": "memory"})
    other = load("two-users", overrides={"host": "memory", "traffic.rate_hz": 0.4})
    first, again, changed = (jobs(tmp_path, [(Point("a/b"), each)])[0] for each in (scenario, scenario, other))
    assert first == again and first.folder == changed.folder and first.fingerprint != changed.fingerprint
    content = {"fingerprint": first.fingerprint, "point": "a/b", "seed": 1, "digest": "d", "requests": ["u/0"]}
    first.folder.mkdir(parents=True)
    (first.folder / CELL_FILE).write_text(json.dumps(content | {"values": {"psnr_db": [None]}, "results": {}}))
    found = read_cell(first)
    assert found is not None and found.requests == ("u/0",) and found.values == {"psnr_db": [None]}
    assert read_cell(changed) is None
    assert read_cell(replace(first, folder=tmp_path / "nowhere")) is None
    (first.folder / CELL_FILE).write_text("{cut")
    assert read_cell(first) is None


def test_points_with_alike_names_have_folders_of_their_own(tmp_path: Path) -> None:
    scenario = load("two-users")
    folders = [jobs(tmp_path, [(Point(name), scenario)])[0].folder for name in ("a:b", "a/b", "a_b" * 60, "a_b" * 61)]
    assert len(set(folders)) == 4 and all(len(folder.name) < 120 for folder in folders)


def test_the_simulators_sources_count_and_those_that_show_results_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("bus/engine.py", "scenarios/comparison/cells.py", "scenarios/report/page.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    monkeypatch.setattr(cells, "__file__", str(tmp_path / "scenarios/comparison/cells.py"))
    before = simulator.__wrapped__()
    (tmp_path / "scenarios/report/page.py").write_text("2")
    assert simulator.__wrapped__() == before
    for name in ("bus/engine.py", "scenarios/comparison/cells.py"):
        (tmp_path / name).write_text("2")
        after = simulator.__wrapped__()
        assert after != before
        before = after


@pytest.mark.parametrize("folder", cells.NO_PART_OF_A_RUN)
def test_folders_that_do_not_count_are_there(folder: str) -> None:
    assert (ROOT / folder).is_dir()
