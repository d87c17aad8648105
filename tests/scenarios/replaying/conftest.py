"""A small recorded run whose prompt policy is a file that tests can change."""

from pathlib import Path

import pytest
from semcast.scenarios.cli import main

POLICY = '''
from semcast.policies.protocols import PromptChoice


class Mine:
    """Whatever comes first."""

    def select(self, context, rng):
        part = [c.name for c in context.candidates if c.name in ("caption", "boxes")][0]
        return PromptChoice((part,), False, "first")
'''


@pytest.fixture(scope="session")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("policy") / "mine.py"
    path.write_text(POLICY)
    return path


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory, policy: Path) -> Path:
    folder = tmp_path_factory.mktemp("replaying") / "run"
    options = ["--quick", "--host", "memory", "--display", "none", "--no-report", "--policy", f"prompt={policy}:Mine"]
    assert main(["run", "two-users", *options, "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def changed(recorded: Path, policy: Path, tmp_path: Path) -> Path:
    """The run, with another answer of its policy: what it would find had the file been changed since."""
    import shutil

    copy = tmp_path / "changed"
    shutil.copytree(recorded, copy)
    other = tmp_path / "mine.py"
    other.write_text(POLICY.replace("[0]", "[-1]"))
    scenario = copy / "scenario.toml"
    scenario.write_text(scenario.read_text().replace(str(policy), str(other)))
    return copy
