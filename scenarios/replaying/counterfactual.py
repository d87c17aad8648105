"""A finished run decided anew: the same users take the same pictures at the same times, another policy, scheme or model acts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ...bus.envelope import EXOGENOUS
from ...bus.errors import RunFailed
from ...bus.records import Capture, Shown
from ...bus.trace_reading import TraceRecord
from ..comparison.cells import Cell, outcome_of
from ..comparison.objectives import OBJECTIVES, SCHEMES, TEXTS, Objective, with_derived
from ..comparison.rows import difference_rows, metrics_of
from ..comparison.statistics import Paired, Resamples, paired
from ..metrics.group import captures
from ..replay import cause
from ..runner import run
from ..schema import Scenario
from .recorded import ended_well, read

BEFORE, NOW = "recorded", "now"
TOTALS = (
    "told_bits",
    "prompt_bits",
    "knowledge_bits",
    "symbols_up",
    "symbols_down",
    "symbols_total",
    "symbols_picture",
    "joules",
)
"""Columns whose sums over all requests mean something."""


@dataclass(frozen=True)
class Pictures:
    """One request: raw RGB as sent, as shown in the recorded run and as shown now; None where nothing was shown."""

    sent: bytes
    before: bytes | None
    now: bytes | None


@dataclass(frozen=True)
class Counterfactual:
    """What another choice would have made of a run.

    Attributes:
        answer: The content of ``counterfactual.json``. Its ``open_loop``: requests that were asked for from outside.
        objective: What the first changed kind of policy is judged by.
        pictures: By request, as rows name them.
    """

    answer: dict[str, Any]
    objective: Objective
    pictures: dict[str, Pictures]


def counterfactual(
    recorded: Path, scenario: Scenario, changed: Mapping[str, tuple[str, str]], again: Path, show: str = "none"
) -> Counterfactual:
    """Run the world of a recorded run with another scenario and compare request by request.

    What came from outside comes again as it was and when it was: open loop, as nobody there knows what is otherwise now.

    Args:
        recorded: Folder of a run that ended well.
        scenario: That of the run, with the other choices.
        changed: Path in the scenario -> (value then, value now).
        again: Empty folder for the second run.
        show: Progress of the second run, as ``runner.run``.

    Raises:
        BadInput: A run that did not end well.
        RunFailed: The trace is damaged, the second run fails, or its world is another: then the first difference is named.
    """
    state = ended_well(recorded)
    then = read(recorded)
    outside = [record.envelope for record in then if record.envelope.origin == EXOGENOUS]
    outcome = run(scenario, out=str(again), show=show, report=False, exogenous=str(recorded.resolve()) if outside else "")
    if outcome.error is not None:
        raise outcome.error
    if outcome.status != "ok":
        raise KeyboardInterrupt
    now = read(again)
    same = _same_world(recorded, again, then, now)
    cells = [Cell(BEFORE, scenario.seed, **outcome_of(recorded)), Cell(NOW, scenario.seed, **outcome_of(again))]
    data = with_derived(paired((BEFORE, NOW), cells))
    objective = objective_of(changed, data)
    answer = {
        "run": str(recorded),
        "scenario": state.get("scenario", ""),
        "seed": scenario.seed,
        "changed": {path: list(values) for path, values in changed.items()},
        "digests": [cell.digest for cell in cells],
        "captures": same | {"what": "pictures, recipients and times that are the same in both runs"},
        "requests": len(data.seeds),
        "open_loop": [f"{envelope.source}/{envelope.payload.number}" for envelope in outside],
        "metric": objective.metric,
        "rows": rows_of(data),
        "by_request": _by_request(data, _common(*cells), objective.metric),
    }
    return Counterfactual(answer, objective, _pictures(then, now))


def objective_of(changed: Mapping[str, tuple[str, str]], data: Paired) -> Objective:
    """What the first changed kind of policy is for, if that applies to some request; else `SCHEMES`, or `TEXTS`."""
    kinds = [path.partition(".")[2] for path in changed if path.startswith("policies.")]
    wanted = OBJECTIVES.get(kinds[0], SCHEMES) if kinds else SCHEMES
    applies = [each for each in (wanted, SCHEMES, TEXTS) if np.isfinite(data.values[each.metric]).any()]
    return applies[0] if applies else SCHEMES


def rows_of(data: Paired) -> list[dict[str, Any]]:
    """One row a metric: both means, the paired difference with its interval, the unpaired interval and the ratio of both.

    Requests are resampled (one run: one seed), so that the intervals speak of this network. ``total``, with ``total_low`` and
    ``total_high``: the difference of all requests together; None where a sum means nothing.
    """
    labels = {BEFORE: BEFORE, NOW: NOW}
    rows = {(row["choice"], row["metric"]): row for row in difference_rows(data, labels, BEFORE, Resamples(data.seeds), {})}
    found = []
    for metric in metrics_of(data):
        row = rows[NOW, metric]
        summed = metric in TOTALS
        found.append(
            {"metric": metric, BEFORE: rows[BEFORE, metric]["mean"], NOW: row["mean"]}
            | {name: row[name] for name in ("difference", "low", "high", "unpaired_low", "unpaired_high", "times_narrower")}
            | {"requests": row["requests"]}
            | {
                name: row[of] * row["requests"] if summed and row[of] is not None else None
                for name, of in (("total", "difference"), ("total_low", "low"), ("total_high", "high"))
            }
        )
    return found


def _common(first: Cell, second: Cell) -> list[str]:
    """Requests of both, in the order of the first: as `paired` joins them."""
    there = set(second.requests)
    return [request for request in first.requests if request in there]


def _by_request(data: Paired, requests: Sequence[str], metric: str) -> list[dict[str, Any]]:
    """``[recorded, now]`` of every metric of each request; those that changed most in ``metric`` first."""
    names = metrics_of(data)
    change = np.nan_to_num(np.abs(data.row(NOW, metric) - data.row(BEFORE, metric)))
    order = sorted(range(len(requests)), key=lambda i: (-change[i], requests[i]))

    def value(point: str, name: str, i: int) -> float | None:
        found = float(data.row(point, name)[i])
        return found if np.isfinite(found) else None

    return [
        {"request": requests[i], "change": float(change[i])}
        | {name: [value(point, name, i) for point in (BEFORE, NOW)] for name in names}
        for i in order
    ]


def _same_world(recorded: Path, again: Path, then: Sequence[TraceRecord], now: Sequence[TraceRecord]) -> dict[str, int]:
    """Check that what users saw, for whom and when, is the same wherever both runs have it; how many there are.

    Raises:
        RunFailed: Something else was seen; the first one is named.
    """
    old, new = _captures(then), _captures(now)
    both = [request for request in old if request in new]
    for request in both:
        differing = [name for name, value in old[request].items() if value != new[request][name]]
        if differing:
            shown = (
                "" if differing[0] == "picture" else f": {old[request][differing[0]]!r} then, {new[request][differing[0]]!r} now"
            )
            raise RunFailed(
                f"{again} is another world than {recorded}: request {request} differs in {differing[0]}{shown}",
                cause(ended_well(recorded), again),
            )
    return {"same": len(both), "only_recorded": len(old) - len(both), "only_now": len(new) - len(both)}


def _captures(records: Sequence[TraceRecord]) -> dict[str, dict[str, Any]]:
    """Request -> what its user saw, for whom and when, in key order."""
    return {
        payload.request: {"t_ns": record.envelope.t_send, "sender": record.envelope.source} | msgspec.structs.asdict(payload)
        for record in records
        if isinstance(payload := record.envelope.payload, Capture)
    }


def _pictures(then: Sequence[TraceRecord], now: Sequence[TraceRecord]) -> dict[str, Pictures]:
    """By the names of rows, which requests to groups have one of for each receiver."""
    before, after = (
        {
            (payload.request, record.envelope.source): payload.picture
            for record in records
            if isinstance(payload := record.envelope.payload, Shown)
        }
        for records in (then, now)
    )
    return {
        name: Pictures(each.picture, before.get((each.request, each.recipient)), after.get((each.request, each.recipient)))
        for record in then
        if isinstance(payload := record.envelope.payload, Capture)
        for name, each in captures(payload)
    }
