"""Replay: a finished run is checked against its own trace and, run again, against what it does now."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..bus.divergence import first_divergence
from ..bus.errors import BadInput, RunFailed
from ..bus.verification import TraceCheck, check_trace
from . import folder as folders
from .loading import load
from .runner import run


@dataclass(frozen=True)
class Verified:
    """A run that is what its trace says, and does it again.

    Attributes:
        digest: Of both.
        records: Of the trace.
        check_s: Wall time of checking the trace.
        again_s: Wall time of running again.
    """

    digest: str
    records: int
    check_s: float
    again_s: float


def verify(recorded: Path, again: Path, host: str = "memory", show: str = "none") -> Verified:
    """Check every hash chain of a run's trace, then run its scenario again and compare.

    Left out: on another kind of CPU the models' results may differ in their last bits; then the first model result that does
    is what is named.

    Args:
        recorded: Folder of a run that ended well.
        again: Empty folder for the second run.
        host: Of the second run; digests do not depend on it.
        show: Progress of the second run, as ``runner.run``.

    Raises:
        BadInput: No run folder, or a run that did not end well.
        RunFailed: The trace is damaged, its digest is not the recorded one, or the second run differs; the first difference
            is named: window, agent, field.
    """
    state = folders.read_run(recorded)
    if state.get("status") != "ok":
        raise BadInput(f"{recorded}: its status is {state.get('status')!r}", "only a run that ended well can be verified")
    started_s = time.monotonic()
    checked = check_trace(recorded)
    _refuse(recorded, checked, str(state.get("digest")))
    check_s, started_s = time.monotonic() - started_s, time.monotonic()
    scenario = load(str(recorded), overrides={"host": host})
    outcome = run(scenario, out=str(again), show=show, report=False)
    if outcome.error is not None:
        raise outcome.error
    if outcome.status != "ok":
        raise KeyboardInterrupt
    if folders.read_run(again)["digest"] != checked.digest:
        raise RunFailed(f"{recorded} does otherwise when run again: {first_divergence(recorded, again)}", cause(state, again))
    return Verified(checked.digest, checked.records, round(check_s, 3), round(time.monotonic() - started_s, 3))


def _refuse(recorded: Path, checked: TraceCheck, digest: str) -> None:
    problems = list(checked.problems)
    if checked.digest and checked.digest != digest:
        problems.append(f"the digest of its chains is {checked.digest}, and {folders.RUN_FILE} says {digest}")
    if problems:
        listed = "".join(f"\n  - {problem}" for problem in problems)
        raise RunFailed(f"{recorded} is not what was written:{listed}", "the run can be made again from its scenario.toml")


def cause(state: Mapping[str, Any], again: Path) -> str:
    """Which versions or weights differ from those of the recorded run."""
    now = folders.read_run(again)
    changed = [
        f"{name} {state.get(group, {}).get(name, 'none')} then, {now[group].get(name, 'none')} now"
        for group in ("versions", "weights")
        for name in sorted({*state.get(group, {}), *now[group]})
        if state.get(group, {}).get(name) != now[group].get(name)
    ]
    same = "versions and weights are the same: policies by path may have changed, or the kind of CPU"
    return "what changed: " + ("; ".join(changed) or same)
