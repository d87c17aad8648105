"""``semcast run``: run a scenario."""

import argparse
import re
import shlex
import sys

from .options import add_scenario, load_scenario
from .output import add_json, write_json, write_table

HELP = "run a scenario; the last line printed is the run folder"
EXAMPLE = "semcast run quickstart --set traffic.rate_hz=0.5 --policy encoder=snr-table --host memory"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_scenario(parser)
    parser.add_argument("--scheme", metavar="S", help="how pictures cross the network: gai-scn, semcom")
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
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Run it."""
    from ..folder import read_run
    from ..runner import run

    scenario = load_scenario(args, scheme=args.scheme, host=args.host, workers=args.workers, exchange=args.exchange)
    outcome = run(
        scenario,
        out=args.out,
        show=args.display,
        command=re.sub(r"(\w+://)[^/@\s]+@", r"\1***@", shlex.join(["semcast", *sys.argv[1:]])),  # no password of --nats
        nats=args.nats,
        address=args.address,
        tap=tuple(args.tap),
        report=not args.no_report,
    )
    if args.json:
        write_json(read_run(outcome.folder) | {"folder": str(outcome.folder)})
    elif outcome.status == "ok":
        _show(read_run(outcome.folder))
    if not args.json:
        print(outcome.folder, flush=True)
    if outcome.error is not None and args.debug:
        raise outcome.error
    if outcome.error is not None:
        print(f"semcast: {outcome.error}", file=sys.stderr)
    if outcome.status == "interrupted":
        print("semcast: interrupted; the folder holds what was done", file=sys.stderr)
        return 130
    return 0 if outcome.error is None else outcome.error.exit_code


def _show(run: dict[str, object]) -> None:
    results = run["results"]
    assert isinstance(results, dict)
    title = (
        f"{run['scenario']} ({run['scheme']}, seed {run['seed']}): {run['requests']} requests, digest {str(run['digest'])[:16]}"
    )
    write_table([{"result": name, "value": value} for name, value in results.items()], ("result", "value"), title)
