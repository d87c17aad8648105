"""``semcast train``: train a model of the tiny profile."""

import argparse
import logging
from pathlib import Path

from ...bus.errors import BadInput
from . import train_policy
from .output import add_json, write_json, write_table

HELP = "train a model of the tiny profile on the scene world, or a policy on runs; goes on from its checkpoints"
EXAMPLE = "semcast train jscc --minutes 60 --work training/jscc"
SKIPPED = "needs a folder of photographs: --photos DIR"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "recipe",
        metavar="RECIPE",
        nargs="?",
        default="",
        help="what to train, or 'tiny' for all; without it, the recipes are listed",
    )
    parser.add_argument(
        "--only", metavar="RECIPE", action="append", default=[], help="with 'tiny': only this one; may be repeated"
    )
    parser.add_argument(
        "--minutes",
        metavar="M",
        type=float,
        default=0.0,
        help="minutes to train each in all, resumed runs counted (default: the recipe's)",
    )
    parser.add_argument(
        "--work", metavar="DIR", default="", help="folder of checkpoints, with one folder a recipe (default: training)"
    )
    parser.add_argument(
        "--out", metavar="DIR", default="", help="weights folder to write to (default: where the package reads them)"
    )
    parser.add_argument("--photos", metavar="DIR", default="", help="folder of photographs, for jscc-photos")
    parser.add_argument("--device", metavar="DEVICE", default="cpu", help="cpu, cuda or cuda:N (default cpu)")
    parser.add_argument("--threads", metavar="N", type=int, default=1, help="torch threads (default 1)")
    train_policy.configure(parser)
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Train it, or all of them one after the other."""
    from ...agents.models.loading import WEIGHTS
    from ...agents.models.training.recipes import RECIPES, train

    if not args.recipe:
        rows = [{"recipe": name, "minutes": recipe.minutes, "what": recipe.what} for name, recipe in RECIPES.items()]
        rows.append({"recipe": train_policy.NAME, "minutes": 0.0, "what": train_policy.WHAT})
        write_json({"recipes": rows}) if args.json else write_table(rows)
        return 0
    weights, photos = Path(args.out or WEIGHTS), Path(args.photos) if args.photos else None
    _show_progress()
    made: dict[str, dict[str, str]] = {}
    if args.recipe == train_policy.NAME:
        made[args.recipe] = train_policy.execute(args)
    for name in () if made else _wanted(args):
        recipe = RECIPES[name]
        if recipe.photos and photos is None and args.recipe != name:
            made[name] = {"skipped": SKIPPED}
            continue
        minutes, work = args.minutes or recipe.minutes, Path(args.work or "training") / name
        card = train(name, minutes, work, weights / recipe.folder, args.threads, photos, args.device)
        made[name] = {"card": str(card.folder), "sha256": card.sha256}
    if args.json:
        write_json({"trained": made})
    else:
        for name, one in made.items():
            print(f"{name}: {one.get('card') or 'skipped, ' + one['skipped']}")
    return 0


def _show_progress() -> None:
    """What the recipes tell of their progress goes to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    for place in ("agents.models.training", "scenarios.learning"):
        log = logging.getLogger(f"semcast.{place}")
        log.setLevel(logging.INFO)
        log.handlers = [handler]


def _wanted(args: argparse.Namespace) -> list[str]:
    """The recipes asked for, in the order in which they build on each other."""
    from ...agents.models.training.recipes import RECIPES, TINY

    asked = (args.only or list(RECIPES)) if args.recipe == TINY else [args.recipe]
    for name in asked:
        if name not in RECIPES:
            raise BadInput(
                f"no training recipe {name!r}", f"there are: {TINY} (all of them), {', '.join(RECIPES)}, {train_policy.NAME}"
            )
    return [name for name in RECIPES if name in asked]
