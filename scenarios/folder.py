"""The folder of a run: made before the run starts, readable at any moment, never half-written."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..bus.errors import BadInput

if TYPE_CHECKING:  # this module stays light: commands import it before they know what is asked
    from ..agents.models.hub.settings import HubSettings

RUN_FILE, SCENARIO_FILE, LOG_FILE, ROWS_FILE, REPORT_FILE = (
    "run.json",
    "scenario.toml",
    "run.log",
    "metrics.parquet",
    "report.html",
)
TRACE_FOLDER, FIGURES_FOLDER = "trace", "figures"
JUDGES = {"judge": "judge", "clip_judge": "clip-judge"}
"""Folder of a judge's weights, and the recipe that makes them."""
_PACKAGES = ("numpy", "torch", "diffusers", "transformers", "msgspec", "nats-py", "ray", "mcap")


def make(name: str, out: str = "", runs: str = "runs") -> Path:
    """Make the folder of a new run.

    Args:
        name: The scenario's name.
        out: The folder that the user asked for; it must be empty or not exist.
        runs: Where ``<name>-<number>`` is made otherwise.

    Raises:
        BadInput: ``out`` holds something, or the folder cannot be made.
    """
    try:
        if out:
            path = Path(out)
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise BadInput(f"--out {out}: already holds something", "give a new folder; nothing is ever overwritten")
            path.mkdir(parents=True, exist_ok=True)
            if not os.access(path, os.W_OK):
                raise BadInput(f"--out {out}: may not be written to", "give another folder, or change its rights")
            return path
        Path(runs).mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            path = Path(runs) / f"{name}-{number:03d}"
            try:
                path.mkdir()
            except FileExistsError:
                number += 1
            else:
                return path
    except OSError as error:
        raise BadInput(
            f"cannot make the run folder {error.filename}: {error.strerror}", "give a writable place: --out DIR"
        ) from None


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep the folder for this process as long as it writes there; the system lets go when the process ends, however.

    Raises:
        BadInput: Another process writes there, or this one may not.
    """
    try:
        log = (folder / LOG_FILE).open("ab")
    except OSError as error:
        raise BadInput(f"{error.filename}: {error.strerror}", "the folder of a run must be there and writable") from None
    with log as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BadInput(f"{folder}: a run still goes on there", f"see how far it is: tail -f {folder / LOG_FILE}") from None
        yield


def is_held(folder: Path) -> bool:
    """Whether some process writes there (see `held`)."""
    if not (folder / LOG_FILE).exists():
        return False
    try:
        with held(folder):
            return False
    except BadInput:
        return True


@contextmanager
def log_file(folder: Path) -> Iterator[None]:
    """Everything that semcast logs goes to ``run.log`` meanwhile."""
    handler = logging.FileHandler(folder / LOG_FILE, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger(__package__.split(".")[0])
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        handler.close()


def write_text(path: Path, text: str) -> None:
    """Write a file at once: a reader sees the old text or the new one."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def write_run(folder: Path, run: Mapping[str, Any]) -> None:
    """Write ``run.json``."""
    write_text(folder / RUN_FILE, json.dumps(run, indent=2, allow_nan=False) + "\n")


def read_run(folder: Path | str) -> dict[str, Any]:
    """Read the ``run.json`` of a run folder.

    Raises:
        BadInput: The folder is no run folder, or its ``run.json`` is damaged.
    """
    path = Path(folder) / RUN_FILE
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise BadInput(f"{folder} is no run folder (no {RUN_FILE})", "the runs there are: semcast list runs") from None
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from None
    if not isinstance(run, dict):
        raise BadInput(f"{path} is no JSON object")
    return run


def weights(profile: str, hub: HubSettings | None = None) -> dict[str, str]:
    """Role -> hash of its model's card, which holds the hashes of its weights; the judges too. Absent ones are left out."""
    from ..agents.models.cards import read_card
    from ..agents.models.hub.models import judge_sha256
    from ..agents.models.loading import HUB, TABLE, WEIGHTS, model_table
    from ..bus.errors import SemcastError

    found = {row.role: row.sha256 for row in model_table(profile, hub=hub) if row.sha256}
    if profile == TABLE:  # calls take the FLOPs, and codecs have the symbols, of what was measured
        found |= {f"measured_{row.role}": row.sha256 for row in model_table() if row.sha256}
    for folder in JUDGES:
        with suppress(SemcastError):
            found[folder] = read_card(WEIGHTS / folder).sha256
    if profile == HUB and hub and hub.judge:
        with suppress(SemcastError):
            found["published_judge"] = judge_sha256(hub)
    return found


def versions() -> dict[str, str]:
    """Versions of semcast and of what decides its results."""
    import platform

    found = {"semcast": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
