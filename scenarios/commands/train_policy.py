"""``semcast train prompt-policy``: reinforcement learning of the prompt policy ``rl``."""

import argparse
import os
from pathlib import Path

NAME = "prompt-policy"
WHAT = "the prompt policy rl, by reinforcement learning on runs of a scenario"
ROUNDS, WORLDS = 8, 8
CHEAP = {"models.generator": "small", "models.generator_steps": 2}
"""Runs are episodes: they draw with the small generator."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options that only this recipe has."""
    group = parser.add_argument_group(NAME)
    group.add_argument("--scenario", metavar="S", default="contrast", help="scenario to learn in (default: contrast)")
    group.add_argument("--rounds", metavar="N", type=int, default=ROUNDS, help=f"rounds in all (default {ROUNDS})")
    group.add_argument("--worlds", metavar="N", type=int, default=WORLDS, help=f"runs a round (default {WORLDS})")
    group.add_argument("--price", metavar="P", type=float, default=None, help="semantic error that 1000 bits cost (default 0.2)")
    group.add_argument("--held-out", metavar="N", type=int, default=2, help="worlds for the card's evaluation (default 2)")
    group.add_argument("--jobs", metavar="N", type=int, default=os.cpu_count() or 1, help="runs at once; 1: without Ray")
    group.add_argument("--address", metavar="A", default="", help="Ray cluster to run on (default: a local one)")


def execute(args: argparse.Namespace) -> dict[str, str]:
    """Train it, or go on, and write weights and card; what ``semcast train`` says of it."""
    from ...agents.ray_hosting import connected
    from ...policies.prompt.learned import SHIPPED
    from ..learning.environment import PRICE
    from ..learning.training import HELD_OUT, Plan, evaluated, train, write_policy
    from ..loading import dumps, load

    scenario = load(args.scenario, overrides={"host": "memory", "workers": 1, "seed": 0, **CHEAP})
    plan = Plan(dumps(scenario), args.worlds, PRICE if args.price is None else args.price)
    work = Path(args.work or "training") / NAME
    where = {"jobs": args.jobs, "address": args.address}
    seeds = range(HELD_OUT, HELD_OUT + args.held_out)
    with connected(**where):
        done = train(plan, args.rounds, work, **where)
        evaluation = evaluated(plan, done[-1].learner, seeds, work, **where) if seeds else {}
    about = {"scenario": args.scenario, "settings": CHEAP}
    card = write_policy(plan, done, Path(args.out) / NAME if args.out else SHIPPED.parent, evaluation, about)
    return {"card": str(card.folder), "sha256": card.sha256}
