"""The house rules that tools do not enforce: arrows between folders, file sizes, no direct import of root folders."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ["bus", "policies", "agents", "scenarios"]
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def imported_folders(path: Path) -> set[str]:
    """Names of the four folders that a module imports, absolutely or relatively."""
    parts = path.relative_to(ROOT).parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                base = parts[: len(parts) - node.level]
                names = [*base, *(node.module or "").split(".")]
                names = [name for name in names if name]
                found.update([names[0]] if names else [alias.name for alias in node.names])
            elif (node.module or "").startswith("semcast."):
                found.add(str(node.module).split(".")[1])
        elif isinstance(node, ast.Import):
            found.update(alias.name.split(".")[1] for alias in node.names if alias.name.startswith("semcast."))
    return found & set(FOLDERS)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    own = FOLDERS.index(path.relative_to(ROOT).parts[0])
    upward = [name for name in imported_folders(path) if FOLDERS.index(name) > own]
    assert not upward, f"{path.name} imports {upward}: the arrows are bus <- policies <- agents <- scenarios"


def test_the_direction_check_sees_both_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    module = tmp_path / "bus" / "exchange" / "wrong.py"
    module.parent.mkdir(parents=True)
    module.write_text("from ...agents.base import Agent\nimport semcast.scenarios.cli\nfrom ..keys import digest\n")
    assert imported_folders(module) == {"agents", "scenarios", "bus"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_root_folders_are_not_importable_on_their_own(folder: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"import {folder}"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0
    assert f"import semcast.{folder}" in done.stderr


def test_files_stay_short() -> None:
    long = {str(p.relative_to(ROOT)): n for p in SOURCES if (n := p.read_text().count("\n")) > 400}
    assert not long


def test_only_ray_hosting_imports_ray() -> None:
    users = [
        str(p.relative_to(ROOT))
        for p in SOURCES
        if any(
            (isinstance(n, ast.Import) and any(a.name.split(".")[0] == "ray" for a in n.names))
            or (isinstance(n, ast.ImportFrom) and not n.level and (n.module or "").split(".")[0] == "ray")
            for n in ast.walk(ast.parse(p.read_text()))
        )
    ]
    assert users in ([], ["agents/ray_hosting.py"])
