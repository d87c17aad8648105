"""The most meaning for the bits that the channel carries now: greedy by expected gain per bit."""

from dataclasses import dataclass
from math import fsum, log2, prod
from typing import Annotated

from ..protocols import Candidate, Draw, PromptChoice, PromptContext
from .parts import CORE, by_name, with_core

COVERAGE = {"caption": {"what": 0.8, "look": 0.9}, "boxes": {"what": 0.9, "look": 0.45, "where": 0.95}}
"""Part -> aspect -> probability that the part alone conveys it; ours, from what each part is made of (see README.md)."""
SUBJECT = {"references": 0.95, "identifiers": 0.85}
"""Part -> probability that it makes a personal subject look like itself, where the cloud can use it."""
WEIGHTS = {"mapping": {"what": 0.35, "look": 0.1, "where": 0.4, "who": 0.15}}
OTHERWISE = {"what": 0.4, "look": 0.25, "where": 0.05, "who": 0.3}
"""Task -> aspect -> worth; the worths sum to 1."""


@dataclass(frozen=True)
class Parameters:
    """Without a budget in the context: ``bits = efficiency * symbols * log2(1 + SNR)``."""

    symbols: Annotated[int, "complex symbols that a prompt may take when the context has no budget"] = 600
    efficiency: Annotated[float, "share of the capacity that the coded link reaches"] = 0.6
    min_gain: Annotated[float, "a part must add at least this much expected meaning"] = 0.01
    share: Annotated[float, "noise from which the uncovered subjects' KB items are shared first"] = 0.2

    def __post_init__(self) -> None:
        if self.symbols < 1 or not 0.0 < self.efficiency <= 1.0:
            raise ValueError("symbols must be at least 1 and efficiency in (0, 1]")
        if self.min_gain <= 0.0 or self.share < 0.0:
            raise ValueError("min_gain must be above 0 and share not negative")


def expected_meaning(parts: list[Candidate], context: PromptContext) -> float:
    """Expected share of the meaning that arrives with ``parts``, in [0, 1].

    Each part conveys an aspect with its ``COVERAGE``, reduced by the semantic noise v; parts are redundant descriptions that
    fail independently. A personal subject wants a reference if the cloud knows it, else an identifier; both add nothing::

        E = sum_a w_a (1 - prod_p (1 - (1 - v) c_pa)),  a in what, look, where
            + w_who mean_s max_p c_p [p can name s]

    The second sum runs over the subjects of all references and identifiers on offer; it is 0 without any. Noise makes a second
    description worth more, as a longer code is on a worse channel.
    """
    weights = WEIGHTS.get(context.task, OTHERWISE)
    kept = 1.0 - context.noise.value
    total = [
        weights[aspect] * (1.0 - prod(1.0 - kept * COVERAGE.get(part.name, {}).get(aspect, 0.0) for part in parts))
        for aspect in ("what", "look", "where")
    ]
    subjects = dict.fromkeys(name for part in context.candidates if part.name in SUBJECT for name in part.concepts)
    for subject in subjects:
        named = max(
            (SUBJECT[part.name] for part in parts if part.name in SUBJECT and _names(part, subject, context)), default=0.0
        )
        total.append(weights["who"] * named / len(subjects))
    return fsum(total)


def _names(part: Candidate, subject: str, context: PromptContext) -> bool:
    """Whether ``part`` lets the cloud draw ``subject``: a reference works only for what the cloud knows."""
    return subject in part.concepts and not (part.name == "references" and subject in context.noise.uncovered)


class Budget:
    """Greedy selection by expected gain per bit, within a bit budget that follows the uplink's SNR.

    The first part is always a description (caption or boxes), the cheapest if none fits. Afterwards the part with the best
    gain per bit is added while one fits and gains ``min_gain``: the usual greedy rule for a monotone, submodular worth.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def select(self, context: PromptContext, rng: Draw) -> PromptChoice:
        """Select within ``context.budget_bits``, or what the SNR allows."""
        left = budget = context.budget_bits or self._budget_bits(context.snr_db)
        chosen: list[Candidate] = []
        while True:
            open_to = [c for c in context.candidates if c not in chosen and c.bits <= left and (chosen or c.name in CORE)]
            gains = [(self._gain(c, chosen, context), c) for c in open_to]
            gains = [(gain, c) for gain, c in gains if gain >= self.parameters.min_gain or not chosen]
            if not gains:
                break
            best = max(gains, key=lambda row: (row[0] / max(row[1].bits, 1), row[1].name))[1]
            chosen.append(best)
            left -= best.bits
        parts = with_core([c.name for c in chosen], context)
        offered = by_name(context)
        share = context.noise.value >= self.parameters.share and bool(context.noise.uncovered)
        bits = sum(offered[name].bits for name in parts)
        meaning = expected_meaning([offered[name] for name in parts], context)
        return PromptChoice(parts, share, f"{bits} of {budget} bits for {meaning:.2f} expected meaning: {'+'.join(parts)}")

    def _budget_bits(self, snr_db: float) -> int:
        return int(self.parameters.efficiency * self.parameters.symbols * log2(1.0 + 10.0 ** (min(snr_db, 60.0) / 10.0)))

    def _gain(self, part: Candidate, chosen: list[Candidate], context: PromptContext) -> float:
        return expected_meaning([*chosen, part], context) - expected_meaning(chosen, context)
