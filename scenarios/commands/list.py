"""``semcast list``: what there is."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...bus.errors import BadInput
from .output import add_json, write_json, write_table

HELP = "list scenarios, studies, policies, models or runs"
EXAMPLE = "semcast list policies"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("what", choices=tuple(_LISTS), metavar="{" + ",".join(_LISTS) + "}", help="what to list")
    parser.add_argument("--models", metavar="PROFILE", default="tiny", help="model profile: tiny, table, hub (default tiny)")
    parser.add_argument("--runs", metavar="DIR", default="runs", help="folder of the runs (default: runs)")
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """List it."""
    rows = _LISTS[args.what](args)
    if args.json:
        write_json({args.what: rows})
    else:
        write_table(rows)
        if args.what == "models":
            _say_how_to_fetch(args.models)
    return 0


def _scenarios(args: argparse.Namespace) -> list[dict[str, Any]]:
    from ..loading import catalog, load

    def count(some: Any) -> int:
        return some if isinstance(some, int) else len(some)

    rows = []
    for name in catalog():
        scenario = load(name)
        rows.append(
            {
                "name": name,
                "title": scenario.title,
                "scheme": scenario.scheme,
                "users": count(scenario.network.users),
                "stations": count(scenario.network.stations),
                "edges": scenario.network.edges,
                "duration_s": scenario.traffic.duration_s,
            }
        )
    return rows


def _studies(args: argparse.Namespace) -> list[dict[str, Any]]:
    from ..loading import studies
    from ..studies.reading import load_study

    plans = [load_study(name) for name in studies()]
    return [{"name": plan.file.name, "title": plan.file.title, "runs": list(plan.arms)} for plan in plans]


def _policies(args: argparse.Namespace) -> list[dict[str, Any]]:
    from ...policies.registry import known

    return [
        {
            "kind": info.kind,
            "name": info.name,
            "parameters": {parameter.name: parameter.default for parameter in info.parameters},
            "what": (info.problem or info.doc).strip().split("\n")[0],
        }
        for info in known()
    ]


def _models(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Every model that agents ask, then those that none asks.

    Memory: the weights in use. Wall time was measured once, for the reader; simulated time follows from FLOPs.
    """
    from ...agents.models.loading import HUB, model_table, other_models
    from ..evaluations.kept import kept

    measured = kept(args.models).get("catalogue")

    def figure(name: str) -> float | None:
        value = (measured.figures if measured else {}).get(name, {}).get("value")
        return None if value is None else round(value, 2)

    return [
        {
            "role": row.role,
            "name": row.name,
            "params": row.params,
            "flops": row.flops,
            "disk_mb": round(row.weights_bytes / 1e6, 2),
            "memory_mb": round(row.memory_bytes / 1e6, 2),
            "prompt_bits": figure(f"prompt_bits_{row.role}"),
            "measured_wall_ms": figure(f"wall_ms_{row.role}"),
            "sha256": row.sha256[:12],
            "problem": row.problem,
        }
        for row in model_table(args.models) + ([] if args.models == HUB else other_models())
    ]


def _say_how_to_fetch(profile: str) -> None:
    """The commands for what the hub profile lacks."""
    from ...agents.models.hub.models import ROLES, check
    from ...agents.models.hub.settings import HubSettings
    from ...agents.models.loading import HUB
    from ...bus.errors import SemcastError

    try:
        if profile == HUB:
            check(ROLES, HubSettings())
    except SemcastError as error:
        print(error.hint)


def _runs(args: argparse.Namespace) -> list[dict[str, Any]]:
    import json

    from ..folder import is_held

    if not Path(args.runs).is_dir():
        raise BadInput(f"{args.runs} is no folder", "runs are made in runs/ of where you are: semcast run quickstart")
    rows = []
    for path in sorted(Path(args.runs).glob("*/run.json")):
        try:
            run = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        row = {"folder": str(path.parent)} | {
            key: run.get(key) for key in ("status", "scheme", "host", "seed", "requests", "wall_s")
        }
        if row["status"] == "running" and not is_held(path.parent):
            row["status"] = "cut off"  # its driver was killed: semcast run --resume FOLDER
        rows.append(row | {"digest": (run.get("digest") or "")[:12]})
    return rows


_LISTS: dict[str, Callable[[argparse.Namespace], list[dict[str, Any]]]] = {
    "scenarios": _scenarios,
    "studies": _studies,
    "policies": _policies,
    "models": _models,
    "runs": _runs,
}
