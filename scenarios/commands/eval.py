"""``semcast eval``: how good the shipped models are, on held-out scenes."""

import argparse

from ...bus.errors import BadInput
from .output import add_json, write_json, write_table

HELP = "measure the models on held-out scenes: extractor F1, recovery of generated pictures, codec library"
EXAMPLE = "semcast eval --json\n  semcast eval extractor --scenes 100"
PARTS = ("extractor", "generator", "jscc")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("parts", metavar="PART", nargs="*", help=f"what to measure: {', '.join(PARTS)} (default: all)")
    parser.add_argument("--scenes", metavar="N", type=int, default=200, help="held-out scenes (default 200)")
    parser.add_argument("--models", metavar="PROFILE", default="tiny", help="model profile (default tiny)")
    parser.add_argument("--save", action="store_true", help="keep the figures beside the weights, for the reports of runs")
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Measure."""
    from ..evaluation import evaluate

    parts = args.parts or list(PARTS)
    for part in parts:
        if part not in PARTS:
            raise BadInput(f"nothing to measure called {part!r}", f"there are: {', '.join(PARTS)}")
    if args.save and args.parts:
        raise BadInput("--save keeps the figures of all models together", "leave the names of parts out")
    if args.scenes < 2:
        raise BadInput("--scenes: an interval needs at least 2")
    results = evaluate(parts, args.scenes, args.models)
    if args.save:
        from ..report.models import save_evaluation

        save_evaluation(results, args.models)
    if args.json:
        write_json(results)
    else:
        write_table(
            [{"name": name} | values for name, values in results.items()], title=f"{args.scenes} held-out scenes, 95 % intervals"
        )
    return 0
