"""``semcast new policy``: a package with a policy of one's own, ready to be changed."""

import argparse
from pathlib import Path

from ...bus.errors import BadInput
from .options import KINDS

HELP = "write a package with a policy of your own, with a test that passes"
EXAMPLE = "semcast new policy my-policy --kind prompt"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("what", choices=("policy",), help="what to write")
    parser.add_argument("name", metavar="NAME", help="name of the package, such as my-policy")
    parser.add_argument("--kind", required=True, choices=KINDS, help="what the policy decides")
    parser.add_argument("--out", metavar="DIR", default=".", help="folder in which the package's folder is made (default: here)")


def execute(args: argparse.Namespace) -> int:
    """Write it; an existing folder is left alone."""
    from ...policies.skeleton import package_files

    files = package_files(args.kind, args.name)
    folder = Path(args.out) / args.name
    if folder.exists():
        raise BadInput(f"{folder} exists", "choose another NAME or --out, or remove it")
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    policy = next(path for path in files if path.endswith("policy.py"))
    print(f"edit {folder / policy}; how to check and run it is in README.md")
    print(folder)
    return 0
