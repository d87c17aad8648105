"""``semcast bench hosts``: one scenario wherever workers can live, over a longer way, with a node of Ray lost: one digest."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct, structs

from ...agents import hosting
from ...agents.request import RunReport, RunRequest
from ...bus.divergence import first_divergence
from ...bus.errors import RunFailed
from ...bus.server import NatsServer
from ..build import hub_settings, network_settings
from ..loading import load
from .harming.cluster import Cluster, running
from .harming.proxy import Proxy
from .harming.schedule import Fault, Moment, Schedule
from .harming.vandal import Vandal
from .turns import Result

OPTIONS = ("scenario", "quick")
DELAY_S = 0.001
"""Of the longer way, in each direction: a round trip between two workers takes four times as long."""
_MIDWAY = Moment("checkpoint", 3)
_LIMIT_S = 3600.0


class Place(Struct, frozen=True):
    """Where a run's workers live.

    ``delay_s``: on the way to their server; ``loses``: a worker, or a node with its workers; ``placement``: by Ray.
    """

    host: str
    workers: int
    exchange: str = "packed"
    delay_s: float = 0.0
    loses: str = ""
    placement: str = "any"

    @property
    def name(self) -> str:
        """For a table."""
        parts = [f"{self.host}, {self.workers} workers, {self.exchange}"]
        parts += [f"{1000 * self.delay_s:g} ms away"] * bool(self.delay_s) + [f"a {self.loses} lost"] * bool(self.loses)
        parts += [f"placed to {self.placement}"] * (self.placement != "any")
        return ", ".join(parts)


PLACES = (
    *(Place("memory", workers) for workers in (2, 4, 17)),
    *(Place("nats", workers) for workers in (1, 2, 4, 17)),
    Place("nats", 4, "subjects"),
    Place("nats", 4, delay_s=DELAY_S),
    Place("nats", 17, loses="worker"),
    *(Place("ray", workers) for workers in (1, 2, 4, 17)),
    Place("ray", 4, delay_s=DELAY_S),
    Place("ray", 4, loses="node"),
    Place("ray", 17, loses="node"),
    Place("ray", 4, delay_s=DELAY_S, loses="node"),
    Place("ray", 4, placement="pack"),
    Place("ray", 4, loses="node", placement="spread"),
)


def run(
    scenario: str = "city-1000",
    quick: bool = False,
    places: tuple[Place, ...] = PLACES,
    progress: Callable[[str], None] = lambda text: None,
) -> Result:
    """Run a scenario everywhere.

    Args:
        scenario: Of the catalog, or a file.
        quick: In its short form.
        places: Where, beside one worker in memory.
        progress: Told what comes next.

    Returns:
        A row for each place: wall time, ``ratio`` 1 for the digest of one worker in memory, how often workers were made anew.

    Raises:
        RunFailed: A digest differs, and where first; or what was to be lost was not lost in time. The runs' folders are kept.
    """
    work = Path(tempfile.mkdtemp(prefix="semcast-hosts-"))
    progress("memory, 1 worker")
    expected = _run(_request(scenario, quick, Place("memory", 1), work / "reference"))
    results: Result = {}
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(running()) if any(place.host == "ray" for place in places) else None
        for number, place in enumerate(places):
            progress(place.name)
            folder = work / str(number)
            report = _at(_request(scenario, quick, place, folder), place, expected, cluster)
            if report.digest != expected.digest:
                raise RunFailed(f"{place.name}: {first_divergence(work / 'reference', folder)}", f"see {work}")
            if place.loses and not report.recoveries:
                raise RunFailed(f"{place.name}: the run was over before anything was lost", f"see {work}")
            results[place.name] = {
                "value": round(report.wall_s, 2),
                "unit": "s",
                "ratio": 1.0,
                "against": "the digest of one worker in memory",
                "workload": f"{report.events} events, {report.recoveries} made anew",
            }
            shutil.rmtree(folder)
    shutil.rmtree(work)
    return results


def _request(name: str, quick: bool, place: Place, folder: Path) -> RunRequest:
    scenario = load(name, quick=quick)
    folder.mkdir(parents=True)
    return RunRequest(
        run="hosts",
        folder=str(folder),
        settings=network_settings(scenario),
        models=scenario.models.profile,
        hub=hub_settings(scenario),
        host=place.host,
        workers=place.workers,
        exchange=place.exchange,
        placement=place.placement,
        spacing=1 if place.loses else 8,
    )


def _run(request: RunRequest, vandal: Vandal | None = None) -> RunReport:
    return hosting.run(request, lambda progress: None, watch=vandal.watch if vandal else None)


def _at(request: RunRequest, place: Place, expected: RunReport, cluster: Cluster | None) -> RunReport:
    """Run at a place, and lose there what is to be lost."""
    if cluster is not None and place.host == "ray":
        request = structs.replace(request, address=cluster.address)
    with _further_away(place) as url:
        request = structs.replace(request, nats=url)
        if not place.loses:
            return _run(request)
        fault = Fault("node" if place.loses == "node" else "kill", _MIDWAY, 0)
        schedule = Schedule(0, place.host, place.exchange, (fault,), workers=place.workers)
        vandal = Vandal(schedule, Path(request.folder), expected.wall_s, cluster=cluster, limit_s=_LIMIT_S)
        try:
            return _run(request, vandal)
        finally:
            vandal.leave()


@contextlib.contextmanager
def _further_away(place: Place) -> Iterator[str]:
    """URL of a server with a longer way to it; empty: the run's own will do."""
    if not place.delay_s:
        yield ""
        return
    with NatsServer("hosts", place.workers) as server:
        assert server.port is not None
        with Proxy(server.port, place.delay_s) as proxy:
            yield server.driver.url_with_password.replace(f":{server.port}", f":{proxy.port}")
