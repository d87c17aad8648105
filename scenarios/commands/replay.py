"""``semcast replay``: a finished run again, whole or one agent of it, as it was or with another choice."""

import argparse
import contextlib
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...bus.errors import BadInput, RunFailed, SemcastError
from .options import KINDS, split_policy
from .output import add_json, write_json, write_table
from .replay_tap import play

if TYPE_CHECKING:
    from ...bus.alone import AgentReplay
    from ...bus.envelope import Envelope
    from ..replaying.alone import LoneAgent

HELP = "a finished run again: verified, one agent alone, under another choice, another policy asked, or played onto NATS"
EXAMPLE = (
    "semcast replay runs/two-users-001 --verify\n"
    "  semcast replay runs/two-users-001 --agent user.mia\n"
    "  semcast replay runs/two-users-001 --agent user.mia --pdb --at 17\n"
    "  semcast replay runs/two-users-001 --policy encoder=snr-table\n"
    "  semcast replay runs/two-users-001 --shadow encoder=snr-table\n"
    "  semcast replay runs/two-users-001 --tap --speed 2"
)
MODES = "semcast replay RUN --verify, or --agent ID, or --policy encoder=snr-table, or --shadow encoder=snr-table, or --tap"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run", metavar="RUN", help="run folder")
    parser.add_argument("--verify", action="store_true", help="check all hash chains, run again and compare")
    parser.add_argument(
        "--recorded-models",
        action="store_true",
        help="--verify: take models' results from the trace, as is done by itself on another kind of CPU",
    )
    parser.add_argument("--agent", metavar="ID", default="", help="one agent alone: its recorded inbox in, its records compared")
    parser.add_argument("--live-models", action="store_true", help="--agent: compute models' results anew")
    parser.add_argument(
        "--pdb", action="store_true", help="--agent: stop in the debugger where the first difference is made, or at --at"
    )
    parser.add_argument(
        "--at", metavar="N", default="", help="--pdb: where the agent's record N is made, or where it gets message SOURCE:N"
    )
    parser.add_argument(
        "--policy",
        metavar="KIND=NAME[:P=V]",
        action="append",
        default=[],
        help=f"decide anew with another policy and take paired differences; may be repeated; kinds: {', '.join(KINDS)}",
    )
    parser.add_argument("--scheme", metavar="S", help="decide anew with another scheme")
    parser.add_argument("--models", metavar="PROFILE", help="decide anew with another model profile")
    parser.add_argument(
        "--shadow", metavar="KIND=NAME[:P=V]", default="", help="let another policy decide on what was recorded, without effect"
    )
    parser.add_argument("--tap", action="store_true", help="publish its messages on NATS again, for any subscriber")
    parser.add_argument(
        "--speed", metavar="X", default="", help="--tap: simulated seconds in a second (default: 1; max: as fast as possible)"
    )
    parser.add_argument(
        "--wait", metavar="S", type=float, help="--tap: wait at most so long for a first subscriber (default: until there is one)"
    )
    parser.add_argument("--nats", metavar="URL", default="", help="--tap: NATS server to use (default: an embedded one)")
    parser.add_argument("--host", choices=("memory", "nats", "ray"), default="memory", help="of the second run (default: memory)")
    parser.add_argument(
        "--out",
        metavar="DIR",
        default="",
        help="folder to make (--verify: keeps the second run, which is removed otherwise; "
        "--policy: default runs/SCENARIO-counterfactual-NUMBER)",
    )
    parser.add_argument(
        "--display", choices=("rich", "plain", "none"), default="", help="live progress on stderr (default: what suits it)"
    )
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Verify it, replay an agent, decide anew, tabulate what another policy would have decided, or play it."""
    anew = bool(args.policy or args.scheme or args.models)
    _check_modes(args, anew)
    if args.tap:
        args.speed = args.speed or "1"
        return play(args)
    if args.agent:
        return _agent(args)
    if anew:
        return _anew(args)
    return _shadow(args) if args.shadow else _verify(args)


def _check_modes(args: argparse.Namespace, anew: bool) -> None:
    """One mode, and only what belongs to it."""
    if not args.agent and (args.live_models or args.pdb or args.at):
        raise BadInput("replay: --live-models, --pdb and --at belong to --agent", MODES)
    if not args.verify and args.recorded_models:
        raise BadInput("replay: --recorded-models belongs to --verify", MODES)
    if not args.tap and (args.speed or args.nats or args.wait is not None):
        raise BadInput("replay: --speed, --wait and --nats belong to --tap", MODES)
    modes = {"--verify": args.verify, "--agent": args.agent, "--policy": anew, "--shadow": args.shadow, "--tap": args.tap}
    asked = [mode for mode, given in modes.items() if given]
    if len(asked) != 1:
        raise BadInput(f"replay: {' and '.join(asked) or 'no mode'}: one, please", MODES)


def _agent(args: argparse.Namespace) -> int:
    from ..replaying.alone import LoneAgent

    if args.at and not args.pdb:
        raise BadInput("replay: --at needs --pdb", f"semcast replay {args.run} --agent {args.agent} --pdb --at {args.at}")
    if args.pdb and args.json:
        raise BadInput("replay: --pdb is for people: no --json", "leave out one of them")
    lone = LoneAgent(Path(args.run), args.agent, args.live_models)
    found = lone.replay()
    if args.json:
        write_json(_agent_json(found))
    else:
        print(f"{found.agent} alone: {found.handled} messages handled, {found.agreed} of {found.records} records as recorded")
    if args.pdb:
        _debug(args.at, lone, found)
    problem = _problem(found)
    if problem:
        raise RunFailed(
            f"{found.agent} does otherwise when it is given its inbox again: {problem}",
            f"look at it there: semcast replay {args.run} --agent {found.agent} --pdb",
        )
    if not args.json:
        print(args.run)
    return 0


def _problem(found: "AgentReplay") -> str:
    """The first difference or error in words; empty where there is neither."""
    said = [str(found.difference)] if found.difference else []
    if found.error is not None:
        said.append(f"it fails with {type(found.error).__name__}: {found.error}")
    return "; ".join(said) + (f" ({_name(found.during)})" if said else "")


def _name(event: "Envelope | None") -> str:
    return f"handling {event.source}:{event.sequence}, {event.kind}" if event else "at its start"


def _agent_json(found: "AgentReplay") -> dict[str, Any]:
    during = found.during and f"{found.during.source}:{found.during.sequence}"
    difference = None
    if found.difference is not None:
        difference = asdict(found.difference)
        difference |= {"recorded": difference.pop("a"), "now": difference.pop("b"), "during": during}
    error = f"{type(found.error).__name__}: {found.error}" if found.error else None
    counts = {name: getattr(found, name) for name in ("agent", "handled", "records", "agreed")}
    return counts | {"difference": difference, "error": error}


def _debug(at: str, lone: "LoneAgent", found: "AgentReplay") -> None:
    import pdb

    from ...bus.alone import inbox_of

    if not at and not _problem(found):
        raise BadInput(f"{found.agent} does nothing otherwise: --pdb needs to be told where to stop", "for instance --pdb --at 0")
    place = lone.place_of(at, found) if at else found.place
    event = inbox_of(lone.agent, lone.records)[place] if place >= 0 else None
    print(f"stops before {_name(event)}: s steps in, c goes on, q ends", flush=True)
    lone.replay(place, pdb.Pdb(nosigint=True).runcall)


def _anew(args: argparse.Namespace) -> int:
    import json
    import shlex
    import sys

    from .. import folder as folders
    from ..loading import load
    from ..replaying.counterfactual import counterfactual
    from ..replaying.recorded import ended_well
    from ..report.counterfactual_page import ENOUGH_REQUESTS, FEW, difference_table, write_counterfactual_report

    ended_well(Path(args.run))
    overrides = {f"policies.{kind}": policy for kind, policy in map(split_policy, args.policy)}
    overrides |= {"scheme": args.scheme} if args.scheme else {}
    overrides |= {"models.profile": args.models} if args.models else {}
    before = load(args.run)
    after = load(args.run, overrides={"host": args.host} | overrides)
    changed = {path: (_value(before, path), _value(after, path)) for path in overrides}
    out = folders.make(f"{after.name}-counterfactual", args.out)
    try:
        found = counterfactual(Path(args.run), after, changed, out / "run", args.display)
    except SemcastError:
        with contextlib.suppress(OSError):  # unless the second run has begun
            out.rmdir()
        raise
    folders.write_text(out / "counterfactual.json", json.dumps(found.answer, indent=2, allow_nan=False) + "\n")
    write_counterfactual_report(out, found, shlex.join(["semcast", *sys.argv[1:]]))
    if args.json:
        write_json(found.answer | {"folder": str(out)})
        return 0
    same = found.answer["captures"]
    choices = "; ".join(f"{path}: {now} instead of {then}" for path, (then, now) in changed.items())
    write_table(difference_table(found.answer), title=f"{choices}: paired differences, {found.answer['requests']} requests")
    if found.answer["requests"] < ENOUGH_REQUESTS:
        print(FEW)
    print(
        f"{same['same']} captures are the same in both runs; {same['only_recorded'] + same['only_now']} are in one of them only"
    )
    if open_loop := found.answer["open_loop"]:
        print(f"open loop: {len(open_loop)} requests were asked for from outside, and come again as they were")
    print(out)
    return 0


def _value(scenario: Any, path: str) -> str:
    for name in path.split("."):
        scenario = getattr(scenario, name)
    return str(scenario)


def _shadow(args: argparse.Namespace) -> int:
    from ..shadow import shadow

    kind, policy = split_policy(args.shadow)
    found = shadow(Path(args.run), kind, policy)
    if args.json:
        write_json({"agreement": [asdict(one) for one in found]})
        return 0
    for one in found:
        share = f"{one.same / one.decisions:.0%}"
        print(f"{one.verb}: {policy} decides as {one.recorded} in {one.same} of {one.decisions} cases ({share})")
        write_table([{"recorded": a, "instead": b, "times": n} for a, b, n in one.differences])
    print(args.run)
    return 0


def _verify(args: argparse.Namespace) -> int:
    from ..replay import verify

    with tempfile.TemporaryDirectory(prefix="semcast-replay-") as scratch:
        again = Path(args.out or Path(scratch) / "run")
        found = verify(Path(args.run), again, args.host, args.display, recorded_models=args.recorded_models)
    if args.json:
        write_json(asdict(found))
        return 0
    took = f"chains checked in {found.check_s:.1f} s, run again in {found.again_s:.1f} s"
    print(f"verified: {found.records} records, digest {found.digest[:16]} again ({took})")
    if found.models == "recorded":
        why = f"they ran on {', '.join(found.cpu)}, this is {found.cpu_now}" if not args.recorded_models else "as asked"
        print(f"models' results were taken from the trace, and are not verified: {why}")
    print(args.out or args.run)
    return 0
