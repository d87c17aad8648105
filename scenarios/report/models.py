"""The measured quality of the models in use, from their cards."""

from typing import Any


def model_table() -> list[dict[str, Any]]:
    """One row a measured figure of a model card; empty if no card holds any."""
    from pathlib import Path

    from ...agents.models.cards import read_card

    weights = Path(__file__).parents[2] / "agents" / "models" / "weights"
    rows = []
    for path in sorted([*weights.glob("*/card.json"), *weights.glob("*/library.json")]):
        card = read_card(path.parent, path.name)
        for name, value in card.data.get("eval", {}).items():
            numbers = value if isinstance(value, dict) else {"value": value}
            rows.append(
                {"model": card.data["name"], "figure": name} | {key: numbers.get(key) for key in ("value", "low", "high", "n")}
            )
    return rows
