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
    if profile == TABLE:
        return _differences(rows), (
            "Table less tiny in the network, in percent of tiny, on held-out seeds, with 90 % intervals; p: that it is not "
            f"within 5 % (two one-sided tests, Holm's correction). Measured by: {command}"
        )
    return rows, f"Held-out data, 95 % intervals, on the weights of this run; measured by: {command}"


def _differences(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a metric."""
    value = {str(row["figure"]): row["value"] for row in rows}
    found = []
    for row in rows:
        name, percent, _ = str(row["figure"]).rpartition("_percent")
        if percent:
            p = value.get(f"{name}_p")
            about = {"metric": name.removeprefix("table_"), "difference": row["value"], "low": row["low"], "high": row["high"]}
            found.append(about | {"p": p, "seeds": row["n"]})
    return found
