"""Somebody else's package: built, installed, found by its entry point, and used by Ray workers."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from semcast.bus.records import Decision
from semcast.bus.trace_reading import TraceReader

PLUGIN = Path(__file__).parent.parent / "plugin_pkg"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the installed package, and nothing else."""
    place = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(PLUGIN, place / "source", ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", str(place / "site")]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(source)], check=True, timeout=120)
    return place / "site"


def semcast(installed: Path, *words: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-m", "semcast", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        cwd=installed.parent,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_listed_and_passes_the_conformance_kit(installed: Path) -> None:
    listed = json.loads(semcast(installed, "list", "policies", "--json"))
    assert "semcast-example/cheapest" in json.dumps(listed)
    assert ": ok" in semcast(installed, "check", "policy", "prompt=semcast-example/cheapest")


def test_ray_workers_use_it(installed: Path, tmp_path: Path) -> None:
    digests = set()
    for host, workers in (("ray", "2"), ("memory", "1")):
        out = tmp_path / host
        policy = ("--policy", "prompt=semcast-example/cheapest:extra_bits=40")
        semcast(installed, "run", "two-users", "--quick", "--host", host, "--workers", workers, *policy, "--out", str(out))
        decisions = [record.envelope.payload for record in TraceReader(out).records(kind="decision")]
        reasons = [d.choice["reason"] for d in decisions if isinstance(d, Decision) and d.policy_kind == "prompt"]
        assert reasons and all("is cheapest with" in reason for reason in reasons)
        digests.add(json.loads((out / "run.json").read_text())["digest"])
    assert len(digests) == 1
