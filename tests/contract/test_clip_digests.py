"""Clips keep the promise, too: one digest in memory and over NATS, for any number of workers."""

from pathlib import Path

import pytest
from semcast.agents import hosting
from semcast.agents.request import RunReport, RunRequest
from semcast.bus.divergence import first_divergence
from semcast.scenarios.build import network_settings
from semcast.scenarios.loading import load

from .test_digests import CHAOS

pytest.importorskip("trackers")
SCENARIO = """
name = "clips"
title = "A camera's clips"
[network]
users = 3
stations = 2
edges = 2
[traffic]
content = "clips"
senders = ["user.00"]
duration_s = 4.0
start_s = 1.0
rate_hz = 1.5
max_requests = 3
[clips]
world = "street"
frames = 12
watch = true
[policies]
noise = "kb-mismatch"
prompt = "threshold"
encoder = "argmax-quality"
incentive = "posted"
scheduling = "fifo"
"""


def run(path: Path, folder: Path, scheme: str, **where: object) -> RunReport:
    """Run it; the trace is in ``folder``."""
    folder.mkdir(parents=True)
    settings = network_settings(load(str(path), overrides={"scheme": scheme}))
    request = RunRequest(run="clips-test", folder=str(folder), settings=settings, **where)  # type: ignore[arg-type]
    chaos = CHAOS if where["host"] == "nats" else None
    return hosting.run(request, lambda progress: None, chaos=chaos)


@pytest.mark.parametrize("scheme", ["aigc-scm", "semcom"])
def test_clips_are_the_same_everywhere(tmp_path: Path, scheme: str) -> None:
    path = tmp_path / "clips.toml"
    path.write_text(SCENARIO)
    expected = run(path, tmp_path / "reference", scheme, host="memory", workers=1)
    assert expected.events > 50
    for number, place in enumerate(({"host": "memory", "workers": 3}, {"host": "nats", "workers": 2, "exchange": "packed"})):
        folder = tmp_path / str(number)
        report = run(path, folder, scheme, **place)
        if report.digest != expected.digest:
            pytest.fail(f"{place}: {first_divergence(tmp_path / 'reference', folder)}")
