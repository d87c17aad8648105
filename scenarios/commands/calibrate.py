"""``semcast calibrate``: measure the tables that networks use instead of the real thing."""

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HELP = "measure tables: phy = block error rates of coded links, by Sionna; models = what the tiny models do in the network"
EXAMPLE = "semcast calibrate phy --quick --out phy_tables.json\n  semcast calibrate models --quick"
PHY, MODELS = "phy", "models"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("what", choices=(PHY, MODELS), help="which table")
    parser.add_argument(
        "--out", metavar="PATH", default="", help="file to write (default: phy_tables.json here), or folder (models_table here)"
    )
    parser.add_argument("--quick", action="store_true", help="few samples: rough tables, in minutes and seconds")
    parser.add_argument("--seed", metavar="N", type=int, default=1)
    parser.add_argument("--threads", metavar="N", type=int, default=1)


def execute(args: argparse.Namespace) -> int:
    """Measure it."""
    from pathlib import Path

    if args.what == MODELS:
        return _models(Path(args.out or "models_table"), args.quick, args.seed)
    from ...bus.channel.calibrate import calibrate_phy

    out = Path(args.out or "phy_tables.json")
    calibrate_phy(out, quick=args.quick, progress=_progress, seed=args.seed, threads=args.threads)
    print(out)
    return 0


def _models(out: "Path", quick: bool, seed: int) -> int:
    from ...agents.models.table.store import TABLE_NAME
    from ..tabling.campaign import calibrate

    card = calibrate(out, quick=quick, seed=seed, progress=_progress)
    kept = card.data["kept"]
    print(
        f"{kept['requests']} requests and {kept['looks']} looks kept; to use it, put both files into agents/models/weights/table"
    )
    print(out / TABLE_NAME)
    return 0


def _progress(done: int, total: int, what: str) -> None:
    print(f"{done}/{total} {what}", file=sys.stderr, flush=True)
