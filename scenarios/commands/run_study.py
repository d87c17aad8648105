"""``semcast run`` of a study: its options, and what is shown of it when it has ended."""

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...bus.errors import BadInput
from .options import split_policy
from .output import write_table

if TYPE_CHECKING:
    from ..runner import Outcome

_OF_RUNS = ("scheme", "workers", "exchange", "tap", "external", "pace", "profile", "address", "nats", "no_report")
_FIXED = ("policy", "models", "seed", "quick", "out", "images")


def execute_study(args: argparse.Namespace) -> "Outcome":
    """Run it, or the rest of it.

    Raises:
        BadInput: An option that is not one of studies.
    """
    from ..studies.reading import load_study
    from ..studies.running import resume_study, run_study

    if given := [f"--{name.replace('_', '-')}" for name in _OF_RUNS if getattr(args, name) not in (None, "", [], False)]:
        hint = "what holds for all its runs: --set base.SECTION.KEY=VALUE; the resolved runs: arms/*/scenario.toml of its folder"
        raise BadInput(f"a study makes several runs: {', '.join(given)} cannot be given", hint)
    host = args.host or "memory"
    if args.resume:
        changed = [f"--{name}" for name in _FIXED if getattr(args, name) not in (None, "", [], False)]
        if changed or args.settings or args.scenario:
            given = changed + ["--set"] * bool(args.settings) + ["SCENARIO"] * bool(args.scenario)
            hint = f"semcast run --resume {args.resume}"
            raise BadInput(f"--resume goes on with a study as it was begun: {', '.join(given)} cannot be given with it", hint)
        return resume_study(Path(args.resume), show=args.display, host=host, jobs=args.jobs)
    plan = load_study(args.scenario, quick=args.quick, settings=args.settings, overrides=study_overrides(args))
    command = shlex.join(["semcast", *sys.argv[1:]])
    models = [f"--models {args.models}"] if args.models else []
    changed = [*(f"--set {text}" for text in args.settings), *(f"--policy {text}" for text in args.policy), *models]
    how = {"quick": args.quick, "show": args.display, "host": host, "jobs": args.jobs, "changed": changed}
    return run_study(plan, out=args.out, command=command, **how)


def study_overrides(args: argparse.Namespace) -> dict[str, object]:
    """What the options of a run mean for a study: dotted path -> value."""
    found: dict[str, object] = {}
    for text in args.policy:
        kind, policy = split_policy(text)
        found[f"base.policies.{kind}"] = policy
    if args.models is not None:
        found["base.models.profile"] = args.models
    if args.seed is not None:
        found["seed"] = args.seed
    if getattr(args, "images", ""):
        found["images"] = str(Path(args.images).resolve())
    return found


def show(folder: Path) -> None:
    """The claims of a study that has ended, and where its page is."""
    import json

    from ..folder import REPORT_FILE, read_run
    from ..studies.running import FINDINGS_FILE

    run = read_run(folder)
    found = json.loads((folder / FINDINGS_FILE).read_text(encoding="utf-8"))
    title = f"{run['scenario']} (study, seed {run['seed']}): {run['requests']} requests, digest {str(run['digest'])[:16]}"
    rows = [
        {
            "claim": claim["text"],
            "measured": claim["value"],
            "low": claim["low"],
            "high": claim["high"],
            "wanted": f"{'<' if claim['at_most'] else '>'}{'' if claim['strict'] else '='} {claim['bound']:.4g}",
            "verdict": claim["verdict"],
        }
        for claim in found["claims"]
    ]
    write_table(rows, title=title)
    print(f"the page: {folder / REPORT_FILE}")
