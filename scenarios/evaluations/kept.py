"""The figures of the models in use, kept beside the weights: ``semcast eval WHAT --save`` writes them, reports show them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...agents.models.loading import WEIGHTS
from .. import folder as folders
from . import EVALUATIONS
from .score import Score, Skipped, as_json

KEPT = WEIGHTS / "evaluation.json"


@dataclass(frozen=True)
class Kept:
    """Figures of one evaluation as they were kept; ``current``: measured on the weights that are here now."""

    figures: dict[str, dict[str, Any]]
    current: bool


def save(name: str, scores: Mapping[str, Score | Skipped], profile: str) -> None:
    """Keep the figures of one evaluation with the hashes of the weights that they were measured on, in place of its old ones."""
    content = _read()
    content[name] = {
        "profile": profile,
        "weights": _weights(name, profile),
        "figures": {figure: as_json(score) for figure, score in scores.items()},
    }
    ordered = {known: content[known] for known in EVALUATIONS if known in content}
    folders.write_text(KEPT, json.dumps(ordered, indent=1) + "\n")


def kept(profile: str) -> dict[str, Kept]:
    """Evaluation -> its kept figures for a profile, in the order of `EVALUATIONS`."""
    content = _read()
    return {
        name: Kept(content[name]["figures"], content[name]["weights"] == _weights(name, profile))
        for name in EVALUATIONS
        if name in content and content[name]["profile"] == profile
    }


def _weights(name: str, profile: str) -> dict[str, str]:
    hashes = folders.weights(profile)
    return {role: hashes[role] for role in EVALUATIONS[name].roles if role in hashes}


def _read() -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content
