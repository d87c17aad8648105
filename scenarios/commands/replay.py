"""``semcast replay``: a finished run again."""

import argparse
import tempfile
from pathlib import Path

from ...bus.errors import BadInput
from .output import add_json, write_json

HELP = "check a finished run against its trace and run it again: the same digest, or the first difference is named"
EXAMPLE = "semcast replay runs/two-users-001 --verify"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run", metavar="RUN", help="run folder")
    parser.add_argument("--verify", action="store_true", help="check all hash chains, run again and compare")
    parser.add_argument("--host", choices=("memory", "nats", "ray"), default="memory", help="of the second run (default: memory)")
    parser.add_argument("--out", metavar="DIR", default="", help="keep the second run's folder here (default: it is removed)")
    parser.add_argument(
        "--display", choices=("rich", "plain", "none"), default="", help="live progress on stderr (default: what suits it)"
    )
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Verify it."""
    from ..replay import verify

    if not args.verify:
        raise BadInput("replay: which mode?", "semcast replay RUN --verify")
    with tempfile.TemporaryDirectory(prefix="semcast-replay-") as scratch:
        found = verify(Path(args.run), Path(args.out or Path(scratch) / "run"), args.host, args.display)
    if args.json:
        write_json({"digest": found.digest, "records": found.records, "check_s": found.check_s, "again_s": found.again_s})
    else:
        took = f"chains checked in {found.check_s:.1f} s, run again in {found.again_s:.1f} s"
        print(f"verified: {found.records} records, digest {found.digest[:16]} again ({took})")
        print(args.out or args.run)
    return 0
