"""The measured quality of the models in use, as ``semcast eval --save`` left it beside the weights."""

import json
from typing import Any

from ...agents.models.loading import WEIGHTS
from .. import folder as folders

EVALUATION = WEIGHTS / "evaluation.json"


def save_evaluation(figures: dict[str, dict[str, float]], profile: str) -> None:
    """Keep the figures with the hashes of the weights that they were measured on."""
    content = {"profile": profile, "weights": folders.weights(profile), "figures": figures}
    folders.write_text(EVALUATION, json.dumps(content, indent=1) + "\n")


def model_table(profile: str) -> tuple[list[dict[str, Any]], str]:
    """One row a figure, and a remark: on which weights they were measured, or how to measure them."""
    try:
        content = json.loads(EVALUATION.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [], "Not measured yet: semcast eval --save"
    rows = [{"figure": name} | values for name, values in content["figures"].items()]
    if content["weights"] != folders.weights(profile):
        return rows, "Measured on other weights than this run's; measure again: semcast eval --save"
    return rows, "Held-out scenes of 1 to 4 objects, 95 % intervals, on the weights of this run; measured by: semcast eval --save"
