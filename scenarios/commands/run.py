"""``semcast run``: run a scenario."""

import argparse
import itertools
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...bus.errors import BadInput
from .options import add_scenario, load_scenario
from .output import add_json, write_json, write_table

if TYPE_CHECKING:
    from ..runner import Outcome

_FIXED = (
    "policy",
    "models",
    "seed",
    "quick",
    "scheme",
    "workers",
    "exchange",
    "out",
    "tap",
    "profile",
    "external",
    "pace",
    "images",
)
"""Options that a run that goes on cannot be given."""
_NATS = ("--na", "--nat", "--nats")
"""As argparse takes it."""
_NATS_USER = re.compile(r"(--na(?:ts?)?=)?.*@(.*)", re.DOTALL)

HELP = "run a scenario or a study; the last line printed is the run folder"
EXAMPLE = "semcast run quickstart --set traffic.rate_hz=0.5 --policy encoder=snr-table --host memory"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_scenario(parser, optional=True)
    parser.add_argument("--resume", metavar="RUN", default="", help="go on with a run that was cut off, by its folder")
    parser.add_argument(
        "--scheme", metavar="S", help="how pictures cross the network: gai-scn, aigc-scm, semcom, gai-traditional, traditional"
    )
    parser.add_argument("--host", metavar="H", help="memory (one process), nats (local processes) or ray")
    parser.add_argument("--workers", metavar="N", type=int, help="number of workers; results do not depend on it")
    parser.add_argument("--exchange", metavar="E", help="subjects (every message on its own NATS subject) or packed")
    parser.add_argument("--out", metavar="DIR", default="", help="run folder to make (default: runs/SCENARIO-NUMBER)")
    parser.add_argument(
        "--tap",
        metavar="AGENT",
        action="append",
        default=[],
        help="republish this agent's messages live (packed form); may be repeated",
    )
    parser.add_argument(
        "--display", choices=("rich", "plain", "none"), default="", help="live progress on stderr (default: what suits it)"
    )
    parser.add_argument("--address", metavar="A", default="", help="Ray cluster to run on (default: a local one)")
    parser.add_argument("--nats", metavar="URL", default="", help="NATS server to use (default: an embedded one)")
    parser.add_argument("--no-report", action="store_true", help="write rows and results, but neither figures nor report.html")
    parser.add_argument("--external", action="store_true", help="let programs outside act as users, over NATS")
    parser.add_argument(
        "--pace", metavar="X", type=float, help="simulated seconds in a second at most (default: 1 if --external, else no limit)"
    )
    parser.add_argument("--profile", action="store_true", help="tell where the wall time went, also in the report")
    parser.add_argument("--images", metavar="DIR", default="", help="pictures of your own in place of the scene world's")
    parser.add_argument(
        "--jobs", metavar="N", type=int, default=0, help="of a study: runs at once on host memory (default: one a core)"
    )
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Run it."""
    from ..folder import read_run

    study = _study(args)
    if study:
        from .run_study import execute_study

        outcome = execute_study(args)
    else:
        outcome = _resume(args) if args.resume else _run(args)
    if args.json:
        write_json(read_run(outcome.folder) | {"folder": str(outcome.folder)})
    elif outcome.status == "ok" and study:
        from .run_study import show

        show(outcome.folder)
    elif outcome.status == "ok":
        _show(read_run(outcome.folder))
    if not args.json:
        print(outcome.folder, flush=True)
    if outcome.error is not None and args.debug:
        raise outcome.error
    if outcome.error is not None:
        print(f"semcast: {outcome.error}", file=sys.stderr)
    if outcome.status == "interrupted":
        print(f"semcast: interrupted; go on with it: semcast run --resume {outcome.folder}", file=sys.stderr)
        return 130
    return 0 if outcome.error is None else outcome.error.exit_code


def _study(args: argparse.Namespace) -> bool:
    """Whether a study is asked for, by name or by the folder of one that was cut off."""
    from ..loading import find, is_study

    asked = args.resume or args.scenario
    if not asked or (args.resume and not (Path(args.resume) / "scenario.toml").is_file()):
        return False  # what is wrong is said by who runs or resumes it
    return is_study(find(asked))


def _run(args: argparse.Namespace) -> "Outcome":
    from ...agents.participants import PLACE, check
    from ..folder import make
    from ..runner import run

    if not args.scenario:
        raise BadInput("no scenario", "for instance: semcast run quickstart   (all of them: semcast list scenarios)")
    if args.jobs:
        raise BadInput("--jobs is of studies: this is one run", "its workers: --workers N")
    more = {"traffic__images": str(Path(args.images).resolve())} if args.images else {}
    scenario = load_scenario(args, scheme=args.scheme, host=args.host, workers=args.workers, exchange=args.exchange, **more)
    pace = args.pace if args.pace is not None else float(args.external)
    out = args.out
    if args.external:
        check(scenario.host, args.external, pace)
        out = str(make(scenario.name, out))
        print(f"programs can act as users while it runs: {Path(out) / PLACE} tells them where", file=sys.stderr)
    return run(
        scenario,
        out=out,
        show=args.display,
        command=shlex.join(["semcast", *without_password(sys.argv[1:])]),
        nats=args.nats,
        address=args.address,
        tap=tuple(args.tap),
        report=not args.no_report,
        profile=args.profile,
        external=args.external,
        pace=pace,
    )


def without_password(arguments: Sequence[str]) -> list[str]:
    """Arguments as others may read them: of the URL of ``--nats`` nothing before its last ``@``."""
    told = []
    for before, argument in itertools.pairwise(["", *arguments]):
        found = _NATS_USER.fullmatch(argument)
        hidden = found is not None and (found[1] or before in _NATS)
        told.append(f"{found[1] or ''}***@{found[2]}" if found and hidden else argument)
    return told


def _resume(args: argparse.Namespace) -> "Outcome":
    from ..runner import resume

    changes = {f"--{name}": getattr(args, name) for name in _FIXED}
    changes |= {"SCENARIO": args.scenario, "--set": args.settings}
    if given := [option for option, value in changes.items() if value not in (None, "", [], False)]:
        raise BadInput(
            f"--resume goes on with a run as it was begun: {', '.join(given)} cannot be given with it",
            f"semcast run --resume {args.resume}",
        )
    return resume(
        Path(args.resume),
        host=args.host or "",
        show=args.display,
        nats=args.nats,
        address=args.address,
        report=not args.no_report,
    )


def _show(run: dict[str, object]) -> None:
    from ..watching import told

    results = run["results"]
    assert isinstance(results, dict)
    title = (
        f"{run['scenario']} ({run['scheme']}, seed {run['seed']}): {run['requests']} requests, digest {str(run['digest'])[:16]}"
    )
    write_table([{"result": name, "value": value} for name, value in results.items()], ("result", "value"), title)
    if run.get("profile"):
        from ..profile import profile_rows

        write_table(profile_rows(run), title="Where the wall time went, in seconds")
    for line in told(run):
        print(line)
    if run.get("recoveries"):
        print(f"lost and made anew meanwhile, workers and server together: {run['recoveries']} times (see run.log)")
