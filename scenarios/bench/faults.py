"""``semcast bench faults``: workers, servers, nodes, drivers are killed or stopped; every run ends as an undisturbed one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from ...bus.errors import RunFailed
from .harming.cluster import joined
from .harming.schedule import Schedule, schedule
from .harming.trial import Trial, carry_out, reference
from .turns import Result

OPTIONS = ("schedules", "only", "seed")


def run(
    schedules: int = 200,
    only: Sequence[int] | None = None,
    seed: int = 1,
    progress: Callable[[str], None] = lambda text: None,
) -> Result:
    """Carry out many schedules of faults, or chosen ones.

    Args:
        schedules: How many.
        only: Numbers of those to carry out instead; number and seed name a schedule.
        seed: Of what is drawn.
        progress: Told what comes next.

    Returns:
        A row for each host and fault: in how many schedules it happened (``value``, ``unit``), the share of these that ended as
        the undisturbed run (``ratio``, ``against``), and how often something was made anew (``workload``); last, all of them.

    Raises:
        RunFailed: A run ended with another digest, lost or repeated a record, handled a message twice, left a process behind, or
            did not end. Its folder is kept.
    """
    work = Path(tempfile.mkdtemp(prefix="semcast-faults-"))
    chosen = [schedule(seed, number) for number in only or range(schedules)]
    trials = list(campaign(chosen, work, progress))
    if wrong := [trial for trial in trials if trial.problem]:
        numbers = " ".join(f"--only {trial.number}" for trial in wrong)
        told = "; ".join(f"schedule {trial.number} ({', '.join(trial.faults)}): {trial.problem}" for trial in wrong)
        raise RunFailed(
            f"{len(wrong)} of {len(trials)} schedules: {told}; see {work}", f"semcast bench faults --seed {seed} {numbers}"
        )
    shutil.rmtree(work)
    return _rows(trials)


def campaign(chosen: Sequence[Schedule], work: Path, progress: Callable[[str], None]) -> Iterator[Trial]:
    """Carry out schedules; those for Ray come last, in one cluster of several nodes.

    Args:
        chosen: What to do.
        work: Runs are made there; those that went wrong stay.
        progress: Told what comes next.

    Yields:
        What came of each.
    """
    progress(f"an undisturbed run; {len(chosen)} schedules follow")
    expected = reference(work / "reference")
    recoveries = wrong = 0
    with ExitStack() as stack:
        cluster = None
        for count, each in enumerate(sorted(chosen, key=lambda one: (one.host == "ray", one.number))):
            if each.host == "ray" and cluster is None:
                cluster = stack.enter_context(joined())
            so_far = (
                f"{count} of {len(chosen)} done, {recoveries} recoveries, {f'{wrong} WRONG' if wrong else 'all digests equal'}"
            )
            progress(f"schedule {each.number} ({each.host}: {', '.join(each.names)}; {so_far})")
            place = work / f"{each.number:04d}"
            trial = carry_out(each, expected, place, cluster)
            recoveries, wrong = recoveries + trial.recoveries, wrong + bool(trial.problem)
            if not trial.problem:
                shutil.rmtree(place)
            yield trial
    shutil.rmtree(work / "reference")


def _rows(trials: Sequence[Trial]) -> Result:
    results: Result = {}
    for host in sorted({trial.host for trial in trials}):
        for fault in sorted({name for trial in trials if trial.host == host for name in trial.faults}):
            results[f"{host}: {fault}"] = _row([trial for trial in trials if trial.host == host and fault in trial.faults])
    return results | {"all": _row(trials)}


def _row(trials: Sequence[Trial]) -> dict[str, float | str]:
    return {
        "value": len(trials),
        "unit": "schedules",
        "ratio": sum(not trial.problem for trial in trials) / len(trials),
        "against": "the undisturbed run",
        "workload": f"{sum(trial.recoveries for trial in trials)} recoveries in {sum(trial.wall_s for trial in trials):.0f} s",
    }
