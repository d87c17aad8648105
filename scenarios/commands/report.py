"""``semcast report``: reduce a run's trace again and write its report."""

import argparse
from pathlib import Path

from .output import add_json, write_json

HELP = "reduce the trace of a run again and write metrics.parquet, figures and report.html"
EXAMPLE = "semcast report runs/quickstart-001"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run", metavar="RUN", help="run folder; also of a run that was interrupted")
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Write it; the run's status stays as it is."""
    from ..folder import REPORT_FILE, read_run
    from ..loading import load
    from ..runner import finish

    folder = Path(args.run)
    run = read_run(folder)
    finish(folder, load(str(folder)), run)
    if args.json:
        write_json(run | {"folder": str(folder)})
    else:
        print(folder / REPORT_FILE)
    return 0
