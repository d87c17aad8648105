"""``semcast compare``: the same world under several choices."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...bus.errors import BadInput
from .lists import by_kind, split_policies
from .many_runs import Runner, add_where
from .options import add_scenario, load_scenario
from .output import add_json, write_json

if TYPE_CHECKING:
    from ..schema import Scenario

HELP = "compare policies, schemes or model profiles in the same world: paired differences with intervals"
EXAMPLE = (
    "semcast compare quickstart --policy encoder=argmax-quality,snr-table:margin_db=2 --seeds 10\n"
    "  semcast compare quickstart --policy prompt=threshold,budget --seeds 10\n"
    "  semcast compare quickstart --scheme gai-scn,semcom --quick"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_scenario(parser, "policies to compare with the best fixed one and the oracle; of other kinds, one to run with")
    parser.add_argument("--scheme", metavar="A,B", help="compare schemes, each swept over its codecs and prompts")
    parser.add_argument("--seeds", metavar="N", type=int, default=1, help="number of seeds, from the scenario's on (default 1)")
    parser.add_argument(
        "--tuning-seeds", metavar="N", type=int, default=3, help="other seeds on which the best fixed choice is found (default 3)"
    )
    parser.add_argument(
        "--fixed", metavar="A,B", default="", help="fixed choices to tune (default: every codec; a list of prompt sets)"
    )
    parser.add_argument(
        "--all-fixed", action="store_true", help="run all fixed choices on the compared seeds, too (prompt and noise: always)"
    )
    parser.add_argument(
        "--price", metavar="DB", type=float, default=1.0, help="encoder: dB that 1000 symbols of a picture cost (default 1)"
    )
    add_where(parser)
    parser.add_argument("--codecs", metavar="A,B", default="", help="--scheme: sweep only these JSCC codecs (default: all)")
    parser.add_argument(
        "--out", metavar="DIR", default="", help="folder to write or to go on with (default: runs/compare-SCENARIO-KIND)"
    )
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Compare."""
    if args.seeds < 1 or args.jobs < 1 or args.tuning_seeds < 1:
        raise BadInput("--seeds, --tuning-seeds and --jobs are at least 1")
    kind, choices = _compared(args)
    profiles = (args.models or "").split(",") if args.models and "," in args.models else []
    args.models = None if profiles else args.models
    if sum(map(bool, (args.scheme, kind, profiles))) != 1:
        raise BadInput(
            "compare wants one list of choices",
            "--policy encoder=argmax-quality,snr-table, or --scheme gai-scn,semcom, or --models tiny,hub",
        )
    what = kind or ("schemes" if args.scheme else "models")
    out = Path(args.out or f"runs/compare-{Path(args.scenario).stem}{'-quick' if args.quick else ''}-{what}")
    base = load_scenario(args, host="memory", workers=1)
    _refuse(base, kind)
    runner = Runner(args, out)
    answer = _policies(args, base, kind, choices, runner) if kind else _others(args, base, profiles, runner)
    _write(out, answer)
    if args.json:
        write_json(answer | {"folder": str(out)})
        return 0
    _show(answer)
    print(out)
    return 0


def _refuse(base: "Scenario", kind: str) -> None:
    """Raise BadInput where what is judged by is not there. ``kind``: of the compared policies, empty for schemes and models."""
    traffic, hint = base.traffic, "semcast sweep runs one setting after the other"
    if traffic.content in ("text", "alarms"):
        reason = f"comparisons judge pictures, and this scenario sends {traffic.content}"
        raise BadInput(reason, f"semcast run itinerary and alarm compare texts; {hint}")
    if traffic.content == "clips" and kind == "encoder":
        raise BadInput("encoder policies are judged by the PSNR of pictures, and this scenario sends clips", hint)
    if traffic.images and not kind:
        reason = "schemes and models are judged by the objects that are found, which pictures of one's own do not have"
        raise BadInput(reason, f"leave traffic.images out; {hint}")


def _compared(args: argparse.Namespace) -> tuple[str, list[str]]:
    """The kind of policy that is compared and its choices; policies of other kinds stay in ``args.policy``."""
    given = by_kind(args.policy)
    several = [kind for kind, names in given.items() if len(names) > 1]
    alone = [kind for kind in given] if len(given) == 1 and not args.scheme and "," not in (args.models or "") else []
    if len(several) > 1 or (not several and len(given) > 1 and not args.scheme and "," not in (args.models or "")):
        raise BadInput(
            f"compare compares one kind of policy, not {' and '.join(several or given)}",
            f"name one policy of each other kind: --policy {(several or list(given))[-1]}=NAME",
        )
    kind = (several or alone or [""])[0]
    args.policy = [f"{other}={names[0]}" for other, names in given.items() if other != kind]
    return kind, given.get(kind, [])


def _policies(args: argparse.Namespace, base: "Scenario", kind: str, choices: list[str], runner: Runner) -> dict[str, Any]:
    from ..comparison import contest
    from ..comparison.judgement import Judgement

    planned = contest.plan(
        kind,
        choices,
        base,
        seeds=args.seeds,
        tuning=args.tuning_seeds,
        price_db=args.price,
        fixed=split_policies(args.fixed) if args.fixed else (),
        all_fixed=args.all_fixed,
    )
    for point in planned.fixed:  # some are run last: a mistake in them is told before anything is
        runner.scenario(point, base.seed)
    runner.progress.total = planned.runs
    return Judgement(contest.hold(planned, runner)).answer()


def _others(args: argparse.Namespace, base: "Scenario", profiles: list[str], runner: Runner) -> dict[str, Any]:
    from ..comparison import plan
    from ..comparison.families import codec_names
    from ..comparison.schemes import answer_of_points

    if args.scheme:
        codecs = args.codecs.split(",") if args.codecs else codec_names(base)
        what, points = "scheme", plan.scheme_points(base, args.scheme.split(","), codecs)
    else:
        what, points = "models", plan.model_points(profiles)
    todo = [(point, seed) for point in points for seed in range(base.seed, base.seed + args.seeds)]
    runner.progress.total = len(todo)
    return answer_of_points(what, points, runner(todo))


def _write(out: Path, answer: dict[str, Any]) -> None:
    import json
    import shlex

    from ..folder import write_text
    from ..report.compare_page import write_compare_report

    command = shlex.join(["semcast", *sys.argv[1:]])
    write_text(out / "compare.json", json.dumps(answer, indent=2, allow_nan=False) + "\n")
    write_compare_report(out, answer, command)


def _show(answer: dict[str, Any]) -> None:
    from ..comparison import tables
    from .output import write_table

    for title, rows in tables.shown(answer):
        write_table(rows, title=title)
    for line in tables.sentences(answer):
        print(line)
