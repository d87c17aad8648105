"""Nothing is imported that a command does not use: what takes long to import is not there afterwards."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "diffusers",
    "huggingface_hub",
    "matplotlib",
    "pandas",
    "peft",
    "pyarrow",
    "ray",
    "scipy",
    "sionna",
    "torch",
    "transformers",
)
PROGRAM = """
import json, sys
from semcast.scenarios.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as end:  # --help
    status = end.code
print(json.dumps([status, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def imported(*arguments: str, program: str = PROGRAM) -> set[str]:
    """Heavy packages that a command has imported."""
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    status, packages = json.loads(done.stdout.splitlines()[-1])
    assert status == 0, done.stderr
    return set(HEAVY) & set(packages)


@pytest.mark.parametrize(
    "command", ["--help", "check quickstart", "list scenarios", "list policies", "list models", "run --help"]
)
def test_what_only_looks_imports_nothing_heavy(command: str) -> None:
    assert imported(*command.split()) == set()


def test_a_run_imports_what_it_uses(tmp_path: Path) -> None:
    run = ["run", "two-users", "--quick", "--models", "table", "--host", "memory", "--display", "none"]
    assert imported(*run, "--out", str(tmp_path / "a"), "--no-report") == {"pyarrow"}
    assert imported(*run, "--out", str(tmp_path / "b")) <= {"pyarrow", "matplotlib", "scipy"}


def test_a_worker_imports_models_when_it_asks_them() -> None:
    program = "import json, sys, semcast.agents.worker, semcast.agents.user, semcast.agents.cloud, semcast.agents.edge\n"
    program += "print(json.dumps([0, sorted({name.partition('.')[0] for name in sys.modules})]))"
    assert imported(program=program) == set()


def test_the_test_can_fail() -> None:
    assert imported(program="import json, sys, pyarrow\nprint(json.dumps([0, list(sys.modules)]))") == {"pyarrow"}
