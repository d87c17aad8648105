"""A contest of policies of one kind: what has to be run, in which order, and with which seeds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...bus.errors import BadInput
from ..schema import Scenario
from .cells import Cell
from .families import BASELINES, fixed_family, is_oracle, oracles, prompt_sets
from .objectives import OBJECTIVES, Objective
from .plan import Point, policy_points
from .tuning import TUNING_OFFSET, Tuned, tune, tuning_seeds

Run = Callable[[Sequence[tuple[Point, int]]], list[Cell]]
"""Runs points with seeds and returns their cells."""


@dataclass(frozen=True)
class Contest:
    """What is compared.

    Attributes:
        kind: Kind of policy.
        choices: The policies to judge.
        oracles: Policies that know the truth.
        fixed: Fixed choices that are tuned on the tuning seeds; for the kind ``noise`` fixed prompts.
        own_baseline: The baseline where it is not the best of ``fixed``.
        seeds: Compared seeds.
        tuning: Seeds for tuning; they are no compared seeds.
        price_db: dB that 1000 complex symbols of a picture cost.
        all_fixed: Whether all fixed choices are run on the compared seeds as well, not only the best.
        budget: Credits that incentives have.
    """

    kind: str
    choices: tuple[Point, ...]
    oracles: tuple[Point, ...]
    fixed: tuple[Point, ...]
    own_baseline: Point | None
    seeds: range
    tuning: range
    price_db: float
    all_fixed: bool
    budget: float

    @property
    def objective(self) -> Objective:
        """What the kind is judged by."""
        return OBJECTIVES[self.kind]

    @property
    def runs(self) -> int:
        """Number of runs that it takes, at most."""
        first = len(self._tuning_runs()) + len(self._compared_runs())
        return first + (0 if self.all_fixed or self.own_baseline else len(self.seeds))

    def _tuning_runs(self) -> list[tuple[Point, int]]:
        return [(point, seed) for point in self.fixed for seed in self.tuning] if len(self.fixed) > 1 else []

    def _compared_runs(self) -> list[tuple[Point, int]]:
        points = [*self.choices, *self.oracles]
        points += [self.own_baseline] if self.own_baseline else []
        points += self.fixed if self.all_fixed else ()
        return [(point, seed) for point in unique(points) for seed in self.seeds]


@dataclass(frozen=True)
class Outcome:
    """All cells on the compared seeds, the baseline's point, and how the fixed choices were tuned (None: nothing to tune)."""

    contest: Contest
    baseline: Point
    cells: tuple[Cell, ...]
    tuned: Tuned | None


def unique(points: Sequence[Point]) -> list[Point]:
    """The points without repetitions, by name."""
    return list({point.name: point for point in points}.values())


def plan(
    kind: str,
    choices: Sequence[str],
    scenario: Scenario,
    *,
    seeds: int,
    tuning: int,
    price_db: float,
    fixed: Sequence[str] = (),
    all_fixed: bool = False,
) -> Contest:
    """Plan a contest.

    Args:
        kind: Kind of policy.
        choices: Policies as written.
        scenario: The scenario they meet; its seed is the first one compared.
        seeds: How many seeds are compared.
        tuning: How many others the fixed choices are tuned on.
        price_db: See `objectives.with_derived`.
        fixed: Fixed choices to tune instead of the kind's own family (for ``noise``: prompts).
        all_fixed: Run all fixed choices on the compared seeds also where the kind's verdict does not need them.

    Raises:
        BadInput: No seeds, or so many that they meet those for tuning; ``fixed`` for a kind without such choices.
    """
    if not 1 <= seeds <= TUNING_OFFSET or tuning < 1:
        raise BadInput(f"{seeds} seeds and {tuning} for tuning: give 1 to {TUNING_OFFSET:,} seeds, and at least 1 for tuning")
    own = None
    if kind in BASELINES:
        if fixed and kind != "noise":
            raise BadInput(f"--fixed: the baseline of {kind} policies is {BASELINES[kind]}, there is nothing to tune")
        (own,) = policy_points(kind, [BASELINES[kind]])
    if kind == "noise":
        prompts = fixed or prompt_sets(scenario)
        found = [Point(f"none, {text}", "", {"policies.noise": "none", "policies.prompt": text}) for text in prompts]
    else:
        found = [] if own else policy_points(kind, fixed or fixed_family(kind, scenario))
    return Contest(
        kind,
        tuple(unique(policy_points(kind, [text for text in choices if not is_oracle(kind, text)]))),
        tuple(unique(policy_points(kind, oracles(kind, choices, price_db)))),
        tuple(unique(found)),
        own,
        range(scenario.seed, scenario.seed + seeds),
        tuning_seeds(scenario.seed, tuning),
        price_db,
        bool(found) and (all_fixed or OBJECTIVES[kind].at_equal_cost),
        scenario.knowledge.budget,
    )


def hold(contest: Contest, run: Run) -> Outcome:
    """Tune on the tuning seeds, run everything on the compared ones."""
    cells = run(contest._tuning_runs() + contest._compared_runs())
    tuned = None
    if len(contest.fixed) > 1:
        names = [point.name for point in contest.fixed]
        tuned = tune(names, [cell for cell in cells if cell.seed in contest.tuning], contest.objective, contest.price_db)
    best = next((point for point in contest.fixed if tuned is None or point.name == tuned.best), None)
    baseline = contest.own_baseline or best
    assert baseline is not None
    if not contest.all_fixed and not contest.own_baseline:
        cells = cells + run([(baseline, seed) for seed in contest.seeds])
    return Outcome(contest, baseline, tuple(cell for cell in cells if cell.seed in contest.seeds), tuned)
