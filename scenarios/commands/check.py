"""``semcast check``: is this scenario right?"""

import argparse

from .options import add_scenario, load_scenario
from .output import add_json, write_json

HELP = "check scenarios: all mistakes at once, with path, reason and nearest name"
EXAMPLE = "semcast check my-scenario.toml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_scenario(parser)
    add_json(parser)


def execute(args: argparse.Namespace) -> int:
    """Check the scenario as it is and, if it has one, with its quick overlay."""
    from ..build import network_settings
    from ..loading import load, read

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
