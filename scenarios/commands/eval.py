"""``semcast eval``: how good the shipped models are, on held-out data."""

import argparse
import sys
from collections.abc import Mapping
from fractions import Fraction
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from ...bus.errors import BadInput
from ..evaluations import ALL, EVALUATIONS, Request, chosen, evaluate
from .output import add_json, write_json, write_table

if TYPE_CHECKING:
    from ..evaluations.score import Score, Skipped

HELP = "measure the models on held-out data, each figure with its interval"
EXAMPLE = "semcast eval models --json\n  semcast eval extraction --scenes 100\n  semcast eval jscc --images photos --cbr 1/16"
ON_IMAGES = "jscc"
DEVICES = "devices"
GENERATORS = "generators"
TABLE = "table"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    known = "; ".join(f"{name}: {evaluation.what}" for name, evaluation in EVALUATIONS.items())
    parser.add_argument("what", metavar="WHAT", nargs="*", help=f"what to measure ({ALL}, the default: all models; {known})")
    parser.add_argument("--scenes", metavar="N", type=int, default=200, help="held-out scenes (default 200)")
    parser.add_argument("--models", metavar="PROFILE", default="tiny", help="model profile (default tiny)")
    parser.add_argument("--images", metavar="DIR", default="", help=f"pictures for {ON_IMAGES}")
    parser.add_argument("--cbr", metavar="C", default="1/16", help="complex channel uses / (3 H W), 1/48 to 1/6 (default 1/16)")
    parser.add_argument("--snr", metavar="DB,...", default="1,4,7,10,13", help="Es/N0 in dB (default 1,4,7,10,13)")
    parser.add_argument("--seeds", metavar="N", type=int, default=12, help=f"seeds for {TABLE} (default 12)")
    parser.add_argument("--parts", metavar="DIR", default="", help=f"keep what single runs of {TABLE} have shown there, to go on")
    parser.add_argument("--save", action="store_true", help="keep the figures beside the weights, for the reports of runs")
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Measure."""
    from ..evaluations.score import as_json

    names = list(dict.fromkeys(name for what in args.what or [ALL] for name in _names(what)))
    if args.scenes < 2:
        raise BadInput("--scenes: an interval needs at least 2")
    if args.seeds < 2:
        raise BadInput("--seeds: an interval needs at least 2")
    request = _request(args, names)
    results: dict[str, Score | Skipped] = {}
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        found = evaluate(name, request)
        results |= found
        if args.save:
            from ..evaluations.kept import save

            save(name, found, TABLE if name == TABLE else args.models)
    if args.json:
        write_json({name: as_json(score) for name, score in results.items()})
    elif ON_IMAGES in names:
        from ..evaluations import jscc_tables

        for title, table in jscc_tables.tables(results, request):
            write_table(table, title=title)
        print("\n".join(jscc_tables.remarks(results, request)))
    elif names == [DEVICES]:
        from ..evaluations import devices

        for table in devices.tables(results):
            write_table(table)
        _tell_skipped(results)
        print(f"{args.scenes} held-out scenes, 95 % intervals; changes against the whole model, paired by scene")
    elif names == [GENERATORS]:
        from ..evaluations import generators

        for table in generators.tables(results):
            write_table(table)
        _tell_skipped(results)
        print(f"{args.scenes} held-out scenes; differences with 95 % intervals, paired by scene; intervals of all: --json")
    elif names == [TABLE]:
        from ..evaluations import table as table_evaluation

        write_table(table_evaluation.tables(results))
        print(f"{args.seeds} held-out seeds; table less tiny in percent of tiny, two one-sided t-tests, Holm's correction")
    else:
        rows = [{"name": name} | as_json(score) for name, score in results.items()]
        write_table(rows, ["name", "value", "low", "high", "n"], f"{args.scenes} held-out scenes, 95 % intervals")
        _tell_skipped(results)
    return 0


def _tell_skipped(results: "Mapping[str, Score | Skipped]") -> None:
    from ..evaluations.score import Skipped

    for name, score in results.items():
        if isinstance(score, Skipped):
            print(f"{name}: skipped, because {score.reason}")


def _names(what: str) -> tuple[str, ...]:
    found = chosen(what)
    if not found:
        raise BadInput(f"nothing to measure called {what!r}", f"there are: {', '.join([ALL, *EVALUATIONS])}")
    return found


def _request(args: argparse.Namespace, names: list[str]) -> Request:
    """The request that the options make.

    Raises:
        BadInput: An option that cannot be read, or does not go with what is measured.
    """
    if ON_IMAGES in names:
        if len(names) > 1 or args.save:
            raise BadInput(f"{ON_IMAGES} is measured alone, on your pictures, and not kept", "semcast eval jscc --images DIR")
    elif args.images:
        raise BadInput("--images goes with jscc alone", "semcast eval jscc --images DIR")
    try:
        cbr = Fraction(args.cbr)
    except (ValueError, ZeroDivisionError):
        raise BadInput(f"--cbr {args.cbr} is no number", "for instance --cbr 1/16") from None
    try:
        snrs_db = tuple(dict.fromkeys(float(part) for part in args.snr.split(",")))
    except ValueError:
        raise BadInput(f"--snr {args.snr} is no list of numbers", "for instance --snr 1,4,7") from None
    if not all(isfinite(snr_db) for snr_db in snrs_db):
        raise BadInput(f"--snr {args.snr} holds no numbers", "for instance --snr 1,4,7")
    images, parts = (Path(given) if given else None for given in (args.images, args.parts))
    return Request(
        args.scenes, args.models, images, cbr, snrs_db, args.seeds, parts, lambda text: print(text, file=sys.stderr, flush=True)
    )
