"""The verdicts of a contest: against the tuned baseline, at equal cost, and by the share of the oracle's gain."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .cells import Cell
from .contest import Outcome, unique
from .equal_cost import frontier_of_hindsight, hindsight, hull, time_sharing
from .objectives import with_derived
from .rows import contrast, difference_rows, judge_metrics
from .simultaneous import Claim
from .statistics import Resamples, interval, mean, paired

HINDSIGHT = "oracle (hindsight)"


@dataclass(frozen=True)
class EqualCost:
    """A choice beside fixed ones that cost the same: ``value`` is what they reach, one a request (see `equal_cost`)."""

    point: str
    against: str
    single: bool
    value: np.ndarray
    spent: np.ndarray
    """The choice's cost, by request."""
    rival_cost: float
    covered: bool


class Judgement:
    """An outcome's data, joined and judged; `answer` is the content of ``compare.json``."""

    def __init__(self, outcome: Outcome) -> None:
        contest = outcome.contest
        points = [outcome.baseline, *contest.choices, *contest.oracles, *(contest.fixed if contest.all_fixed else ())]
        names = [point.name for point in unique(points)]
        self.outcome, self.contest = outcome, contest
        self.data = with_derived(paired(names, outcome.cells), contest.price_db)
        self.resamples = Resamples(self.data.seeds)
        self.baseline = outcome.baseline.name
        self.labels = self._labels()
        self.judged = [point.name for point in contest.choices if point.name != self.baseline]
        self.beside = [each for point in self.judged for each in self._equal_cost(point)]
        self.metrics, self.equal = judge_metrics(
            self.data,
            self.judged,
            self.baseline,
            contest.objective.primary,
            self.resamples,
            [self._plane_gain(each) for each in self.beside],
        )

    def _labels(self) -> dict[str, str]:
        """Point -> what it is called in tables: baseline, choices, oracles."""
        text = self.outcome.baseline.name
        labels = {text: f"best fixed ({plain(text)})" if self.outcome.tuned else f"baseline ({plain(text)})"}
        labels |= {point.name: point.name for point in self.contest.choices if point.name != text}
        return labels | {point.name: f"oracle ({point.name})" for point in self.contest.oracles}

    # --- at equal cost --------------------------------------------------------------------------------------------------

    def _loss(self, point: str) -> np.ndarray:
        """A point's quality in the plane, lower is better."""
        plane = self.contest.objective.plane
        assert plane is not None
        return np.asarray(plane.sign * self.data.row(point, plane.quality))

    def _plane_gain(self, each: EqualCost) -> np.ndarray:
        """By how much a choice's loss differs, by request, in the direction of the plane's quality."""
        plane = self.contest.objective.plane
        assert plane is not None
        return np.asarray(plane.sign * (self._loss(each.point) - each.value))

    def _fixed(self) -> tuple[list[str], np.ndarray, np.ndarray]:
        """Names, losses and costs (k, n) of the fixed choices on the compared seeds."""
        plane = self.contest.objective.plane
        assert plane is not None
        names = [point.name for point in self.contest.fixed]
        losses = np.array([self._loss(name) for name in names])
        return names, losses, np.array([self.data.row(name, plane.cost) for name in names])

    def _equal_cost(self, point: str) -> list[EqualCost]:
        """The best fixed choice that costs no more (picked by its loss on the tuning seeds), and time sharing of two."""
        plane = self.contest.objective.plane
        if plane is None or not self.contest.all_fixed:
            return []
        names, losses, costs = self._fixed()
        spent = self.data.row(point, plane.cost)
        budget = float(spent.mean())
        tuned = self.outcome.tuned.plane_losses if self.outcome.tuned else {}
        affordable = [k for k in range(len(names)) if costs[k].mean() <= budget * (1 + 1e-9)]
        best = min(affordable or [int(costs.mean(axis=1).argmin())], key=lambda k: tuned.get(names[k], 0.0))
        mix = time_sharing(losses, costs, spent)
        parts = (
            plain(names[mix.first if mix.share < 0.5 else mix.second])
            if not 0.005 < mix.share < 0.995
            else (f"{plain(names[mix.first])} {1 - mix.share:.0%}, {plain(names[mix.second])} {mix.share:.0%}")
        )
        mixed = (1 - mix.share) * costs[mix.first].mean() + mix.share * costs[mix.second].mean()
        single = f"best fixed {plane.name} ({plain(names[best])})"
        return [
            EqualCost(point, single, True, losses[best], spent, float(costs[best].mean()), bool(affordable)),
            EqualCost(point, f"time sharing {plane.name} ({parts})", False, mix.value, spent, float(mixed), mix.covered),
        ]

    def _equal_rows(self) -> list[dict[str, Any]]:
        plane = self.contest.objective.plane
        found = []
        for each, claim in zip(self.beside, self.equal, strict=True):
            assert plane is not None
            found.append(
                {
                    "choice": self.labels[each.point],
                    "metric": plane.quality,
                    "against": each.against,
                    "mean": mean(self.data.row(each.point, plane.quality)),
                    "rival_mean": mean(plane.sign * each.value),
                    "cost": mean(each.spent),
                    "rival_cost": each.rival_cost,
                    "cost_is": plane.cost,
                    **asdict(claim),
                    "verdict": claim.verdict(plane.higher_is_better),
                    "seeds": len(np.unique(self.data.seeds)),
                    "cheaper_than_all": not each.covered,
                }
            )
        return found

    # --- the oracle's gain ----------------------------------------------------------------------------------------------

    def _gains(self) -> list[dict[str, Any]]:
        """Share of the oracle's gain that each choice has, for every oracle."""
        objective, found = self.contest.objective, []
        sign = 1.0 if objective.higher_is_better else -1.0
        for oracle in self.contest.oracles:
            whole = sign * contrast(self.data, oracle.name, self.baseline, objective.metric)
            for point in self.judged:
                own = sign * contrast(self.data, point, self.baseline, objective.metric)
                found.append(
                    self._gain(point, f"oracle ({oracle.name})", objective.metric, self.labels[self.baseline], own, whole)
                )
        if objective.at_equal_cost and self.contest.all_fixed:
            _, losses, costs = self._fixed()
            for each in (each for each in self.beside if each.single):
                whole = each.value - hindsight(losses, costs, each.spent)
                own = each.value - self._loss(each.point)
                name = f"{HINDSIGHT}, {objective.plane.name if objective.plane else ''}"
                found.append(self._gain(each.point, name, objective.metric, each.against, own, whole))
        elif self.contest.all_fixed:
            values = sign * self.data.values[objective.metric]
            best = values[[self.data.points.index(point.name) for point in self.contest.fixed]].max(axis=0)
            base = sign * self.data.row(self.baseline, objective.metric)
            for point in self.judged:
                own = sign * contrast(self.data, point, self.baseline, objective.metric)
                found.append(self._gain(point, HINDSIGHT, objective.metric, self.labels[self.baseline], own, best - base))
        return found

    def _gain(self, point: str, oracle: str, metric: str, against: str, own: np.ndarray, whole: np.ndarray) -> dict[str, Any]:
        """``share = mean(own) / mean(whole)`` with its bootstrap interval; None where the oracle's gain may be nothing."""
        samples = self.resamples.means(np.array([own, whole]))
        units = self.resamples.units(np.array([own, whole]))
        of_oracle = interval(samples[:, 1], units)
        gain, oracle_gain = mean(own), mean(whole)
        share, low, high = None, None, None
        if of_oracle and of_oracle[0] > 0.0 and gain is not None and oracle_gain:
            share = gain / oracle_gain
            with np.errstate(invalid="ignore", divide="ignore"):
                low, high = interval(samples[:, 0] / samples[:, 1], units) or (None, None)
        return {
            "choice": self.labels[point],
            "oracle": oracle,
            "metric": metric,
            "against": against,
            "gain": gain,
            "oracle_gain": oracle_gain,
            "oracle_gain_low": of_oracle[0] if of_oracle else None,
            "oracle_gain_high": of_oracle[1] if of_oracle else None,
            "share": share,
            "low": low,
            "high": high,
        }

    # --- everything -----------------------------------------------------------------------------------------------------

    def answer(self) -> dict[str, Any]:
        """The content of ``compare.json``."""
        contest, objective = self.contest, self.contest.objective
        equal = self._equal_rows()
        return {
            "compared": f"{contest.kind} policy",
            "kind": contest.kind,
            "baseline": self.labels[self.baseline],
            "objective": {
                "metric": objective.metric,
                "formula": objective.formula,
                "higher_is_better": objective.higher_is_better,
                "primary": list(objective.primary),
                "price_db_per_1000_symbols": contest.price_db if contest.kind == "encoder" else None,
            },
            "requests": int(len(self.data.seeds)),
            "seeds": list(contest.seeds),
            "tuning_seeds": list(contest.tuning) if self.outcome.tuned else [],
            "tuning": self._tuning(),
            "rows": difference_rows(self.data, self.labels, self.baseline, self.resamples, self.metrics),
            "equal_cost": equal,
            "verdicts": self._verdicts(equal),
            "oracle_gain": self._gains(),
            "plane": self._plane(),
            "sharing": self._sharing(),
            "results": results(self.outcome.cells, self.labels),
            "digests": {f"{cell.point} seed {cell.seed}": cell.digest for cell in self.outcome.cells},
        }

    def _tuning(self) -> list[dict[str, Any]]:
        if self.outcome.tuned is None:
            return []
        sign = -1.0 if self.contest.objective.higher_is_better else 1.0
        losses = sorted(self.outcome.tuned.losses.items(), key=lambda item: item[1])
        return [{"fixed": name, self.contest.objective.metric: sign * loss} for name, loss in losses]

    def _sharing(self) -> list[dict[str, Any]]:
        """What each incentive bought, as means over the seeds, and the most that it paid in any, beside its budget."""
        if self.contest.kind != "incentive":
            return []
        found = []
        for point, label in self.labels.items():
            runs = [cell.results for cell in self.outcome.cells if cell.point == point]
            line: dict[str, Any] = {"choice": label}
            for name in ("users_sharing", "branch_models", "credits_paid"):
                line[name] = math.fsum(run[name] for run in runs) / len(runs)
            most = max(run["credits_paid"] for run in runs)
            found.append(line | {"most_paid": most, "budget": self.contest.budget})
        return found

    def _verdicts(self, equal: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One a choice: on its objective, or on the best fixed choice at equal cost where the kind is judged by that."""
        keys = ("choice", "verdict", "metric", "against", "difference", "low", "high", "low_all", "high_all")
        if self.contest.objective.at_equal_cost:
            single = {each.against for each in self.beside if each.single}
            return [{key: row[key] for key in keys} for row in equal if row["against"] in single]
        found = []
        for point in self.judged:
            metric = self.contest.objective.metric
            claim, verdict = self.metrics.get((point, metric), (Claim(None, None, None, None, None), "not applicable"))
            row = {"choice": self.labels[point], "verdict": verdict, "metric": metric, "against": self.labels[self.baseline]}
            found.append(row | asdict(claim))
        return found

    def _plane(self) -> dict[str, Any] | None:
        """What the figure of quality over cost shows."""
        plane = self.contest.objective.plane
        if plane is None:
            return None
        sign = plane.sign
        found: dict[str, Any] = {"quality": plane.quality, "cost": plane.cost, "fixed": [], "hull": [], "hindsight": []}
        found["choices"] = [
            {
                "choice": label,
                "cost": mean(self.data.row(point, plane.cost)),
                "quality": mean(self.data.row(point, plane.quality)),
            }
            for point, label in self.labels.items()
        ]
        if self.contest.all_fixed:
            names, losses, costs = self._fixed()
            at = [(float(cost), sign * float(loss)) for cost, loss in zip(costs.mean(axis=1), losses.mean(axis=1), strict=True)]
            found["fixed"] = [
                {"fixed": name, "cost": cost, "quality": value} for name, (cost, value) in zip(names, at, strict=True)
            ]
            found["hull"] = [at[k] for k in hull([sign * value for _, value in at], [cost for cost, _ in at])]
            found["hindsight"] = [(cost, sign * loss) for cost, loss in frontier_of_hindsight(losses, costs)]
        return found


def plain(name: str) -> str:
    """A fixed choice without the policy's name: ``"fixed:codec=a"`` -> ``"codec=a"``."""
    return name.replace("fixed:", "")


def results(cells: Sequence[Cell], labels: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Each choice's headline results of a run, as means over its seeds."""
    found = {}
    for point, label in labels.items():
        own = [cell.results for cell in cells if cell.point == point]
        found[label] = {
            name: math.fsum(each[name] for each in own) / len(own) for name in own[0] if all(name in each for each in own)
        }
    return found
