"""``semcast bench``: measured speed, always as a ratio against something known."""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from ...bus.errors import BadInput, Missing
from .. import folder as folders
from ..bench import NAMES, SHORT
from .output import add_json, write_json, write_table

HELP = "measure speed against known references, in one run"
EXAMPLE = "semcast bench engine --json"
RESULT_FILE = "bench.json"
_COLUMNS = ("name", "value", "unit", "ratio", "low", "high", "against", "workload")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "name", metavar="NAME", nargs="?", default="", help=f"one of {', '.join(NAMES)} (default: all short ones)"
    )
    parser.add_argument("--repeats", metavar="N", type=int, default=0, help="the median of N turns is given (default 5; all: 3)")
    parser.add_argument("--quick", action="store_true", help="small and once, to see that all works (hosts: the short form)")
    parser.add_argument(
        "--out", metavar="DIR", default="", help=f"write {RESULT_FILE} and a figure of each there (all: benchmarks/...)"
    )
    parser.add_argument("--against", metavar="OLD.json", default="", help="show what has changed since an earlier result")
    parser.add_argument(
        "--most", metavar="N", type=int, default=10_000, help="scale: users of the largest network (default 10000)"
    )
    parser.add_argument("--models", metavar="P", default="table", help="scale: profile of the models, or module:function")
    parser.add_argument("--messages", metavar="N", type=int, default=1_000_000, help="fuzz: hostile messages (default 1000000)")
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="fuzz, faults: of what is drawn (default 1)")
    parser.add_argument("--schedules", metavar="N", type=int, default=200, help="faults: how many runs are harmed (default 200)")
    parser.add_argument("--only", metavar="N", type=int, action="append", help="faults: this schedule; may be repeated")
    parser.add_argument("--scenario", metavar="S", default="city-1000", help="hosts: what is run everywhere (default city-1000)")
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Measure it."""
    from ..bench.changes import changes, read
    from ..bench.scale import SMALLEST

    if args.name and args.name not in NAMES:
        raise BadInput(f"no benchmark {args.name!r}", f"there are: {', '.join(NAMES)}")
    if args.repeats < 0 or args.most < SMALLEST:
        raise BadInput(f"--repeats {args.repeats} --most {args.most}", f"at least one turn, and at least {SMALLEST} users")
    old = read(Path(args.against)) if args.against else None
    whole = not args.name
    args.repeats = args.repeats or (1 if args.quick else 3 if whole else 5)
    out = folders.make("bench", args.out, runs="benchmarks") if args.out or whole else None
    results: dict[str, Any] = {}
    for place, name in enumerate(SHORT if whole else (args.name,)):
        results |= _measure(name, args, out, f"{place + 1}/{len(SHORT)} {name}" if whole else name)
        if out:
            folders.write_text(out / RESULT_FILE, json.dumps(results, indent=2, allow_nan=False) + "\n")
    compared = changes(old, results) if old is not None else []
    if args.json:
        for row in compared:
            results[row["name"]] |= {"change": {key: row[key] for key in ("of", "before", "now", "change", "beyond")}}
        write_json(results)
    elif old is not None:
        write_table([_told(row) for row in compared], title=f"against {args.against}")
    if out:
        print(out / RESULT_FILE, file=sys.stderr if args.json else sys.stdout)
    return 0


def _measure(name: str, args: argparse.Namespace, out: Path | None, told: str) -> dict[str, Any]:
    """The results of one benchmark; shown, and drawn where there is a folder. Of all of them one may be missing something."""
    module = importlib.import_module(f"...bench.{name}", __name__)
    options = {option: getattr(args, option) for option in getattr(module, "OPTIONS", ("repeats",))}
    if not args.name:
        options |= SHORT[name]
    try:
        results: dict[str, Any] = module.run(**options, progress=_teller(told))
    except Missing as error:
        if args.name:
            raise
        print(f"{told}: left out: {error}", file=sys.stderr, flush=True)
        return {}
    if out:
        from ..bench.figures import draw

        draw(out, name, results)
    if not args.json:
        _show(module, results)
    return results


def _teller(told: str) -> Callable[[str], None]:
    started = time.monotonic()

    def tell(text: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  measuring {told}: {text} ...", file=sys.stderr, flush=True)

    return tell


def _show(module: ModuleType, results: Mapping[str, Mapping[str, Any]]) -> None:
    rows = [{"name": name} | dict(values) for name, values in results.items()]
    columns = [name for name in _COLUMNS if any(name in row for row in rows)]
    write_table(rows, columns, title=(module.__doc__ or "").strip())


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    beyond = {None: "unknown", True: "yes", False: "no"}[row["beyond"]]
    change = "" if row["change"] is None else f"{row['change']:+.1%}"
    return {"name": row["name"], "of": row["of"], "before": row["before"], "now": row["now"]} | {
        "change": change,
        "beyond the spread of the turns": beyond,
    }
