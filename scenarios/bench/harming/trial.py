"""One schedule carried out, and what must be true of the run afterwards."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from ....agents import hosting
from ....agents.base import PAYLOADS, make_world
from ....agents.request import RunReport, RunRequest
from ....bus.envelope import Codec
from ....bus.errors import SemcastError
from ....bus.server import NatsServer
from ....bus.trace_reading import TraceReader
from ....bus.verification import check_trace
from .cluster import Cluster
from .driver import Order
from .family import command, descendants, left
from .network import MODELS, network
from .proxy import Proxy
from .schedule import ON_DRIVER, Schedule
from .vandal import LIMIT_S, STALL_S, Vandal, rounds

_GONE_S = 10.0


class Trial(Struct, frozen=True):
    """What came of a schedule.

    Attributes:
        number: Of the schedule.
        host: Of the run.
        faults: Names of those carried out.
        missed: How many the run did not wait for.
        recoveries: How often something was made anew, also by a second driver.
        wall_s: Wall time.
        problem: What is wrong; empty if nothing is.
    """

    number: int
    host: str
    faults: list[str]
    missed: int
    recoveries: int
    wall_s: float
    problem: str = ""


class Reference(Struct, frozen=True):
    """The undisturbed run: digest, counts, and the wall time that one over NATS takes."""

    digest: str
    events: int
    records: int
    usual_s: float


def reference(work: Path) -> Reference:
    """Run once in memory, and once over NATS to see how long that takes."""
    reports = []
    for host in ("memory", "nats"):
        (work / host).mkdir(parents=True)
        reports.append(hosting.run(_request(work / host, host), lambda progress: None))
    checked = check_trace(work / "memory", Codec(PAYLOADS))
    assert reports[0].digest == reports[1].digest == checked.digest
    return Reference(reports[0].digest, reports[0].events, checked.records, reports[1].wall_s)


def carry_out(schedule: Schedule, expected: Reference, folder: Path, cluster: Cluster | None = None) -> Trial:
    """Run the network in a new folder, harm it, and look at what is left."""
    folder.mkdir(parents=True)
    started, report, problem = time.monotonic(), None, ""
    done: list[str] = []
    recoveries = 0
    try:
        if any(fault.what in ON_DRIVER for fault in schedule.faults):
            report, done, recoveries = _with_drivers(schedule, expected, folder)
        else:
            report, done = _with_vandal(schedule, expected, folder, cluster)
    except SemcastError as error:
        problem = f"{type(error).__name__}: {error}"
    if report is not None:
        recoveries += report.recoveries
        problem = problem or differences(report, expected, folder)
    wall_s = round(time.monotonic() - started, 2)
    faults = ["batches"] * schedule.chaos + done
    return Trial(schedule.number, schedule.host, faults, len(schedule.faults) - len(done), recoveries, wall_s, problem)


def _request(folder: Path, host: str, exchange: str = "subjects", workers: int = 3) -> RunRequest:
    return RunRequest(
        run="faults",
        folder=str(folder),
        settings=network(),
        models=MODELS,
        host=host,
        workers=workers,
        exchange=exchange,
        spacing=1,
        stall_s=STALL_S,
    )


def _with_vandal(schedule: Schedule, expected: Reference, folder: Path, cluster: Cluster | None) -> tuple[RunReport, list[str]]:
    request = _request(folder, schedule.host, schedule.exchange, schedule.workers)
    with _server_of_our_own(schedule) as (server, proxy):
        if server is not None and proxy is not None:
            url = server.driver.url_with_password.replace(f":{server.port}", f":{proxy.port}")
            request = msgspec.structs.replace(request, nats=url)
        vandal = Vandal(schedule, folder, expected.usual_s, server=server, proxy=proxy, cluster=cluster)
        try:
            report = hosting.run(request, lambda progress: None, chaos=schedule.disturbances(), watch=vandal.watch)
        finally:
            vandal.leave()
    if alive := left(vandal.pids, _GONE_S):
        raise _Left(f"workers are left behind: {alive}")
    return report, [fault.what for fault in vandal.done]


@contextlib.contextmanager
def _server_of_our_own(schedule: Schedule) -> Iterator[tuple[NatsServer | None, Proxy | None]]:
    if not schedule.proxy:
        yield None, None
        return
    with NatsServer("faults", schedule.workers, make_world(network(), "faults").shards) as server:
        assert server.port is not None
        with Proxy(server.port, schedule.delay_s) as proxy:
            yield server, proxy


class _Left(SemcastError):
    """Something was left behind, or did not end."""


def _with_drivers(schedule: Schedule, expected: Reference, folder: Path) -> tuple[RunReport, list[str], int]:
    """Drivers one after the other, in one folder; all but the last are ended on the way."""
    order = Order(_request(folder, schedule.host, schedule.exchange, schedule.workers), schedule.disturbances())
    (folder / "order.json").write_bytes(msgspec.json.encode(order))
    done: list[str] = []
    pids: set[int] = set()
    for fault in [*schedule.faults, None]:
        process = _driver(folder)
        began, first = time.monotonic(), rounds(folder)
        seen = set(first)
        while fault is not None and process.poll() is None:
            waited = time.monotonic() - began
            seen |= rounds(folder)
            if fault.when.after == "time" and waited >= fault.when.value * expected.usual_s:
                break
            if fault.when.after == "checkpoint" and len(seen - first) >= fault.when.value:
                break
            time.sleep(0.01)
        else:
            break
        pids |= {pid for pid in descendants(process.pid) if "semcast" in command(pid) or "nats" in command(pid)}
        process.send_signal(signal.SIGKILL if fault.what == "driver" else signal.SIGINT)
        done.append(fault.what)
        _outlived(process, f"the driver did not end within {LIMIT_S:.0f} s of a Ctrl-C")
    out = _outlived(process, f"it did not end within {LIMIT_S:.0f} s")
    if process.returncode:
        raise _Left(f"the driver ended with {process.returncode}: {(folder / 'driver.log').read_text()[-600:]}")
    if alive := left(pids, _GONE_S):
        raise _Left(f"processes are left behind: {[command(pid) for pid in alive]}")
    return msgspec.json.decode(out, type=RunReport), done, len(done)


def _outlived(process: subprocess.Popen[bytes], complaint: str) -> bytes:
    """What a driver said until its end."""
    try:
        return process.communicate(timeout=LIMIT_S)[0]
    except subprocess.TimeoutExpired:
        raise _Left(complaint) from None
    finally:
        process.kill()


def _driver(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "order.json").open("rb") as order, (folder / "driver.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "semcast.scenarios.bench.harming.driver"], stdin=order, stdout=subprocess.PIPE, stderr=log
        )


def differences(report: RunReport, expected: Reference, folder: Path) -> str:
    """What distinguishes a run from the undisturbed one; empty if nothing does."""
    codec = Codec(PAYLOADS)
    checked = check_trace(folder, codec)
    names = Counter((r.envelope.source, r.envelope.sequence) for r in TraceReader(folder, codec).records())
    twice = [name for name, count in names.items() if count > 1]
    found = {
        "digest": (report.digest, expected.digest),
        "events handled": (report.events, expected.events),
        "records": (checked.records, expected.records),
        "digest of the trace": (checked.digest, expected.digest),
        "problems of the trace": (checked.problems, ()),
        "records twice": (twice[:3], []),
    }
    return "; ".join(f"{what} {is_} instead of {ought}" for what, (is_, ought) in found.items() if is_ != ought)
