"""``semcast eval``: how good the shipped models are, on held-out data."""

import argparse
import sys
from typing import TYPE_CHECKING

from ...bus.errors import BadInput
from ..evaluations import ALL, EVALUATIONS, Request, chosen, evaluate
from .output import add_json, write_json, write_table

if TYPE_CHECKING:
    from ..evaluations.score import Score, Skipped

HELP = "measure the models on held-out data, each figure with its interval"
EXAMPLE = "semcast eval models --json\n  semcast eval extraction --scenes 100"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    known = "; ".join(f"{name}: {evaluation.what}" for name, evaluation in EVALUATIONS.items())
    parser.add_argument("what", metavar="WHAT", nargs="*", help=f"what to measure ({ALL}, the default: all models; {known})")
    parser.add_argument("--scenes", metavar="N", type=int, default=200, help="held-out scenes (default 200)")
    parser.add_argument("--models", metavar="PROFILE", default="tiny", help="model profile (default tiny)")
    parser.add_argument("--save", action="store_true", help="keep the figures beside the weights, for the reports of runs")
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Measure."""
    from ..evaluations.score import as_json

    names = list(dict.fromkeys(name for what in args.what or [ALL] for name in _names(what)))
    if args.scenes < 2:
        raise BadInput("--scenes: an interval needs at least 2")
    request = Request(args.scenes, args.models)
    results: dict[str, Score | Skipped] = {}
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        found = evaluate(name, request)
        results |= found
        if args.save:
            from ..evaluations.kept import save

            save(name, found, args.models)
    if args.json:
        write_json({name: as_json(score) for name, score in results.items()})
    else:
        rows = [{"name": name} | as_json(score) for name, score in results.items()]
        write_table(rows, ["name", "value", "low", "high", "n"], f"{args.scenes} held-out scenes, 95 % intervals")
        for row in rows:
            if "skipped" in row:
                print(f"{row['name']}: skipped, because {row['skipped']}")
    return 0


def _names(what: str) -> tuple[str, ...]:
    found = chosen(what)
    if not found:
        raise BadInput(f"nothing to measure called {what!r}", f"there are: {', '.join([ALL, *EVALUATIONS])}")
    return found
