"""The verdicts of a contest: against the tuned baseline, at equal cost, and by the share of the oracle's gain."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from .cells import Cell
from .contest import Outcome, unique
from .objectives import with_derived
from .plane import PlaneView, plain
from .rows import contrast, difference_rows, judge_metrics
from .simultaneous import Claim
from .statistics import Resamples, interval, mean, paired

HINDSIGHT = "oracle (hindsight)"
LEAST_GAIN = 0.01
"""Shares are of an oracle's gain whose interval begins above this part of it: of a gain that may be nothing there are none."""


class Judgement:
    """An outcome's data, joined and judged; `answer` is the content of ``compare.json``."""

    def __init__(self, outcome: Outcome) -> None:
        contest = outcome.contest
        points = [outcome.baseline, *contest.choices, *contest.oracles, *(contest.fixed if contest.all_fixed else ())]
        names = [point.name for point in unique(points)]
        self.contest, self.objective = contest, contest.objective
        self.cells, self.tuned = outcome.cells, outcome.tuned
        self.data = with_derived(paired(names, outcome.cells), contest.price_db)
        self.resamples = Resamples(self.data.seeds)
        self.baseline = outcome.baseline.name
        self.labels = self._labels()
        self.judged = [point.name for point in contest.choices if point.name != self.baseline]
        self.view: PlaneView | None = None
        if self.objective.plane and contest.all_fixed:
            losses = self.tuned.plane_losses if self.tuned else {}
            self.view = PlaneView(self.data, self.objective.plane, [point.name for point in contest.fixed], losses)
        self.rivals = [rival for point in self.judged for rival in self.view.rivals(point)] if self.view else []
        self.metrics, self.equal = judge_metrics(
            self.data,
            self.judged,
            self.baseline,
            self.objective.primary,
            self.resamples,
            [self.view.difference(rival) for rival in self.rivals] if self.view else [],
        )

    def _labels(self) -> dict[str, str]:
        """Point -> what it is called in tables: baseline, choices, oracles."""
        name = self.baseline
        is_tuned = self.tuned and not self.contest.own_baseline
        labels = {name: f"best fixed ({plain(name)})" if is_tuned else f"baseline ({plain(name)})"}
        labels |= {point.name: point.name for point in self.contest.choices if point.name != name}
        return labels | {point.name: f"oracle ({point.name})" for point in self.contest.oracles}

    def answer(self) -> dict[str, Any]:
        """The content of ``compare.json``."""
        contest, objective = self.contest, self.objective
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
            "tuning_seeds": list(contest.tuning) if self.tuned else [],
            "tuning": self._tuning(),
            "rows": difference_rows(self.data, self.labels, self.baseline, self.resamples, self.metrics),
            "equal_cost": equal,
            "verdicts": self._verdicts(equal),
            "oracle_gain": [*self._gains(), *self._gains_of_hindsight()],
            "plane": self.view.picture(self.labels) if self.view else None,
            "sharing": self._sharing(),
            "results": results(self.cells, self.labels),
            "digests": {f"{cell.point} seed {cell.seed}": cell.digest for cell in self.cells},
        }

    def _tuning(self) -> list[dict[str, Any]]:
        if self.tuned is None:
            return []
        sign = -1.0 if self.objective.higher_is_better else 1.0
        losses = sorted(self.tuned.losses.items(), key=lambda item: item[1])
        return [{"fixed": name, self.objective.metric: sign * loss} for name, loss in losses]

    def _equal_rows(self) -> list[dict[str, Any]]:
        """One row a choice and rival at equal cost."""
        if self.view is None:
            return []
        seeds, higher = len(np.unique(self.data.seeds)), self.view.plane.higher_is_better
        return [
            {"choice": self.labels[rival.point]}
            | self.view.row(rival)
            | asdict(claim)
            | {"verdict": claim.verdict(higher), "seeds": seeds}
            for rival, claim in zip(self.rivals, self.equal, strict=True)
        ]

    def _verdicts(self, equal: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One a choice, on its objective; where cost counts, one on each rival: best fixed of no higher cost, time sharing."""
        if self.objective.at_equal_cost:
            keys = ("choice", "verdict", "metric", "against", "difference", "low", "high", "low_all", "high_all")
            return [{key: row[key] for key in keys} for row in equal]
        found = []
        metric = self.objective.metric
        for point in self.judged:
            claim, verdict = self.metrics.get((point, metric), (Claim(None, None, None, None, None), "not applicable"))
            row = {"choice": self.labels[point], "verdict": verdict, "metric": metric, "against": self.labels[self.baseline]}
            found.append(row | asdict(claim))
        return found

    def _better(self, point: str) -> np.ndarray:
        """By how much a point is better than the baseline in the objective's metric, by request."""
        sign = 1.0 if self.objective.higher_is_better else -1.0
        return np.asarray(sign * contrast(self.data, point, self.baseline, self.objective.metric))

    def _gains(self) -> list[dict[str, Any]]:
        """Share of each oracle policy's gain over the baseline that each choice has."""
        return [
            self._gain(
                point, f"oracle ({oracle.name})", self.labels[self.baseline], self._better(point), self._better(oracle.name)
            )
            for oracle in self.contest.oracles
            for point in self.judged
        ]

    def _gains_of_hindsight(self) -> list[dict[str, Any]]:
        """The same for the oracle that picks among the fixed choices afterwards: with what the choice spent, or by the metric."""
        if self.view is None:
            return []
        view, found = self.view, []
        if self.objective.at_equal_cost:
            for rival in (rival for rival in self.rivals if rival.single):
                own, whole = rival.loss - view.loss(rival.point), rival.loss - view.hindsight(rival.point)
                found.append(self._gain(rival.point, f"{HINDSIGHT}, {view.plane.name}", rival.against, own, whole))
            return found
        best = np.array([self._better(point.name) for point in self.contest.fixed]).max(axis=0)
        against = self.labels[self.baseline]
        return [self._gain(point, HINDSIGHT, against, self._better(point), best) for point in self.judged]

    def _gain(self, point: str, oracle: str, against: str, own: np.ndarray, whole: np.ndarray) -> dict[str, Any]:
        """``share = mean(own) / mean(whole)`` with its bootstrap interval; None where the oracle's gain may be nothing."""
        both = np.array([own, whole])
        samples, units = self.resamples.means(both), self.resamples.units(both)
        of_oracle = interval(samples[:, 1], units)
        gain, oracle_gain = mean(own), mean(whole)
        share, bounds = None, None
        if of_oracle and gain is not None and oracle_gain and of_oracle[0] > LEAST_GAIN * oracle_gain:
            share = gain / oracle_gain
            with np.errstate(invalid="ignore", divide="ignore"):
                bounds = interval(samples[:, 0] / samples[:, 1], units)
        return {
            "choice": self.labels[point],
            "oracle": oracle,
            "metric": self.objective.metric,
            "against": against,
            "gain": gain,
            "oracle_gain": oracle_gain,
            "oracle_gain_low": of_oracle[0] if of_oracle else None,
            "oracle_gain_high": of_oracle[1] if of_oracle else None,
            "share": share,
            "low": bounds[0] if bounds else None,
            "high": bounds[1] if bounds else None,
        }

    def _sharing(self) -> list[dict[str, Any]]:
        """What each incentive bought, as means over the seeds, and the most that it paid in any, beside its budget."""
        if self.contest.kind != "incentive":
            return []
        found = []
        for point, label in self.labels.items():
            runs = [cell.results for cell in self.cells if cell.point == point]
            line: dict[str, Any] = {"choice": label}
            for name in ("users_sharing", "branch_models", "credits_paid"):
                line[name] = math.fsum(run[name] for run in runs) / len(runs)
            most = max(run["credits_paid"] for run in runs)
            found.append(line | {"most_paid": most, "budget": self.contest.budget})
        return found


def results(cells: Sequence[Cell], labels: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Each choice's headline results of a run, as means over its seeds."""
    found = {}
    for point, label in labels.items():
        own = [cell.results for cell in cells if cell.point == point]
        found[label] = {
            name: math.fsum(each[name] for each in own) / len(own) for name in own[0] if all(name in each for each in own)
        }
    return found
