"""``semcast train``: train a model of the tiny profile."""

import argparse

from ...bus.errors import BadInput

HELP = "train a model of the tiny profile on the scene world (checkpoints; resumes)"
EXAMPLE = "semcast train extractor --minutes 60 --work training/extractor"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("recipe", metavar="RECIPE", help="what to train, such as extractor, generator, jscc ('list' shows all)")
    parser.add_argument("--minutes", metavar="M", type=float, default=60.0, help="wall time to train for (default 60)")
    parser.add_argument(
        "--work", metavar="DIR", default="", help="folder for checkpoints (default training/RECIPE); resumed if it has some"
    )
    parser.add_argument("--threads", metavar="N", type=int, default=1, help="torch threads")
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="seed of the training data")


def execute(args: argparse.Namespace) -> int:
    """Train it."""
    from ...agents.models.training import recipes

    known = sorted(recipes.RECIPES)
    if args.recipe == "list":
        print("\n".join(known))
        return 0
    if args.recipe not in known:
        raise BadInput(f"no training recipe {args.recipe!r}", f"there are: {', '.join(known)}")
    return 0
