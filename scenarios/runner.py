"""Run a scenario: make its folder, let a host run the network, then reduce the trace and write the report."""

import logging
import secrets
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..agents import recovery
from ..agents.base import PAYLOADS
from ..agents.checkpoint import Checkpoints
from ..agents.models.cpu import cpu_kind
from ..agents.network import asked
from ..agents.own_pictures import Album
from ..agents.participants import check
from ..agents.request import Progress, RunReport, RunRequest, worker_count
from ..agents.settings import FILES, NetworkSettings
from ..bus.envelope import Codec
from ..bus.errors import BadInput, RunFailed, SemcastError
from ..bus.segments import segments
from ..bus.verification import check_trace, checksums
from . import folder as folders
from .build import hub_settings, network_settings, policies
from .clip_checks import check_tracking
from .live import Display, display
from .loading import dumps, load
from .profile import Seconds, lap
from .schema import Scenario
from .watching import Watch

if TYPE_CHECKING:
    from .metrics.alignment import Features

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """A run that has ended: its folder, the status (``ok``, ``failed``, ``interrupted``) and, if it failed, why."""

    folder: Path
    status: str
    error: SemcastError | None = None


def run(
    scenario: Scenario,
    *,
    out: str = "",
    show: str = "none",
    command: str = "",
    nats: str = "",
    address: str = "",
    tap: tuple[str, ...] = (),
    report: bool = True,
    profile: bool = False,
    external: bool = False,
    pace: float = 0.0,
    exogenous: str = "",
    recorded: str = "",
) -> Outcome:
    """Run a scenario and write its folder.

    Args:
        scenario: A checked scenario.
        out: Folder to write; default ``runs/<name>-<number>``.
        show: ``rich``, ``plain``, ``none``, or empty for what suits the terminal.
        command: The command line, for the report.
        nats: URL of a NATS server instead of an embedded one.
        address: Address of a Ray cluster instead of a local one.
        tap: Agents whose messages are republished live in the packed form.
        report: Write figures and ``report.html``, too.
        profile: Note in ``run.json`` where the wall time goes (see profile.py).
        external, pace, exogenous, recorded: See ``agents.request.RunRequest``.

    Returns:
        The run folder and how it went; the folder is kept and its ``run.json`` has the same status.

    Raises:
        BadInput: The folder cannot be made, or nothing from outside can come in on this host.
    """
    if external or pace:
        check(scenario.host, external, pace)
    folder = folders.make(scenario.name, out)
    folders.write_text(folder / folders.SCENARIO_FILE, dumps(scenario))
    outside = {"external": external, "pace": pace, "exogenous": exogenous, "recorded": recorded}
    state = _first_state(scenario, command) | ({"outside": outside} if any(outside.values()) else {})
    return _carry_out(scenario, folder, state, _How(show, nats, address, tap, report, profile))


def resume(
    folder: Path, *, host: str = "", show: str = "none", nats: str = "", address: str = "", report: bool = True
) -> Outcome:
    """Go on with a run that was cut off, from its newest checkpoint; it ends with the digest of one that never was.

    Args:
        folder: Its folder.
        host: Another host than before; the digest does not depend on it.
        show, nats, address, report: See `run`.

    Raises:
        BadInput: There is nothing to go on with, the run still goes on, or what decides its results has changed since.
    """
    state = folders.read_run(folder)
    if state.get("status") == "ok":
        raise BadInput(f"{folder} has ended well: there is nothing to resume", f"look at it: {folder / folders.REPORT_FILE}")
    scenario = load(str(folder), overrides={"host": host or state.get("host"), "workers": state.get("workers")})
    _refuse_changes(folder, scenario, state)
    state |= {"status": "running", "host": scenario.host, "resumed": int(state.get("resumed", 0)) + 1}
    state.pop("error", None)
    if "outside" in state:  # what has come is fed again; more can come where there is NATS
        state["outside"] |= {"external": state["outside"]["external"] and scenario.host != "memory"}
    return _carry_out(scenario, folder, state, _How(show, nats, address, (), report))


def _refuse_changes(folder: Path, scenario: Scenario, state: dict[str, Any]) -> None:
    """A run cannot be finished by other versions, weights, policies or kinds of CPU than began it."""
    now = _decisive(scenario)
    then = {what: state.get(what, {}) for what in now}
    names = [name for what in now for name in sorted({*now[what], *then[what]}) if now[what].get(name) != then[what].get(name)]
    if names:
        raise BadInput(
            f"{folder} was begun with another {', '.join(names)}: what follows would not fit to what is there",
            f"begin it again: semcast run {folder / folders.SCENARIO_FILE}",
        )


@dataclass(frozen=True)
class _How:
    """How a run is shown, where it finds servers, what is written of it."""

    show: str
    nats: str
    address: str
    tap: tuple[str, ...]
    report: bool
    profile: bool = False


def attempt(folder: Path, what: str, work: Callable[[], None]) -> Outcome:
    """Do the work of a run (or study: ``what``), and tell how it went; what went wrong is in the folder's log."""
    try:
        work()
    except KeyboardInterrupt:
        _log.warning("interrupted")
        return Outcome(folder, "interrupted")
    except SemcastError as error:
        _log.error("failed: %s", error)
        return Outcome(folder, "failed", error)
    except Exception as error:
        _log.error("failed:\n%s", traceback.format_exc())
        failed = RunFailed(f"the {what} failed: {type(error).__name__}: {error}", f"see {folder / folders.LOG_FILE}")
        failed.__cause__ = error
        return Outcome(folder, "failed", failed)
    return Outcome(folder, "ok")


def _carry_out(scenario: Scenario, folder: Path, state: dict[str, Any], how: _How) -> Outcome:
    """Run what is in a folder, or the rest of it; whatever happens, the folder tells."""
    with folders.held(folder), folders.log_file(folder), _losses_told(how.show != "none"):
        folders.write_run(folder, state)
        outcome = attempt(folder, "run", lambda: _run_and_reduce(scenario, folder, state, how))
        if outcome.error:
            state["error"] = str(outcome.error)
        state["status"] = outcome.status
        try:
            folders.write_run(folder, state)
        except OSError as error:  # the disk is full: what went wrong first is what counts
            _log.error("%s cannot be written: %s", folders.RUN_FILE, error)
            hint = f"make room, then: semcast run --resume {folder}"
            return Outcome(folder, "failed", outcome.error or RunFailed(f"{folder / folders.RUN_FILE}: {error}", hint))
        if outcome.status == "ok":
            Checkpoints(folder).remove()
    return outcome


def _run_and_reduce(scenario: Scenario, folder: Path, state: dict[str, Any], how: _How) -> None:
    settings = network_settings(scenario)
    check_models(scenario, settings)
    request = RunRequest(
        run=str(state["run"]),
        folder=str(folder),
        settings=settings,
        models=scenario.models.profile,
        hub=hub_settings(scenario),
        device=scenario.models.device,
        batch=scenario.models.batch,
        placement=scenario.cluster.placement,
        gpus_per_worker=scenario.cluster.gpus_per_worker,
        host=scenario.host,
        workers=int(state["workers"]),
        exchange=scenario.exchange,
        nats=how.nats,
        address=how.address,
        tap=how.tap,
        metadata=_metadata(scenario, state),
        profile=how.profile,
        **state.get("outside", {}),
    )
    started_s, before_s = time.monotonic(), float(state.get("run_wall_s", 0.0))
    with display(how.show, scenario.name, scenario.traffic.duration_s) as shown:
        answer = _simulate(folder, state, request, shown)
        if state["recoveries"] or state.get("resumed"):
            shown.note("checking the trace")
            _refuse_holes(folder, answer.digest)
        finish(folder, scenario, settings, state, how.report, shown.note)
    state["wall_s"] = round(before_s + time.monotonic() - started_s, 3)


def _simulate(folder: Path, state: dict[str, Any], request: RunRequest, shown: Display) -> RunReport:
    """Let the host run the network, and put what it reports into ``state``."""
    shown.note(f"starting {'Ray' if request.host == 'ray' else 'the network'}")
    started_s, before_s = time.monotonic(), float(state.get("run_wall_s", 0.0))
    watch = Watch(folder, state, shown)
    try:
        answer = host(request, watch)
    finally:
        state["run_wall_s"] = round(before_s + time.monotonic() - started_s, 3)
    watch.end(answer)
    state |= {"digest": answer.digest, "sim_s": answer.sim_s, "windows": answer.windows, "events": answer.events}
    state |= {"rejected": answer.rejected, "recoveries": int(state.get("recoveries", 0)) + answer.recoveries}
    state["trace"] = trace_files(folder)
    if request.profile:
        state["profile"] = {"workers": answer.seconds}
    folders.write_run(folder, state)
    _log.info("digest %s after %d windows, %d events", answer.digest, answer.windows, answer.events)
    return answer


def _refuse_holes(folder: Path, digest: str) -> None:
    """After something was lost and made anew, see that the trace is that of the digest before anybody believes it.

    Raises:
        RunFailed: It is not.
    """
    checked = check_trace(folder, Codec(PAYLOADS))
    if checked.problems or checked.digest != digest:
        what = "; ".join(checked.problems[:3]) or f"its digest is {checked.digest}, not {digest}"
        raise RunFailed(f"the trace is not whole after what was lost: {what}", "begin it again, and please report this")


def trace_files(folder: Path) -> dict[str, str]:
    """Names of the trace's segments, each with its checksum; those that a worker made anew has superseded are removed."""
    counting, superseded = segments(folder / folders.TRACE_FOLDER)
    for path in superseded:
        path.unlink(missing_ok=True)
    return checksums(counting)


def check_models(scenario: Scenario, settings: NetworkSettings) -> None:
    """See that all weights and packages are there before anything is started.

    Raises:
        Missing: A model that agents ask, or a judge, has no card or checkpoint; or what tracks clips or writes files is missing.
    """
    from ..agents.models.cards import read_card
    from ..agents.models.codecs.classical import FORMATS, check_format
    from ..agents.models.hub.models import check_judge
    from ..agents.models.loading import WEIGHTS, load_models

    check_tracking(scenario)
    if scenario.scheme in FILES and scenario.models.file_codec in FORMATS:
        check_format(scenario.models.file_codec)
    hub = hub_settings(scenario)
    load_models(scenario.models.profile, asked(settings), hub=hub)
    if scenario.models.profile == "hub":
        check_judge(hub)
    for folder, recipe in folders.JUDGES.items():
        read_card(WEIGHTS / folder, recipe=recipe)


def host(request: RunRequest, on_progress: Callable[[Progress], None]) -> RunReport:
    """Let the requested host run the network."""
    from ..agents import hosting

    return hosting.run(request, on_progress)


def finish(
    folder: Path,
    scenario: Scenario,
    settings: NetworkSettings,
    state: dict[str, Any],
    report: bool = True,
    note: Callable[[str], None] = lambda text: None,
) -> None:
    """Reduce the trace of a run folder to rows and results, put these into ``state``, and write figures and report.

    ``note``: told what comes next.
    """
    from .metrics.reduction import reduce_run
    from .metrics.summary import results
    from .metrics.table import write_rows

    phases_s: Seconds = state.setdefault("phases_s", {})
    note("reading the trace")
    with lap(phases_s, "metrics"):
        reduction = reduce_run(folder, settings, _features(scenario))
        write_rows(folder / folders.ROWS_FILE, reduction.rows)
        state["requests"] = len(reduction.rows)
        state["results"] = results(reduction)
    folders.write_run(folder, state)
    if report:
        from .report.page import write_report

        note("writing the report")
        with lap(phases_s, "report"):
            write_report(folder, reduction, state)


def _features(scenario: Scenario) -> "Features | None":
    """The published CLIP that judges alignments, where the scenario names one."""
    hub = hub_settings(scenario)
    if scenario.models.profile != "hub" or not hub.judge:
        return None
    from ..agents.models.hub.judge import published_judge

    return published_judge(hub)


def _first_state(scenario: Scenario, command: str) -> dict[str, Any]:
    return {
        "status": "running",
        "run": f"{scenario.name}-{secrets.token_hex(4)}",
        "digest": "",
        "seed": scenario.seed,
        "scenario": scenario.name,
        "title": scenario.title,
        "scheme": scenario.scheme,
        "host": scenario.host,
        "workers": worker_count(scenario.host, scenario.workers),
        "exchange": scenario.exchange,
        "models": scenario.models.profile,
        "wall_s": 0.0,
        "sim_s": 0.0,
        "requests": 0,
        "policies": {policy.kind: getattr(scenario.policies, policy.kind) for policy in policies(scenario)},
        **_decisive(scenario),
        "command": command,
        "results": {},
    }


def _decisive(scenario: Scenario) -> dict[str, dict[str, str]]:
    """What decides a run's results besides its scenario and seed."""
    return {
        "versions": folders.versions(),
        "weights": folders.weights(scenario.models.profile, hub_settings(scenario)),
        "fingerprints": _fingerprints(scenario),
        "machine": {"kind of CPU": cpu_kind(scenario.models.device)},
    }


def _fingerprints(scenario: Scenario) -> dict[str, str]:
    """Hashes of what a scenario names by where it lies."""
    from ..policies.registry import fingerprint

    found = {f"{policy.kind} policy {policy.target}": fingerprint(policy) for policy in policies(scenario)}
    if scenario.traffic.images:
        found[f"pictures {scenario.traffic.images}"] = Album(scenario.traffic.images).fingerprint()
    return found


def _metadata(scenario: Scenario, state: dict[str, Any]) -> dict[str, str]:
    from ..policies.registry import fingerprint

    data = {"scenario": dumps(scenario), "seed": str(scenario.seed)}
    data |= {f"version.{name}": version for name, version in state["versions"].items()}
    data |= {f"weights.{role}": sha256 for role, sha256 in state["weights"].items()}
    return data | {f"policy.{policy.kind}": f"{policy.target} {fingerprint(policy)}" for policy in policies(scenario)}


class _Teller(logging.Handler):
    """Says what was logged on whatever stderr is at that moment, as a live display may stand before it."""

    def emit(self, record: logging.LogRecord) -> None:
        """See ``logging.Handler``."""
        sys.stderr.write(f"semcast: {record.getMessage()}\n")


@contextmanager
def _losses_told(really: bool) -> Iterator[None]:
    """What is lost and made anew is said at once."""
    teller, logger = _Teller(logging.WARNING), logging.getLogger(recovery.__name__)
    if really:
        logger.addHandler(teller)
    try:
        yield
    finally:
        logger.removeHandler(teller)
