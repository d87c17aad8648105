"""The command line: one file per command in ``scenarios/commands``; heavy imports happen inside the commands.

A command's module has ``HELP`` and ``EXAMPLE`` (text), ``configure(parser)`` and ``execute(args) -> exit code``.
"""

import argparse
import importlib
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Protocol, cast

from .. import __version__
from ..bus.errors import SemcastError

COMMANDS = ("run", "check", "list", "new", "trace", "replay", "report", "compare", "sweep", "eval", "train", "calibrate", "bench")
INTERRUPTED = 130


class Command(Protocol):
    """What a module of ``scenarios/commands`` provides."""

    HELP: str
    EXAMPLE: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's options."""

    def execute(self, args: argparse.Namespace) -> int:
        """Do it; returns the exit code."""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="semcast",
        description="Simulate generative semantic communication networks: users, base stations, edge servers and a cloud.",
        epilog="example: semcast run quickstart",
    )
    top.add_argument("--version", action="version", version=f"semcast {__version__}")
    top.add_argument("--debug", action="store_true", help="show tracebacks of errors")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for name in COMMANDS:
        command = cast("Command", importlib.import_module(f"{__package__}.commands.{name}"))
        sub = commands.add_parser(
            name,
            help=command.HELP,
            description=command.HELP[0].upper() + command.HELP[1:] + ".",
            epilog=f"example:\n  {command.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="show the traceback of an error")
        command.configure(sub)
        sub.set_defaults(execute=command.execute)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        0 ok, 1 failed, 2 bad input, 3 something is missing, 130 interrupted.
    """
    args = parser().parse_args(argv)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # `kill` and `timeout` end a command as Ctrl-C does
    try:
        return int(args.execute(args))
    except SemcastError as error:
        if args.debug:
            raise
        print(f"semcast: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("semcast: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if args.debug:
            raise
        print(
            f"semcast: unexpected {type(error).__name__}: {error}\n  hint: run it again with --debug to see where",
            file=sys.stderr,
        )
        return 1
