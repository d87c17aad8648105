"""Many schedules, one after the other."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec

from .cluster import joined
from .schedule import schedule
from .trial import Trial, carry_out, reference

SCHEDULES = 200


def campaign(
    numbers: Iterable[int], progress: Callable[[str], None], *, seed: int = 1, folder: Path | None = None
) -> Iterator[Trial]:
    """Carry out schedules; those for Ray come last, in one cluster.

    Args:
        numbers: Of the schedules.
        progress: Told a line about each.
        seed: Of the draws.
        folder: Runs are made there; those that went wrong stay. Default: a new temporary folder.

    Yields:
        What came of each.
    """
    work = Path(tempfile.mkdtemp(prefix="semcast-faults-")) if folder is None else folder
    all_of_them = sorted((schedule(seed, number) for number in numbers), key=lambda each: (each.host == "ray", each.number))
    progress(f"measuring an undisturbed run ({len(all_of_them)} schedules follow, runs in {work}) ...")
    expected = reference(work / "reference")
    with ExitStack() as stack:
        cluster = None
        for each in all_of_them:
            if each.host == "ray" and cluster is None:
                cluster = stack.enter_context(joined())
            place = work / f"{each.number:04d}"
            trial = carry_out(each, expected, place, cluster)
            if not trial.problem:
                shutil.rmtree(place)
            progress(said(trial))
            yield trial
    shutil.rmtree(work / "reference")


def said(trial: Trial) -> str:
    """A line about a trial."""
    how = trial.problem or "digest equal"
    missed = f", {trial.missed} came too late" if trial.missed else ""
    faults = ", ".join(trial.faults) or "none"
    return f"{trial.number:4d} {trial.host:4s} {trial.wall_s:5.1f} s  {trial.recoveries} recoveries  {faults}{missed}: {how}"


def summary(trials: list[Trial]) -> dict[str, object]:
    """Counts by host and fault, and what failed."""
    wrong = [trial for trial in trials if trial.problem]
    return {
        "schedules": len(trials),
        "failed": [trial.number for trial in wrong],
        "recoveries": sum(trial.recoveries for trial in trials),
        "wall_s": round(sum(trial.wall_s for trial in trials), 1),
        "faults": {
            host: dict(sorted(Counter(name for t in trials if t.host == host for name in t.faults).items()))
            for host in ("nats", "ray")
        },
        "missed": sum(trial.missed for trial in trials),
        "trials": msgspec.to_builtins(trials),
    }
