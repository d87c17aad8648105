"""``semcast check``: is this scenario right? And ``semcast check policy``: does this policy keep the rules of its kind?"""

import argparse
import re
from typing import Any

from ...bus.errors import BadInput
from .options import KINDS, add_scenario, load_scenario
from .output import add_json, write_json

HELP = "check scenarios: all mistakes at once, with path, reason and nearest name; or a policy by the conformance kit"
EXAMPLE = "semcast check my-scenario.toml\n  semcast check policy prompt=mine.py:MyPolicy"
POLICY = "policy"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_scenario(parser)
    parser.add_argument(
        "checked",
        metavar="[KIND=]NAME",
        nargs="?",
        help="with `policy` in place of SCENARIO: a name, module:Class or path.py:Class",
    )
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Check a policy; or the scenario as it is and, if it has one, with its quick overlay."""
    if args.scenario == POLICY:
        return _check_policy(args)
    if args.checked:
        raise BadInput(
            f"semcast check takes one scenario, not also {args.checked!r}", "semcast check policy NAME checks a policy"
        )
    from ..build import network_settings
    from ..loading import find, is_study, load, read

    if is_study(find(args.scenario)):
        return _check_study(args)
    scenario = load_scenario(args)
    if "quick" in read(args.scenario):
        load(args.scenario, quick=True)
    settings = network_settings(scenario)
    if args.json:
        write_json(scenario.model_dump(mode="json"))
        return 0
    counts = f"{len(settings.users)} users, {len(settings.stations)} base stations, {len(settings.edges)} edges, 1 cloud"
    print(f"{scenario.name}: ok ({counts}; scheme {scenario.scheme}, {scenario.traffic.duration_s:g} simulated s)")
    return 0


def _check_study(args: argparse.Namespace) -> int:
    """Every arm, in the long and the short form."""
    from ..studies.reading import load_study
    from .run_study import study_overrides

    plan = load_study(args.scenario, quick=args.quick, settings=args.settings, overrides=study_overrides(args))
    if not args.quick and "quick" in _tables(args.scenario):
        load_study(args.scenario, quick=True)
    if args.json:
        write_json(
            {"options": plan.options.model_dump(mode="json"), "arms": [arm.model_dump(mode="json") for arm in plan.arms.values()]}
        )
        return 0
    runs = f"{len(plan.arms)} runs: {', '.join(plan.arms)}" if plan.arms else "no runs, it measures links itself"
    print(f"{plan.file.name}: ok (study {plan.file.study}; {runs})")
    return 0


def _tables(name: str) -> dict[str, Any]:
    from ..loading import find, tables

    return tables(find(name))


def _check_policy(args: argparse.Namespace) -> int:
    from ...policies.checks import ROUNDS, find_problems
    from ...policies.registry import load, resolve

    if not args.checked:
        raise BadInput("which policy?", "semcast check policy prompt=mine.py:MyPolicy")
    if args.settings or args.policy or args.models or args.seed is not None or args.quick:
        raise BadInput(
            "semcast check policy takes no option of a scenario", "semcast check policy prompt=mine.py:MyPolicy:param=value"
        )
    kind, name = _kind_and_name(args.checked)
    spec = resolve(kind, name)
    problems = find_problems(kind, load(spec))
    if args.json:
        write_json({"kind": kind, "name": spec.name, "parameters": spec.parameters, "problems": list(problems)})
    elif problems:
        listed = "".join(f"\n  - {problem}" for problem in problems)
        raise BadInput(f"{kind} policy {spec.name} breaks the rules of its kind:{listed}", "see policies/README.md")
    else:
        print(f"{kind} policy {spec.name}: ok (valid and repeatable on {ROUNDS} contexts, no I/O)")
    return BadInput.exit_code if problems else 0


def _kind_and_name(text: str) -> tuple[str, str]:
    """``"prompt=a:B:x=1"`` -> ``("prompt", "a:B:x=1")``; without a kind, the one whose methods the class has."""
    from ...policies.registry import VERBS, resolve

    kind, sign, name = text.partition("=")
    if sign and kind in KINDS:
        return kind, name
    found = []
    errors = []
    for one in KINDS:
        try:
            resolve(one, text)
            found.append(one)
        except BadInput as error:
            errors.append(error)
    if len(found) == 1:
        return found[0], text
    if found:
        raise BadInput(
            f"{text} is a policy of the kinds {', '.join(found)}", f"say which: semcast check policy {found[0]}={text}"
        )
    unknown = re.compile(r"there is no \w+ policy|has no ")
    said = next((error for error in errors if not unknown.search(error.message)), None)
    if said is None:
        verbs = "; ".join(f"{kind}: {', '.join(methods)}" for kind, methods in VERBS.items())
        raise BadInput(f"{text} is a policy of no kind: no such name or class, or not the methods of one", f"they are {verbs}")
    raise BadInput(f"{text}: {said.message}", "say the kind: semcast check policy prompt=mine.py:MyPolicy") from said
