"""Running the cells of a comparison: one run a point and seed, each finished one kept, so that a stopped comparison goes on.

A cell may run on any machine: a scenario goes there as text, what came out comes back as data, and the folder of the
comparison is written here.
"""

import json
import math
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...agents.ray_hosting import run_everywhere
from ...bus.errors import RunFailed
from ...policies.registry import fingerprint
from .. import folder as folders
from ..build import hub_settings, policies
from ..loading import dumps, validated
from ..schema import Scenario
from .plan import Point

CELL_FILE = "cell.json"
NO_PART_OF_A_RUN = (
    "agents/models/training",
    *(f"scenarios/{name}" for name in ("bench", "catalog", "commands", "comparison", "evaluations", "replaying", "report")),
)
"""Folders whose sources change no number of a run."""
SHARED = (("symbols_up", "uplink"), ("symbols_down", "downlink"), ("symbols_total", "air"))
"""Columns that get their share of what keeps running (CSI, pilots, control, summaries), and the result that holds it."""


@dataclass(frozen=True)
class Cell:
    """One finished run: ``values[column][request]``, every number of the rows; symbols hold their share of running overhead.

    ``results`` are the run's headline results.
    """

    point: str
    seed: int
    digest: str
    requests: tuple[str, ...]
    values: dict[str, list[float | None]]
    results: dict[str, float]


@dataclass(frozen=True)
class Job:
    """One run to do.

    ``fingerprint`` hashes the resolved scenario, the weights, the policies' source files, the versions of what is installed, and
    semcast's own sources and tables but for those that only show what came out: a cell of another one is not taken for this.
    """

    point: Point
    scenario: Scenario
    folder: Path
    fingerprint: str


def jobs(out: Path, scenarios: Sequence[tuple[Point, Scenario]]) -> list[Job]:
    """One job a point and seed; its folder is named by both."""
    weights: dict[str, str] = {}
    found = []
    for point, scenario in scenarios:
        models = repr((scenario.models.profile, hub_settings(scenario)))
        if models not in weights:
            weights[models] = repr(sorted(folders.weights(scenario.models.profile, hub_settings(scenario)).items()))
        sources = [fingerprint(policy) for policy in policies(scenario)]
        parts = (simulator(), folders.versions(), weights[models], sources, dumps(scenario))
        mark = blake2b(" ".join(map(str, parts)).encode(), digest_size=8).hexdigest()
        name = "".join(letter if letter.isalnum() or letter in "-+." else "_" for letter in point.name)
        place = f"{name[:80]}-{blake2b(point.name.encode(), digest_size=3).hexdigest()}-s{scenario.seed}"
        found.append(Job(point, scenario, out / "cells" / place, mark))
    return found


@cache
def simulator() -> str:
    """Hash of all source files that a run's numbers may depend on, whatever the version says: sources are there to be changed."""
    here = Path(__file__).resolve()
    root = here.parents[2]
    kinds = ("*.py", "*.json", "*.npz")  # the weights have a hash of their own
    folders_of_code = ("bus", "policies", "agents", "scenarios")
    files = [path for folder in folders_of_code for kind in kinds for path in sorted((root / folder).rglob(kind))]
    files = [path for path in files if not path.is_relative_to(root / "agents/models/weights")]
    hashed = blake2b(digest_size=16)
    for path in files:
        name = path.relative_to(root)
        if path == here or not any(name.is_relative_to(folder) for folder in NO_PART_OF_A_RUN):
            hashed.update(blake2b(str(name).encode() + b"\0" + path.read_bytes(), digest_size=16).digest())
    return hashed.hexdigest()


def run_all(todo: Sequence[Job], tell: Callable[[int, str, bool], None], *, processes: int = 0, address: str = "") -> list[Cell]:
    """Run what is not finished yet and return all cells in the order of the jobs.

    Args:
        todo: The jobs.
        tell: Called as ``tell(how many more are done, which, whether they were run just now)``.
        processes: How many run at once; 1 means in this process, 0 one a core.
        address: A Ray cluster to run on instead of this machine.

    Raises:
        RunFailed: A run failed; its log is named, and the finished ones are kept.
        Missing: No Ray cluster.
    """
    cells = {i: cell for i, job in enumerate(todo) if (cell := read_cell(job)) is not None}
    if cells:
        tell(len(cells), "already there", False)
    missing = [i for i in range(len(todo)) if i not in cells]
    for which, content in _run([todo[i] for i in missing], processes, address):
        job = todo[missing[which]]
        cells[missing[which]] = _keep(job, content)
        tell(1, f"{job.point.name} seed {job.scenario.seed}", True)
    return [cells[i] for i in range(len(todo))]


def _run(todo: Sequence[Job], processes: int, address: str) -> Iterator[tuple[int, dict[str, Any]]]:
    if not todo:
        return
    texts = [dumps(job.scenario) for job in todo]
    with closing(run_everywhere(simulate, texts, jobs=processes, address=address)) as answers:
        yield from answers


def simulate(text: str) -> dict[str, Any]:
    """Run one scenario, in memory and in a folder of its own that is removed, and return what a comparison needs.

    Args:
        text: The resolved scenario as TOML.

    Returns:
        ``status``, ``error``, ``log``; and if it went well ``digest``, ``requests``, ``values`` and ``results`` (see `Cell`).
    """
    from ..runner import run

    scenario = validated(tomllib.loads(text), "a cell of a comparison")
    with TemporaryDirectory(prefix="semcast-cell-") as name:
        folder = Path(name) / "run"
        outcome = run(scenario, out=str(folder), show="none", report=False)
        content: dict[str, Any] = {
            "status": outcome.status,
            "error": outcome.error.message if outcome.error else outcome.status,
            "log": (folder / folders.LOG_FILE).read_text(encoding="utf-8"),
        }
        if outcome.status != "ok":
            return content
        return content | outcome_of(folder)


def outcome_of(folder: Path) -> dict[str, Any]:
    """``digest``, ``requests``, ``values`` and ``results`` (see `Cell`) of a run that went well."""
    from ..metrics.table import read_rows

    state, rows = folders.read_run(folder), read_rows(folder / folders.ROWS_FILE)
    values = {column: [getattr(row, column) for row in rows] for column in columns()}
    for column, result in SHARED:
        own = math.fsum(values[column]) / max(1, len(rows))
        shared = state["results"][f"{result}_symbols_per_request"] - own if rows else 0.0
        values[column] = [value + shared for value in values[column]]
    return {
        "digest": state["digest"],
        "requests": [row.request for row in rows],
        "values": values,
        "results": state["results"],
    }


def columns() -> list[str]:
    """Names of all columns of a row that hold numbers."""
    import msgspec

    from ..metrics.row import Row

    return [field.name for field in msgspec.structs.fields(Row) if field.type is not str]


def _keep(job: Job, content: dict[str, Any]) -> Cell:
    """Write the folder of a cell that has ended.

    Raises:
        RunFailed: It failed.
        KeyboardInterrupt: It was interrupted.
    """
    job.folder.mkdir(parents=True, exist_ok=True)
    log = job.folder / folders.LOG_FILE
    folders.write_text(log, content["log"])
    folders.write_text(job.folder / folders.SCENARIO_FILE, dumps(job.scenario))
    if content["status"] == "interrupted":
        raise KeyboardInterrupt
    if content["status"] != "ok":
        raise RunFailed(f"{job.point.name}, seed {job.scenario.seed}: {content['error']}", f"see {log}")
    kept = {key: content[key] for key in ("digest", "requests", "values", "results")}
    kept |= {"fingerprint": job.fingerprint, "point": job.point.name, "seed": job.scenario.seed}
    folders.write_text(job.folder / CELL_FILE, json.dumps(kept))
    return _cell(kept)


def read_cell(job: Job) -> Cell | None:
    """The finished cell of a job, if there is one of the same scenario."""
    try:
        content = json.loads((job.folder / CELL_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return _cell(content) if content.get("fingerprint") == job.fingerprint else None


def _cell(content: dict[str, Any]) -> Cell:
    return Cell(
        content["point"],
        content["seed"],
        content["digest"],
        tuple(content["requests"]),
        content["values"],
        content["results"],
    )
