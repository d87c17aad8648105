"""``semcast calibrate``: measure the tables that networks use instead of the real thing."""

import argparse
import sys

HELP = "measure tables: phy = block error rates of coded links, by Sionna"
EXAMPLE = "semcast calibrate phy --quick --out phy_tables.json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("what", choices=("phy",), help="which table")
    parser.add_argument("--out", metavar="FILE", default="", help="file to write (default: phy_tables.json here)")
    parser.add_argument("--quick", action="store_true", help="few blocks a point: minutes instead of an hour, rough tables")
    parser.add_argument("--seed", metavar="N", type=int, default=1)
    parser.add_argument("--threads", metavar="N", type=int, default=1)


def execute(args: argparse.Namespace) -> int:
    """Measure it."""
    from pathlib import Path

    from ...bus.channel.calibrate import calibrate_phy

    out = Path(args.out or "phy_tables.json")
    calibrate_phy(out, quick=args.quick, progress=_progress, seed=args.seed, threads=args.threads)
    print(out)
    return 0


def _progress(done: int, total: int, what: str) -> None:
    print(f"{done}/{total} {what}", file=sys.stderr, flush=True)
