"""What each kind of policy is for: the number by which its choices are tuned and judged."""

from dataclasses import dataclass

import numpy as np

from .statistics import Paired

PRICE_DB = 1.0
"""Default price of 1000 complex symbols in dB of PSNR: that of the encoder policy ``argmax-quality``."""


@dataclass(frozen=True)
class Plane:
    """Quality against cost, where choices that cost the same are compared."""

    quality: str
    cost: str
    name: str
    """What equal cost is called."""
    higher_is_better: bool

    @property
    def sign(self) -> float:
        """Quality times this is a loss: lower is better."""
        return -1.0 if self.higher_is_better else 1.0


@dataclass(frozen=True)
class Objective:
    """What a kind of policy is judged by.

    Attributes:
        metric: Column whose mean is to be best.
        formula: What it is, in words.
        higher_is_better: Its direction.
        others: Further primary metrics, each with its direction: they share the simultaneous intervals.
        plane: Where choices are compared at equal cost; ``None``: the metric has no cost beside it.
        at_equal_cost: Whether the verdict is on that comparison, and not on the metric alone.
    """

    metric: str
    formula: str
    higher_is_better: bool
    others: tuple[tuple[str, bool], ...] = ()
    plane: Plane | None = None
    at_equal_cost: bool = False

    @property
    def primary(self) -> dict[str, bool]:
        """Metric -> whether higher is better, the objective's own first."""
        return {self.metric: self.higher_is_better, **dict(self.others)}


_MEANING = Objective(
    "generated_error",
    "generated_error at equal told_bits (prompt and knowledge sent with it)",
    False,
    (("semantic_error", False),),
    plane=Plane("generated_error", "told_bits", "at equal bits", False),
    at_equal_cost=True,
)
OBJECTIVES = {
    "encoder": Objective(
        "encoder_worth_db",
        "encoder_worth_db = psnr_db - price * symbols_picture / 1000",
        True,
        (("object_recovery", True),),
        Plane("psnr_db", "symbols_picture", "at equal symbols", True),
    ),
    "prompt": _MEANING,
    "noise": _MEANING,
    "incentive": Objective("subject_alignment", "subject_alignment of requests that show a personal subject", True),
    "scheduling": Objective("satisfaction", "satisfaction = quality * timeliness, 0 for what failed", True),
    "eviction": Objective("satisfaction", "satisfaction = quality * timeliness, 0 for what failed", True),
}
"""Objective of each kind of policy.

================  ==========================================================================================================
encoder           ``psnr_db - price * symbols_picture / 1000``: PSNR against what entered the encoder, less the price of the
                  picture's complex symbols (1 dB a thousand unless told otherwise), a mean over requests
prompt, noise     ``generated_error`` (lower is better), what the generated picture lost of the original's meaning, at equal
                  ``told_bits``, those of a request's prompt and knowledge: the difference to the best fixed set of parts
                  that takes no more bits, and to time sharing between two sets at the same bits. ``semantic_error``, which
                  has the downlink in it, stands beside
incentive         ``subject_alignment``, a mean over the requests that show a personal subject
scheduling,       ``satisfaction``: quality times timeliness of the picture, 0 for a request that failed (``latency_s`` of a
eviction          failed one ends where it failed, and would praise who loses requests early)
================  ==========================================================================================================
"""

SCHEMES = Objective("object_recovery", "object_recovery", True)
"""What schemes and model profiles are judged by."""

TEXTS = Objective("fact_recovery", "fact_recovery", True)
"""What everything is judged by where texts are sent."""


def with_derived(data: Paired, price_db: float = PRICE_DB) -> Paired:
    """The data with the column ``encoder_worth_db``, ``psnr_db - price * symbols_picture / 1000``.

    Args:
        data: Cells, paired.
        price_db: dB of PSNR that 1000 complex symbols of a picture are worth.
    """
    values = data.values
    worth: np.ndarray = values["psnr_db"] - price_db * values["symbols_picture"] / 1000.0
    return Paired(data.points, data.seeds, values | {"encoder_worth_db": worth})
