"""Running the cells of a comparison: one run a point and seed, each finished one kept, so that a stopped comparison goes on."""

import json
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from hashlib import blake2b
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ... import __version__
from ...bus.errors import RunFailed
from .. import folder as folders
from ..build import hub_settings
from ..loading import dumps
from ..schema import Scenario
from .plan import Point

CELL_FILE = "cell.json"
COLUMNS = (
    "object_recovery",
    "object_recovery_iou50",
    "image_alignment",
    "object_alignment",
    "text_alignment",
    "psnr_db",
    "psnr_to_original_db",
    "ssim",
    "satisfaction",
    "symbols_up",
    "symbols_down",
    "symbols_total",
    "latency_s",
    "joules",
)
"""Columns of a row that are compared."""


@dataclass(frozen=True)
class Cell:
    """One finished run: ``values[column][request]`` as in the rows; symbols hold the request's share of the running overhead."""

    point: str
    seed: int
    digest: str
    requests: tuple[str, ...]
    values: dict[str, list[float]]


@dataclass(frozen=True)
class Job:
    """One run to do."""

    point: Point
    scenario: Scenario
    folder: Path

    @property
    def fingerprint(self) -> str:
        """Hash of the resolved scenario, the weights and the version: a cell of another one is not taken for this."""
        weights = sorted(folders.weights(self.scenario.models.profile, hub_settings(self.scenario)).items())
        return blake2b(f"{__version__} {weights} {dumps(self.scenario)}".encode(), digest_size=8).hexdigest()


def jobs(out: Path, scenarios: Sequence[tuple[Point, Scenario]]) -> list[Job]:
    """One job a point and seed; its folder is named by both."""
    found = []
    for point, scenario in scenarios:
        name = "".join(letter if letter.isalnum() or letter in "-+." else "_" for letter in point.name)
        found.append(
            Job(
                point,
                scenario,
                out / "cells" / f"{name[:80]}-{blake2b(point.name.encode(), digest_size=3).hexdigest()}-s{scenario.seed}",
            )
        )
    return found


def run_all(todo: Sequence[Job], processes: int, tell: Callable[[int, int, str], None]) -> list[Cell]:
    """Run what is not finished yet, in fresh processes, and return all cells in the order of the jobs.

    Args:
        todo: The jobs.
        processes: How many run at once.
        tell: Called as ``tell(done, total, what)``.

    Raises:
        RunFailed: A run failed; the finished ones are kept.
    """
    cells = {i: cell for i, job in enumerate(todo) if (cell := read_cell(job)) is not None}
    tell(len(cells), len(todo), "already there" if cells else "starting")
    missing = [i for i in range(len(todo)) if i not in cells]
    if missing:
        for i, cell in _run(todo, missing, processes):
            cells[i] = cell
            tell(len(cells), len(todo), f"{cell.point} seed {cell.seed}")
    return [cells[i] for i in range(len(todo))]


def _run(todo: Sequence[Job], missing: Sequence[int], processes: int) -> Iterator[tuple[int, Cell]]:
    if processes == 1:
        for i in missing:
            yield i, run_cell(todo[i])
        return
    with ProcessPoolExecutor(min(processes, len(missing)), mp_context=get_context("spawn")) as pool:
        futures = {pool.submit(run_cell, todo[i]): i for i in missing}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def run_cell(job: Job) -> Cell:
    """Run one cell in this process and keep its rows; its trace, which the scenario can make again, is not kept.

    Raises:
        RunFailed: The run failed.
    """
    from ..metrics.table import read_rows
    from ..runner import run

    if job.folder.exists():  # of a comparison that was stopped in the middle of this cell
        shutil.rmtree(job.folder)
    outcome = run(job.scenario, out=str(job.folder), show="none", report=False)
    if outcome.status != "ok":
        reason = outcome.error.message if outcome.error else outcome.status
        raise RunFailed(f"{job.point.name}, seed {job.scenario.seed}: {reason}", f"see {job.folder / folders.LOG_FILE}")
    state = folders.read_run(job.folder)
    rows = read_rows(job.folder / folders.ROWS_FILE)
    values: dict[str, list[float]] = {column: [float(getattr(row, column)) for row in rows] for column in COLUMNS}
    for column, name in (("symbols_up", "uplink"), ("symbols_down", "downlink"), ("symbols_total", "air")):
        mean = math.fsum(values[column]) / max(1, len(rows))
        shared = state["results"][f"{name}_symbols_per_request"] - mean if rows else 0.0
        values[column] = [value + shared for value in values[column]]
    content: dict[str, Any] = {
        "fingerprint": job.fingerprint,
        "point": job.point.name,
        "seed": job.scenario.seed,
        "digest": state["digest"],
        "requests": [row.request for row in rows],
        "values": values,
        "results": state["results"],
    }
    folders.write_text(job.folder / CELL_FILE, json.dumps(content))
    for name in (folders.TRACE_FOLDER, "snapshots"):
        shutil.rmtree(job.folder / name, ignore_errors=True)
    return _cell(content)


def read_cell(job: Job) -> Cell | None:
    """The finished cell of a job, if there is one of the same scenario."""
    try:
        content = json.loads((job.folder / CELL_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return _cell(content) if content.get("fingerprint") == job.fingerprint else None


def _cell(content: dict[str, Any]) -> Cell:
    return Cell(content["point"], content["seed"], content["digest"], tuple(content["requests"]), content["values"])
