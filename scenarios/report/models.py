"""The measured quality of the models in use, as ``semcast eval models --save`` left it beside the weights."""

from typing import Any

from ...agents.models.loading import TABLE
from ..evaluations.kept import kept

COMMANDS = {TABLE: "semcast eval table --save"}
"""Profile -> what measures it."""


def model_table(profile: str) -> tuple[list[dict[str, Any]], str]:
    """One row a figure, and a remark: on which weights they were measured, or how to measure them."""
    found, command = kept(profile), COMMANDS.get(profile, "semcast eval models --save")
    rows = [{"figure": name} | values for part in found.values() for name, values in part.figures.items()]
    if not rows:
        return [], f"Not measured yet: {command}"
    old = [name for name, part in found.items() if not part.current]
    if old:
        return rows, f"Measured on other weights than this run's: {', '.join(old)}; measure again: {command}"
    return rows, f"Held-out data, 95 % intervals, on the weights of this run; measured by: {command}"
