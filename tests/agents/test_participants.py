"""The file that tells participants where a run is: of this run's server, from the first progress to the end."""

import json
from pathlib import Path

from semcast.agents.base import make_world
from semcast.agents.participants import PLACE, place_told
from semcast.agents.request import Progress, RunRequest
from semcast.bus.server import ExternalServer
from semcast.scenarios.bench.harming.network import MODELS, network


def test_what_a_killed_driver_left_is_replaced(tmp_path: Path) -> None:
    """Its server is gone, and with it the port and the password that the old file tells."""
    place = tmp_path / PLACE
    place.write_text('{"url": "nats://participant:old@127.0.0.1:1"}')
    request = RunRequest(run="again", folder=str(tmp_path), settings=network(), models=MODELS, host="nats", external=True)
    told: list[Progress] = []
    with place_told(request, make_world(request.settings, "again"), ExternalServer("nats://127.0.0.1:4333"), told.append) as tell:
        assert not place.exists(), "nobody listens yet"
        tell(Progress(0, 1, {}))
        assert json.loads(place.read_text())["url"] == "nats://127.0.0.1:4333"
        assert place.stat().st_mode & 0o077 == 0
    assert len(told) == 1 and not place.exists()
