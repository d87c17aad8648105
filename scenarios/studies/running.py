"""Running a study: its folder, its arms (ordinary runs below ``arms/``), what its module finds in them, and the report.

The folder is true at every moment: ``run.json`` says how far it is, arms that have ended well are kept, and the same command with
``--resume`` does the rest.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from ...agents.request import worker_count
from ...bus.errors import BadInput, RunFailed
from .. import folder as folders
from ..loading import dumps
from ..runner import Outcome, attempt
from ..schema import Scenario
from .findings import Findings
from .reading import Plan, load_study
from .side_by_side import run_arms
from .study import Arm, Study

ARMS_FOLDER, FINDINGS_FILE, NUMBERS_FILE = "arms", "study.json", "numbers.parquet"
TOLD_EVERY_S = 2.0
Tell = Callable[[str], None]


def run_study(
    plan: Plan,
    *,
    out: str = "",
    command: str = "",
    quick: bool = False,
    show: str = "none",
    host: str = "memory",
    jobs: int = 0,
    changed: Sequence[str] = (),
) -> Outcome:
    """Run a study and write its folder.

    Args:
        plan: A checked study.
        out: Folder to write; default ``runs/<name>-<number>``.
        command: The command line, for the report.
        quick: Whether it is the short form (the module may ask for less then).
        show: ``none`` says nothing; everything else a line on stderr every two seconds.
        host: Where arms run; results do not depend on it. On ``memory`` several run at once.
        jobs: How many at once; 0: one a core.
        changed: What differs from the file, as on the command line; the page says so.

    Returns:
        The folder and how it went.
    """
    folder = folders.make(plan.file.name, out)
    folders.write_text(folder / folders.SCENARIO_FILE, plan.text())
    state: dict[str, Any] = {
        "status": "running",
        "digest": "",
        "seed": plan.file.seed,
        "scenario": plan.file.name,
        "study": plan.file.study,
        "title": plan.file.title,
        "scheme": ",".join(dict.fromkeys(scenario.scheme for scenario in plan.arms.values())),
        "host": host,
        "workers": 1,
        "quick": quick,
        "changed": list(changed),
        "wall_s": 0.0,
        "sim_s": 0.0,
        "requests": 0,
        "policies": {},
        "versions": folders.versions(),
        "command": command,
        "results": {},
    }
    return _carry_out(plan, folder, state, show, host, jobs)


def resume_study(folder: Path, *, show: str = "none", host: str = "memory", jobs: int = 0) -> Outcome:
    """Go on with a study that was cut off: arms that have ended well are kept.

    Raises:
        BadInput: It has ended well, or still goes on.
    """
    state = folders.read_run(folder)
    if state.get("status") == "ok":
        raise BadInput(f"{folder} has ended well: there is nothing to resume", f"look at it: {folder / folders.REPORT_FILE}")
    if state.get("versions") != folders.versions():
        raise BadInput(f"{folder} was begun with other versions of what it depends on", f"begin it again: semcast run {folder}")
    state.pop("error", None)
    return _carry_out(load_study(str(folder)), folder, state | {"status": "running"}, show, host, jobs)


def report_study(folder: Path, state: dict[str, Any]) -> None:
    """Read again what the arms of a study measured, and write its findings and page anew.

    Raises:
        BadInput: Not all of its arms have ended well.
    """
    plan = load_study(str(folder))
    arms = {name: Arm(name, folder / ARMS_FOLDER / name) for name in plan.arms}
    if missing := [name for name, scenario in plan.arms.items() if not _finished(arms[name], scenario)]:
        raise BadInput(f"{folder}: not finished: {', '.join(missing)}", f"semcast run --resume {folder}")
    with folders.held(folder), folders.log_file(folder):
        findings = _find(plan, folder, arms, bool(state["quick"]), _teller(""))
        _keep(folder, findings, arms, state)
        folders.write_run(folder, state)
        _write_report(folder, findings, state, arms)


def _carry_out(plan: Plan, folder: Path, state: dict[str, Any], show: str, host: str, jobs: int) -> Outcome:
    started_s, before_s, tell = time.monotonic(), float(state["wall_s"]), _teller(show)

    def wall_s() -> float:
        return round(before_s + time.monotonic() - started_s, 3)

    def work() -> None:
        arms = _run_arms(plan, folder, tell, host, jobs)
        state["requests"] = sum(int(arm.run["requests"]) for arm in arms.values())
        state["sim_s"] = round(sum(float(arm.run["sim_s"]) for arm in arms.values()), 6)
        findings = _find(plan, folder, arms, bool(state["quick"]), tell)
        _keep(folder, findings, arms, state)
        state["wall_s"] = wall_s()
        folders.write_run(folder, state)
        tell("writing the report")
        _write_report(folder, findings, state, arms)

    with folders.held(folder), folders.log_file(folder):
        folders.write_run(folder, state)
        outcome = attempt(folder, "study", work)
        if outcome.status == "interrupted":
            tell("interrupted: what had ended is kept")
        if outcome.error:
            state["error"] = str(outcome.error)
        state |= {"status": outcome.status, "wall_s": wall_s()}
        folders.write_run(folder, state)
    return outcome


# --- arms ------------------------------------------------------------------------------------------------------------


def _run_arms(plan: Plan, folder: Path, tell: Tell, host: str, jobs: int) -> dict[str, Arm]:
    """Run what is not finished, in the order of the file.

    Raises:
        RunFailed: An arm failed; those that had ended are kept.
        KeyboardInterrupt: It was interrupted, likewise.
    """
    arms = {name: Arm(name, folder / ARMS_FOLDER / name) for name in plan.arms}
    missing = {name: scenario for name, scenario in plan.arms.items() if not _finished(arms[name], scenario)}
    for name in missing:
        _remove(arms[name].folder)
    together = 1 if host != "memory" else jobs or worker_count("nats", 0)
    texts = {name: dumps(scenario.model_copy(update={"host": host})) for name, scenario in missing.items()}
    done, started_s = len(arms) - len(missing), time.monotonic()

    def told(under_way: list[str]) -> None:
        doing = ", ".join(f"{name}{_how_far(arms[name], plan.arms[name])}" for name in under_way)
        tell(f"{time.monotonic() - started_s:4.0f} s  arms {done}/{len(arms)} done" + (f", under way: {doing}" if doing else ""))

    work = {name: (text, arms[name].folder) for name, text in texts.items()}
    with closing(run_arms(work, together, TOLD_EVERY_S, told)) as ended:
        for name, status, message, hint in ended:
            if status == "interrupted":
                raise KeyboardInterrupt
            if status != "ok":
                raise RunFailed(f"arm {name}: {message}", hint or f"see {arms[name].folder / folders.LOG_FILE}")
            done += 1
    return arms


def _how_far(arm: Arm, scenario: Scenario) -> str:
    """How much of its simulated time an arm has behind it."""
    try:
        sim_s = float(folders.read_run(arm.folder).get("sim_s", 0.0))
    except (BadInput, ValueError):
        return " (starting)"
    duration_s = scenario.traffic.duration_s
    if sim_s >= duration_s:
        return " (finishing)"
    return f" ({sim_s:.0f} of {duration_s:g} simulated s)" if sim_s else " (starting)"


def _finished(arm: Arm, scenario: Scenario) -> bool:
    """Whether the folder of an arm holds a run of this scenario that ended well."""
    try:
        before = (arm.folder / folders.SCENARIO_FILE).read_text(encoding="utf-8")
        ended = folders.read_run(arm.folder).get("status") == "ok"
    except (OSError, BadInput):
        return False
    return ended and any(before == dumps(scenario.model_copy(update={"host": host})) for host in ("memory", "nats", "ray"))


def _remove(folder: Path) -> None:
    import shutil

    if folder.exists():
        shutil.rmtree(folder)


# --- findings --------------------------------------------------------------------------------------------------------


def _find(plan: Plan, folder: Path, arms: dict[str, Arm], quick: bool, tell: Tell) -> Findings:
    figures = folder / folders.FIGURES_FOLDER
    figures.mkdir(exist_ok=True)
    last_s = [0.0]

    def progress(done: int, number: int, what: str) -> None:
        if time.monotonic() - last_s[0] >= TOLD_EVERY_S:
            last_s[0] = time.monotonic()
            tell(f"{done}/{number} {what}")

    images = Path(plan.file.images) if plan.file.images else None
    tell("reading what the arms measured" if arms else "measuring")
    return plan.module.find(Study(plan.file.name, plan.file.seed, plan.options, arms, figures, images, quick, progress))


def _keep(folder: Path, findings: Findings, arms: dict[str, Arm], state: dict[str, Any]) -> None:
    """Write ``study.json`` and ``numbers.parquet``; the digest is that of the arms and of what was found."""
    found = content(findings) | {"arms": {name: arm.run["digest"] for name, arm in arms.items()}, "seed": state["seed"]}
    text = json.dumps(found, indent=1, allow_nan=False) + "\n"
    folders.write_text(folder / FINDINGS_FILE, text)
    _write_numbers(folder / NUMBERS_FILE, findings)
    state["digest"] = blake2b(text.encode(), digest_size=16).hexdigest()
    results = {f"{number.arm}.{number.name}": number.value for number in findings.numbers if not number.at}
    verdicts = [claim.verdict for claim in findings.claims]
    counts = {f"claims_{verdict.replace(' ', '_')}": verdicts.count(verdict) for verdict in ("holds", "fails", "not certain")}
    state["results"] = {name: value for name, value in (counts | results).items() if value == value}
    state["claims"] = {claim.name: claim.verdict for claim in findings.claims}


def content(findings: Findings) -> dict[str, Any]:
    """What of findings goes into ``study.json``: numbers, claims with verdicts, tables, words; no number is null."""
    told: dict[str, Any] = json.loads(msgspec.json.encode(_without_pictures(findings)))
    for claim, written in zip(findings.claims, told["claims"], strict=True):
        written["verdict"] = claim.verdict
    return told


def _without_pictures(findings: Findings) -> Findings:
    bare = [msgspec.structs.replace(gallery, rows=[(name, []) for name, _ in gallery.rows]) for gallery in findings.galleries]
    return msgspec.structs.replace(findings, galleries=bare)


def _write_numbers(path: Path, findings: Findings) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    places = sorted({place for number in findings.numbers for place in number.at})
    columns: dict[str, Any] = {
        name: pa.array([getattr(number, name) for number in findings.numbers], kind)
        for name, kind in (
            ("name", pa.string()),
            ("arm", pa.string()),
            ("value", pa.float64()),
            ("low", pa.float64()),
            ("high", pa.float64()),
            ("n", pa.int64()),
        )
    }
    for place in places:
        columns[place] = pa.array([number.at.get(place) for number in findings.numbers], pa.float64())
    part = path.with_name(path.name + ".part")
    pq.write_table(pa.table(columns), part)
    part.replace(path)


def _write_report(folder: Path, findings: Findings, state: dict[str, Any], arms: dict[str, Arm]) -> None:
    from ..report.study_page import write_study_report

    write_study_report(folder, findings, state, {name: arm.run for name, arm in arms.items()})


# --- what it says ----------------------------------------------------------------------------------------------------


def _teller(show: str) -> Tell:
    if show == "none":
        return lambda text: None

    def tell(text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    return tell
