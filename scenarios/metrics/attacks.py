"""What an adversary did and what came of it: detection by kind of attack, and false alarms.

An attack is *detected* where its receiver refused the message, *passed* where it took it; what never arrived (lost on the air) is
neither. A false alarm is a message refused that its sender did send like that. What an adversary did is on its private record,
which no receiver sees; here it is matched to what receivers looked at by the hash of the message.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ...bus.records import Attack, Verdict

KINDS = ("tamper", "replay", "flood", "forge")


@dataclass(frozen=True)
class Rate:
    """``hits`` of ``trials``, with the 95 % Wilson interval (0 to 1 where there were no trials)."""

    hits: int
    trials: int

    @property
    def value(self) -> float | None:
        """The share; None without trials."""
        return self.hits / self.trials if self.trials else None

    @property
    def interval(self) -> tuple[float, float]:
        """Of the share."""
        if not self.trials:
            return 0.0, 1.0
        from scipy.stats import binomtest

        found = binomtest(self.hits, self.trials).proportion_ci(0.95, method="wilson")
        return float(found.low), float(found.high)


@dataclass(frozen=True)
class Detection:
    """Attacks by kind, and all messages that were looked at.

    Attributes:
        launched: Kind -> how many.
        detected: Kind -> refused ones of those that arrived.
        false_alarms: Refused messages that were genuine, of the genuine ones that arrived.
        reasons: Why messages were refused -> how many.
    """

    launched: dict[str, int]
    detected: dict[str, Rate]
    false_alarms: Rate
    reasons: dict[str, int]

    @property
    def all(self) -> Rate:
        """Attacks of all kinds."""
        rates = self.detected.values()
        return Rate(sum(rate.hits for rate in rates), sum(rate.trials for rate in rates))


def detection(attacks: Sequence[Attack], verdicts: Sequence[Verdict]) -> Detection:
    """Match attacks to verdicts, both in time order.

    A message that was sent again unchanged has the hash of the genuine one: the first verdict on it is on the genuine one, also
    where that was lost and a replay brought it.
    """
    by_mark: dict[bytes, list[Attack]] = {}
    for attack in attacks:
        by_mark.setdefault(attack.mark, []).append(attack)
    looked: dict[bytes, list[bool]] = {}
    for verdict in verdicts:
        looked.setdefault(verdict.mark, []).append(bool(verdict.reason))
    refused: Counter[str] = Counter()
    arrived: Counter[str] = Counter()
    genuine: list[bool] = []
    for mark, outcomes in looked.items():
        made = by_mark.get(mark, [])
        own = len(outcomes) if not made else int(made[0].again)
        genuine += outcomes[:own]
        for attack, outcome in zip(made, outcomes[own:], strict=False):
            arrived[attack.attack] += 1
            refused[attack.attack] += outcome
    launched = Counter(attack.attack for attack in attacks)
    reasons = Counter(verdict.reason for verdict in verdicts if verdict.reason)
    return Detection(
        {kind: launched[kind] for kind in KINDS},
        {kind: Rate(refused[kind], arrived[kind]) for kind in KINDS},
        Rate(sum(genuine), len(genuine)),
        dict(sorted(reasons.items())),
    )


def detection_results(found: Detection) -> dict[str, float]:
    """Results of a run in which messages were looked at."""
    results: dict[str, float] = {}
    for kind in KINDS:
        if found.launched[kind]:
            rate = found.detected[kind]
            results[f"attacks_{kind}_launched"] = float(found.launched[kind])
            results[f"attacks_{kind}_detected"] = float(rate.hits)
            results[f"attacks_{kind}_passed"] = float(rate.trials - rate.hits)
    for name, rate in (("detection_rate", found.all), ("false_alarm_rate", found.false_alarms)):
        if rate.value is not None:
            results[name] = rate.value
            results[f"{name}_low"], results[f"{name}_high"] = rate.interval
    return results
