"""Options that several commands share: which scenario, and how it is changed."""

import argparse
from typing import TYPE_CHECKING, Any

from ...bus.errors import BadInput

if TYPE_CHECKING:
    from ..schema import Scenario

KINDS = ("noise", "prompt", "encoder", "incentive", "scheduling", "eviction")


def add_scenario(parser: argparse.ArgumentParser, several: str = "", optional: bool = False) -> None:
    """Add SCENARIO and the options that change it; ``several``: help of ``--policy`` where it takes lists."""
    help = "name from the catalog (semcast list scenarios), TOML file, or run folder"
    parser.add_argument("scenario", metavar="SCENARIO", nargs="?" if optional else None, help=help)
    parser.add_argument(
        "--set", metavar="A.B=V", action="append", default=[], dest="settings", help="change a value; may be repeated"
    )
    parser.add_argument(
        "--policy",
        metavar="KIND=A[:P=V],B" if several else "KIND=NAME[:P=V]",
        action="append",
        default=[],
        help=f"{several or 'change a policy'}; kinds: {', '.join(KINDS)}",
    )
    parser.add_argument("--models", metavar="PROFILE", help="model profile: tiny, table, hub")
    parser.add_argument("--seed", metavar="N", type=int, help="seed of all randomness")
    parser.add_argument("--quick", action="store_true", help="apply the scenario's [quick] table: a run of seconds")


def load_scenario(args: argparse.Namespace, **more: Any) -> "Scenario":
    """The scenario that the options describe; ``more``: further overrides by dotted path with ``__`` for the dot.

    Raises:
        BadInput: As `scenarios.loading.load`; or a malformed ``--policy``.
    """
    from ..loading import load

    overrides: dict[str, Any] = {}
    for text in args.policy:
        kind, policy = split_policy(text)
        overrides[f"policies.{kind}"] = policy
    if args.models is not None:
        overrides["models.profile"] = args.models
    if args.seed is not None:
        overrides["seed"] = args.seed
    overrides |= {key.replace("__", "."): value for key, value in more.items() if value is not None}
    return load(args.scenario, quick=args.quick, settings=args.settings, overrides=overrides)


def split_policy(text: str) -> tuple[str, str]:
    """``"encoder=fixed:snr_db=10"`` -> ``("encoder", "fixed:snr_db=10")``.

    Raises:
        BadInput: No ``=``, or an unknown kind.
    """
    kind, sign, policy = text.partition("=")
    if not sign or not policy or kind not in KINDS:
        from ..mistakes import nearest

        close = nearest(kind, KINDS) if sign and policy else ""
        raise BadInput(
            f"--policy {text}: expected kind=name:param=value, kind one of {', '.join(KINDS)}",
            f"did you mean --policy {close}={policy}?" if close else "for instance --policy encoder=fixed",
        )
    return kind, policy
