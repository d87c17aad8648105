"""The promise, for texts and alarms: one digest on every host, for any number of workers."""

from pathlib import Path

import pytest
from semcast.agents import hosting
from semcast.agents.request import RunRequest
from semcast.scenarios.build import network_settings
from semcast.scenarios.loading import load

TEXT = {"traffic.content": "text", "policies.prompt": "fixed:parts=all,share=true", "models.calibrate": True}
ALARMS = {"traffic.content": "alarms", "policies.prompt": "fixed:parts=caption"}
PLACES = ({"host": "memory", "workers": 1}, {"host": "memory", "workers": 3}, {"host": "nats", "workers": 2})


@pytest.mark.parametrize("content", [TEXT, TEXT | {"scheme": "traditional"}, ALARMS], ids=["text", "traditional", "alarms"])
def test_one_digest_everywhere(content: dict[str, object], tmp_path: Path) -> None:
    scenario = load("two-users", quick=True, overrides={"traffic.rate_hz": 1.5, **content})
    digests = set()
    for number, place in enumerate(PLACES):
        folder = tmp_path / str(number)
        folder.mkdir()
        request = RunRequest(run="texts-test", folder=str(folder), settings=network_settings(scenario), **place)  # type: ignore[arg-type]
        report = hosting.run(request, lambda progress: None)
        assert report.events > 50
        digests.add(report.digest)
    assert len(digests) == 1
