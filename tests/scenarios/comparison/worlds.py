"""Invented outcomes of comparisons whose truth is known."""

import numpy as np
from semcast.bus import keys
from semcast.scenarios.comparison.cells import Cell, columns
from semcast.scenarios.comparison.contest import Outcome, hold, plan
from semcast.scenarios.comparison.plan import Point
from semcast.scenarios.loading import load

NAMES = [f"u/{i}" for i in range(40)]
PROMPTS = ("fixed:parts=caption", "fixed:parts=boxes", "fixed:parts=caption+boxes")


def cell(point: str, seed: int, requests: list[str], **given: list[float] | list[float | None]) -> Cell:
    """A cell whose other columns are ones."""
    values = {name: list(given.get(name, [1.0] * len(requests))) for name in columns()}
    return Cell(point, seed, "", tuple(requests), values, {})


def clustered(key: str, seeds: int, requests: int, between: float, within: float) -> tuple[np.ndarray, np.ndarray]:
    """Values of mean 0 with a part that each seed's requests share: (values, seed of each request)."""
    rng = keys.generator("test", key)
    shared = between * rng.standard_normal(seeds)
    values = np.repeat(shared, requests) + within * rng.standard_normal(seeds * requests)
    return values, np.repeat(np.arange(seeds), requests)


def prompt_cell(point: Point, seed: int) -> Cell:
    """A world in which half of the requests are hard: these need both parts, the others a caption."""
    name = point.name
    hard = np.array([keys.uniform("test", seed, request) < 0.5 for request in NAMES])
    luck = 0.05 * np.array([keys.uniform("test", seed, request, "luck") for request in NAMES])
    rich = {"adaptive": hard, "fixed:parts=caption+boxes": np.ones(40, bool)}.get(name, np.zeros(40, bool))
    some = np.ones(40, bool) if name == "fixed:parts=boxes" else rich
    errors = np.where(hard, np.where(rich, 0.1, np.where(some, 0.6, 0.8)), 0.1) + luck
    bits = np.where(rich, 160.0, np.where(some, 100.0, 60.0))
    return cell(name, seed, NAMES, generated_error=errors.tolist(), told_bits=bits.tolist())


def prompt_contest() -> Outcome:
    """Six seeds of that world: a choice that knows which requests are hard, and one of the fixed choices."""
    choices = ["adaptive", "fixed:parts=boxes"]
    contest = plan("prompt", choices, load("quickstart"), seeds=6, tuning=2, price_db=1.0, fixed=PROMPTS)
    return hold(contest, lambda todo: [prompt_cell(point, seed) for point, seed in todo])
