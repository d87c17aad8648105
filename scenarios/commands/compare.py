"""``semcast compare``: the same world under several choices."""

import argparse
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...bus.errors import BadInput
from .options import add_scenario, load_scenario, split_policy
from .output import add_json, write_json, write_table

if TYPE_CHECKING:
    from ..comparison.cells import Cell
    from ..comparison.plan import Point
    from ..schema import Scenario

HELP = "compare schemes, policies or model profiles in the same world: paired differences with intervals"
EXAMPLE = (
    "semcast compare quickstart --scheme gai-scn,semcom --quick\n"
    "  semcast compare quickstart --policy encoder=fixed,snr-table --seeds 3"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_scenario(parser)
    parser.add_argument("--scheme", metavar="A,B", help="compare schemes, each swept over its codecs and prompts")
    parser.add_argument("--seeds", metavar="N", type=int, default=1, help="number of seeds, from the scenario's on (default 1)")
    parser.add_argument("--jobs", metavar="N", type=int, default=os.cpu_count() or 1, help="runs at once (default: one a core)")
    parser.add_argument("--codecs", metavar="A,B", default="", help="sweep only these JSCC codecs (default: the whole library)")
    parser.add_argument(
        "--out", metavar="DIR", default="", help="folder to write or to go on with (default: runs/compare-SCENARIO)"
    )
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Compare."""
    from ..comparison.cells import jobs, run_all

    out = Path(args.out or f"runs/compare-{Path(args.scenario).stem}{'-quick' if args.quick else ''}")
    if args.seeds < 1 or args.jobs < 1:
        raise BadInput("--seeds and --jobs are at least 1")
    what, points, scenarios = _plan(args)
    out.mkdir(parents=True, exist_ok=True)
    cells = run_all(jobs(out, scenarios), args.jobs, _tell)
    answer = _answer(what, [point.name for point in points], points, cells)
    _write(out, what, answer, args)
    if args.json:
        write_json(answer | {"folder": str(out)})
        return 0
    _show(what, answer)
    print(out)
    return 0


def _plan(args: argparse.Namespace) -> "tuple[str, list[Point], list[tuple[Point, Scenario]]]":
    """What is compared, its points, and the scenario of every point and seed."""
    from ..comparison import plan

    swept = [text for text in args.policy if "," in split_policy(text)[1] and ":" not in split_policy(text)[1]]
    args.policy = [text for text in args.policy if text not in swept]
    profiles = (args.models or "").split(",") if args.models and "," in args.models else []
    args.models = None if profiles else args.models
    given = [bool(args.scheme), bool(swept), bool(profiles)]
    if sum(given) != 1 or len(swept) > 1:
        raise BadInput(
            "compare wants one list of choices",
            "--scheme gai-scn,semcom, or --policy encoder=fixed,snr-table, or --models tiny,tiny",
        )
    base = load_scenario(args, host="memory", workers=1)
    if args.scheme:
        codecs = args.codecs.split(",") if args.codecs else plan.library_codecs()
        what, points = "scheme", plan.scheme_points(base, args.scheme.split(","), codecs)
    elif swept:
        kind, names = split_policy(swept[0])
        what, points = f"{kind} policy", plan.policy_points(kind, names.split(","))
    else:
        what, points = "models", plan.model_points(profiles)
    scenarios = [
        (
            point,
            load_scenario(
                args, host="memory", workers=1, **{_key(path): value for path, value in point.overrides.items()} | {"seed": seed}
            ),
        )
        for point in points
        for seed in range(base.seed, base.seed + args.seeds)
    ]
    return what, points, scenarios


def _key(path: str) -> str:
    return path.replace(".", "__")


def _answer(what: str, names: "list[str]", points: "list[Point]", cells: "list[Cell]") -> dict[str, Any]:
    from ..comparison.curves import ratios
    from ..comparison.statistics import differences, paired

    data = paired(names, cells)
    schemes: dict[str, list[int]] = {}
    for i, point in enumerate(points):
        schemes.setdefault(point.choice, []).append(i)
    found = ratios(data, schemes) if what == "scheme" and len(schemes) > 1 else []
    return {
        "compared": what,
        "requests": int(len(data.seeds)),
        "rows": differences(data),
        "ratios": [asdict(ratio) for ratio in found],
        "digests": {f"{cell.point} seed {cell.seed}": cell.digest for cell in cells},
    }


def _write(out: Path, what: str, answer: dict[str, Any], args: argparse.Namespace) -> None:
    import json
    import shlex

    from ..folder import write_text
    from ..report.compare_page import write_compare_report

    command = shlex.join(["semcast", *sys.argv[1:]])
    write_text(out / "compare.json", json.dumps(answer, indent=2, allow_nan=False) + "\n")
    write_compare_report(out, what, answer, command)


def _show(what: str, answer: dict[str, Any]) -> None:
    from ..comparison.tables import point_table, ratio_lines

    if what == "scheme":
        write_table(point_table(answer["rows"]), title=f"{answer['requests']} requests a point; complex symbols per request")
        for line in ratio_lines(answer["ratios"]):
            print(line)
        return
    rows = [row | {"95 % interval": [row["low"], row["high"]]} for row in answer["rows"]]
    write_table(
        rows,
        ("choice", "metric", "mean", "difference", "95 % interval", "seeds"),
        f"{what}: paired over {answer['requests']} requests",
    )


def _tell(done: int, total: int, what: str) -> None:
    print(f"{done}/{total} runs  {what}", file=sys.stderr, flush=True)
