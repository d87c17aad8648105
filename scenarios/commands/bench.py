"""``semcast bench``: measured speed, always as a ratio against something known."""

import argparse
import importlib
import sys

from ...bus.errors import BadInput
from ..bench import NAMES
from .output import add_json, write_json, write_table

HELP = "measure speed against known references, in one run"
EXAMPLE = "semcast bench engine --json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("name", metavar="NAME", help="what to measure, such as engine")
    parser.add_argument("--repeats", metavar="N", type=int, default=5, help="the median of N runs is given (default 5)")
    parser.add_argument("--messages", metavar="N", type=int, default=1_000_000, help="fuzz: hostile messages (default 1000000)")
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="fuzz, faults: of what is drawn (default 1)")
    parser.add_argument("--schedules", metavar="N", type=int, default=200, help="faults: how many runs are harmed (default 200)")
    parser.add_argument("--only", metavar="N", type=int, action="append", help="faults: this schedule; may be repeated")
    parser.add_argument("--scenario", metavar="S", default="city-1000", help="hosts: what is run everywhere (default city-1000)")
    parser.add_argument("--quick", action="store_true", help="hosts: in its short form")
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Measure it."""
    if args.name not in NAMES:
        raise BadInput(f"no benchmark {args.name!r}", f"there are: {', '.join(NAMES)}")
    module = importlib.import_module(f"...bench.{args.name}", __name__)
    options = {name: getattr(args, name) for name in getattr(module, "OPTIONS", ("repeats",))}
    results = module.run(**options, progress=lambda name: print(f"measuring {name} ...", file=sys.stderr, flush=True))
    if args.json:
        write_json(results)
    else:
        write_table([{"name": name} | dict(values) for name, values in results.items()], title=(module.__doc__ or "").strip())
    return 0
