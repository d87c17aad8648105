"""``semcast replay``: a finished run again, or another policy on what it recorded."""

import argparse
import tempfile
from dataclasses import asdict
from pathlib import Path

from ...bus.errors import BadInput
from .options import split_policy
from .output import add_json, write_json, write_table

HELP = "check a finished run and run it again, or ask another policy what its policies were asked"
EXAMPLE = "semcast replay runs/two-users-001 --verify\n  semcast replay runs/two-users-001 --shadow encoder=snr-table"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run", metavar="RUN", help="run folder")
    parser.add_argument("--verify", action="store_true", help="check all hash chains, run again and compare")
    parser.add_argument(
        "--shadow", metavar="KIND=NAME[:P=V]", default="", help="let another policy decide on what was recorded, without effect"
    )
    parser.add_argument("--host", choices=("memory", "nats", "ray"), default="memory", help="of the second run (default: memory)")
    parser.add_argument("--out", metavar="DIR", default="", help="keep the second run's folder here (default: it is removed)")
    parser.add_argument(
        "--display", choices=("rich", "plain", "none"), default="", help="live progress on stderr (default: what suits it)"
    )
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Verify it, or tabulate what another policy would have decided."""
    if args.verify == bool(args.shadow):
        raise BadInput("replay: one mode, please", "semcast replay RUN --verify, or --shadow encoder=snr-table")
    return _shadow(args) if args.shadow else _verify(args)


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
        found = verify(Path(args.run), Path(args.out or Path(scratch) / "run"), args.host, args.display)
    if args.json:
        write_json({"digest": found.digest, "records": found.records, "check_s": found.check_s, "again_s": found.again_s})
    else:
        took = f"chains checked in {found.check_s:.1f} s, run again in {found.again_s:.1f} s"
        print(f"verified: {found.records} records, digest {found.digest[:16]} again ({took})")
        print(args.out or args.run)
    return 0
