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
    """Write it, unless the trace of a run that ended well is damaged; the run's status stays as it is."""
    from ...bus.errors import RunFailed
    from ...bus.trace_reading import TraceReader
    from ...bus.verification import check_trace
    from ..build import network_settings
    from ..folder import REPORT_FILE, read_run
    from ..loading import load
    from ..replaying.recorded import refuse_newer
    from ..runner import finish

    folder = Path(args.run)
    run = read_run(folder)
    if "study" in run:
        from ..studies.running import report_study

        report_study(folder, run)
        if args.json:
            write_json(run | {"folder": str(folder)})
        else:
            print(folder / REPORT_FILE)
        return 0
    refuse_newer(folder, TraceReader(folder))
    if run.get("status") == "ok":
        checked = check_trace(folder)
        if checked.problems:
            listed = "".join(f"\n  - {problem}" for problem in checked.problems)
            raise RunFailed(
                f"{folder}: its trace is damaged, and its figures are kept as they are:{listed}", "make the run again"
            )
    scenario = load(str(folder))
    finish(folder, scenario, network_settings(scenario), run)
    if args.json:
        write_json(run | {"folder": str(folder)})
    else:
        print(folder / REPORT_FILE)
    return 0
