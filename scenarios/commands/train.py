"""``semcast train``: train a model of the tiny profile."""

import argparse
from pathlib import Path

from ...bus.errors import BadInput
from .output import add_json, write_json, write_table

HELP = "train a model of the tiny profile on the scene world; goes on from its checkpoints"
EXAMPLE = "semcast train jscc --minutes 60 --work training/jscc"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "recipe", metavar="RECIPE", nargs="?", default="", help="what to train; without it, the recipes are listed"
    )
    parser.add_argument(
        "--minutes", metavar="M", type=float, default=60.0, help="minutes to train in all, resumed runs counted (default 60)"
    )
    parser.add_argument("--work", metavar="DIR", default="", help="folder of checkpoints (default: training/RECIPE)")
    parser.add_argument(
        "--out", metavar="DIR", default="", help="where weights and card go (default: where the package reads them)"
    )
    parser.add_argument("--photos", metavar="DIR", default="", help="folder of photographs, for jscc-photos")
    parser.add_argument("--threads", metavar="N", type=int, default=1, help="torch threads (default 1)")
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Train it."""
    from ...agents.models.training.recipes import RECIPES, train

    if not args.recipe:
        rows = [{"recipe": name, "what": recipe.what} for name, recipe in sorted(RECIPES.items())]
        write_json({"recipes": rows}) if args.json else write_table(rows)
        return 0
    if args.recipe not in RECIPES:
        raise BadInput(f"no training recipe {args.recipe!r}", f"there are: {', '.join(sorted(RECIPES))}")
    work = Path(args.work or f"training/{args.recipe}")
    out, photos = (Path(given) if given else None for given in (args.out, args.photos))
    card = train(args.recipe, args.minutes, work, out, args.threads, photos)
    if args.json:
        write_json({"card": str(card.folder), "sha256": card.sha256})
    else:
        print(card.folder)
    return 0
