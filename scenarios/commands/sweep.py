"""``semcast sweep``: the same world over a grid of settings."""

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...bus.errors import BadInput
from .lists import by_kind, split_values
from .many_runs import Runner, add_where
from .options import add_scenario, load_scenario
from .output import add_json, cell, write_json, write_table

if TYPE_CHECKING:
    from ..comparison.grid import Axis

HELP = "run a scenario over a grid of settings: table, figure, JSON and Parquet"
EXAMPLE = (
    "semcast sweep quickstart --set radio.bs_power_dbm=20,30,40 --set scheme=gai-scn,semcom --seeds 3\n"
    "  semcast sweep quickstart --set traffic.rate_hz=0.3,0.7 --policy scheduling=fifo,proportional-fair --quick"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_scenario(parser, "policies to go through; of other kinds, one to run with")
    parser.add_argument("--seeds", metavar="N", type=int, default=1, help="number of seeds, from the scenario's on (default 1)")
    parser.add_argument("--metrics", metavar="A,B", default="", help="results to show (names as in run.json; default: a few)")
    add_where(parser)
    parser.add_argument(
        "--out", metavar="DIR", default="", help="folder to write or to go on with (default: runs/sweep-SCENARIO)"
    )
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Sweep."""
    from ..comparison import grid

    if args.seeds < 1 or args.jobs < 1:
        raise BadInput("--seeds and --jobs are at least 1")
    wanted = args.metrics.split(",") if args.metrics else []
    grid.check_metrics(wanted)
    axes = _axes(args)
    base = load_scenario(args, host="memory", workers=1)
    points = grid.grid_points(axes)
    todo = [(point, seed) for point in points for seed in range(base.seed, base.seed + args.seeds)]
    out = Path(args.out or f"runs/sweep-{Path(args.scenario).stem}{'-quick' if args.quick else ''}")
    runner = Runner(args, out)
    runner.progress.total = len(todo)
    cells = runner(todo)
    metrics = grid.known_metrics(cells, wanted)
    answer: dict[str, Any] = {
        "scenario": base.name,
        "axes": [{"path": axis.path, "values": [grid.text_of(value) for value in axis.values]} for axis in axes],
        "seeds": list(range(base.seed, base.seed + args.seeds)),
        "metrics": metrics,
        "points": grid.summary(points, cells, metrics),
        "rows": grid.sweep_rows(points, cells),
    }
    _write(out, answer)
    if args.json:
        write_json(answer | {"folder": str(out)})
        return 0
    write_table(table_of(answer), title=f"{base.name}: {len(points)} points, {args.seeds} seed{'s' if args.seeds > 1 else ''}")
    print(out)
    return 0


def _axes(args: argparse.Namespace) -> "list[Axis]":
    """The swept values; options with one value each stay where they are."""
    from ..comparison.grid import Axis
    from ..loading import parse_setting

    axes, settings = [], []
    for text in args.settings:
        path, sign, values = text.partition("=")
        several = split_values(values) if sign else []
        if len(several) < 2:
            settings.append(text)
            continue
        axes.append(Axis(path.strip(), tuple(parse_setting(f"{path}={value}")[1] for value in several)))
    given = by_kind(args.policy)
    axes += [Axis(f"policies.{kind}", tuple(names)) for kind, names in given.items() if len(names) > 1]
    args.settings = settings
    args.policy = [f"{kind}={names[0]}" for kind, names in given.items() if len(names) == 1]
    _check(axes)
    return axes


def _check(axes: "Sequence[Axis]") -> None:
    if not axes:
        raise BadInput("sweep wants values to go through", "--set traffic.rate_hz=0.3,0.7, or --policy encoder=fixed,snr-table")
    paths = [axis.path for axis in axes]
    for axis in axes:
        if paths.count(axis.path) > 1:
            raise BadInput(f"{axis.path} is swept twice", "give all its values in one option")
        if len({repr(value) for value in axis.values}) < len(axis.values):
            raise BadInput(f"{axis.path}: a value is given twice")


def table_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """One line a point: settings (by the ends of their paths), then each metric's mean, with its interval where there is one."""
    ends = [axis["path"].rpartition(".")[2] for axis in answer["axes"]]
    names = {axis["path"]: end if ends.count(end) == 1 else axis["path"] for axis, end in zip(answer["axes"], ends, strict=True)}
    lines: dict[str, dict[str, Any]] = {}
    for entry in answer["points"]:
        settings = {names[path]: value for path, value in entry["settings"].items()}
        line = lines.setdefault(repr(settings), settings)
        mean, high = entry["mean"], entry["high"]
        line[entry["metric"]] = mean if high is None else f"{cell(mean)} ± {high - mean:.2g}"
    return list(lines.values())


def _write(out: Path, answer: dict[str, Any]) -> None:
    from ..comparison.grid import write_parquet
    from ..folder import write_text
    from ..report.sweep_page import write_sweep_report

    write_text(out / "sweep.json", json.dumps(answer, indent=2, allow_nan=False) + "\n")
    write_parquet(out / "sweep.parquet", answer["rows"])
    write_sweep_report(out, answer, table_of(answer), shlex.join(["semcast", *sys.argv[1:]]))
