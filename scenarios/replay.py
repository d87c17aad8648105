"""Replay: a finished run is checked against its own trace and, run again, against what it does now."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..agents.participants import recorded as from_outside
from ..bus.divergence import first_divergence
from ..bus.errors import RunFailed
from ..bus.trace_reading import TraceReader
from ..bus.verification import TraceCheck, check_trace
from . import folder as folders
from .loading import load
from .replaying.recorded import ended_well, refuse_newer
from .runner import run

CPU = "cpu"
"""Name in a trace's metadata of the kind of CPU that the models ran on (`agents.models.cpu`)."""


@dataclass(frozen=True)
class Verified:
    """A run that is what its trace says, and does it again.

    Attributes:
        digest: Of both.
        records: Of the trace.
        check_s: Wall time of checking the trace.
        again_s: Wall time of running again.
        models: ``computed`` again, or ``recorded``: taken from the trace.
        cpu: Kinds of CPU that the models ran on then; empty where the trace does not tell.
        cpu_now: That of this machine.
    """

    digest: str
    records: int
    check_s: float
    again_s: float
    models: str
    cpu: tuple[str, ...]
    cpu_now: str


def verify(recorded: Path, again: Path, host: str = "memory", show: str = "none", *, recorded_models: bool = False) -> Verified:
    """Check every hash chain of a run's trace, then run its scenario again and compare, results and rows included.

    What came from outside comes again from the trace.
    On another kind of CPU than the run's, models' results would differ in their last bits: they are taken from the trace there.

    Args:
        recorded: Folder of a run that ended well.
        again: Empty folder for the second run.
        host: Of the second run; digests do not depend on it.
        show: Progress of the second run, as ``runner.run``.
        recorded_models: Take models' results from the trace on an equal CPU, too.

    Raises:
        BadInput: No run folder, a run that did not end well, or one of a newer semcast.
        RunFailed: The trace is damaged, its digest is not the recorded one, or the second run differs; the first difference
            is named: window, agent, field.
    """
    from ..agents.models.cpu import cpu_kind

    state = ended_well(recorded)
    reader = TraceReader(recorded)
    refuse_newer(recorded, reader)
    started_s = time.monotonic()
    files = state.get("trace")
    checked = check_trace(recorded, expected=files if isinstance(files, dict) else None)
    _refuse(recorded, checked, str(state.get("digest")))
    check_s, started_s = time.monotonic() - started_s, time.monotonic()
    scenario = load(str(recorded), overrides={"host": host})
    cpu, cpu_now = reader.told(CPU), cpu_kind(scenario.models.device)
    take = recorded_models or any(kind != cpu_now for kind in cpu)
    results = str(recorded.resolve()) if take else ""  # workers may live in another folder
    exogenous = str(recorded.resolve()) if from_outside(recorded) else ""
    outcome = run(scenario, out=str(again), show=show, report=False, exogenous=exogenous, recorded=results)
    if outcome.error is not None:
        raise outcome.error
    if outcome.status != "ok":
        raise KeyboardInterrupt
    changed = ""
    if reader.metadata.get("scenario") != (recorded / folders.SCENARIO_FILE).read_text(encoding="utf-8"):
        changed = f"{recorded / folders.SCENARIO_FILE} is not what was run"
    if folders.read_run(again)["digest"] != checked.digest:
        otherwise = f"{recorded} does otherwise when run again: {first_divergence(recorded, again)}"
        raise RunFailed(otherwise, changed or cause(state, again))
    if changed:
        raise RunFailed(changed, "what was run is in the metadata of the trace")
    if all(kind == cpu_now for kind in cpu):  # the judges' results depend on it, too
        _refuse_other_results(recorded, state, again)
    again_s = round(time.monotonic() - started_s, 3)
    return Verified(checked.digest, checked.records, round(check_s, 3), again_s, "recorded" if take else "computed", cpu, cpu_now)


def _refuse_other_results(recorded: Path, state: Mapping[str, Any], again: Path) -> None:
    """What a run folder says of its run must be what its trace gives."""
    then, now = state.get("results", {}), folders.read_run(again)["results"]
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    other = [f"{name} {then.get(name)}, the trace gives {now.get(name)}" for name in names]
    if other:
        raise RunFailed(f"{recorded / folders.RUN_FILE}: {'; '.join(other[:3])}", f"made anew: semcast report {recorded}")
    if _rows(recorded) != _rows(again):
        raise RunFailed(f"{recorded / folders.ROWS_FILE} is not what the trace gives", f"made anew: semcast report {recorded}")


def _rows(run: Path) -> str:
    """All rows as text, in which not-a-number equals itself; empty where they cannot be read."""
    import pyarrow.parquet as pq

    try:
        return str(pq.read_table(run / folders.ROWS_FILE).to_pylist())
    except (OSError, ValueError):
        return ""


def _refuse(recorded: Path, checked: TraceCheck, digest: str) -> None:
    problems = list(checked.problems)
    if checked.digest and checked.digest != digest:
        problems.append(f"the digest of its chains is {checked.digest}, and {folders.RUN_FILE} says {digest}")
    if problems:
        listed = "".join(f"\n  - {problem}" for problem in problems)
        raise RunFailed(
            f"{recorded} is not what was written:{listed}",
            f"keep what can be read: semcast trace {recorded} --repair; or run {recorded / folders.SCENARIO_FILE} again",
        )


def cause(state: Mapping[str, Any], again: Path) -> str:
    """Which versions, weights or policies differ from those of the recorded run."""
    now = folders.read_run(again)
    changed = [
        f"{name} {state.get(group, {}).get(name, 'none')} then, {now.get(group, {}).get(name, 'none')} now"
        for group in ("versions", "weights", "fingerprints")
        for name in sorted({*state.get(group, {}), *now.get(group, {})})
        if state.get(group, {}).get(name) != now.get(group, {}).get(name)
    ]
    same = (
        "versions, weights and policies are the same: what the models run on may have changed "
        "(--recorded-models takes their results from the trace)"
    )
    return "what changed: " + ("; ".join(changed) or same)
