"""What a study found: numbers with intervals, claims with verdicts, tables, figures and pictures. The report shows these."""

import math
from typing import Any, Literal

from msgspec import Struct

Verdict = Literal["holds", "fails", "not certain"]
FEWEST_SAMPLES = 6
"""With fewer samples (independent units, or groups) nothing is certain."""


class Number(Struct, frozen=True):
    """One measured number.

    ``name`` is a metric name with its unit (``downlink_bits_per_picture``), ``arm`` what was measured (``gai-scn``), ``at``
    where, if there are several places (``{"objects": 3}``, ``{"snr_db": 10.0}``); ``low`` and ``high``: 95 % interval, None
    where the number has none (a count, a constant); ``n``: independent samples (pictures, blocks).
    """

    name: str
    arm: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int = 0
    at: dict[str, float] = {}


class Claim(Struct, frozen=True):
    """What a paper says, as an inequality that was tested.

    ``text``: the claim in words; ``measured``: what ``value`` is ("SemCom / GAI-SCN, downlink bits"). It holds where the whole
    interval [``low``, ``high``] of ``confidence`` is above ``bound`` (below, with ``at_most``; with ``strict = False``, for what
    is to be no worse, it may touch it), fails where none of it is, and is not certain in between. ``n``: independent samples.
    ``paper``: the paper's own value, as printed there. ``remark``: what a reader must know about it.
    """

    name: str
    text: str
    measured: str
    value: float
    low: float
    high: float
    bound: float
    n: int
    at_most: bool = False
    strict: bool = True
    confidence: float = 0.95
    paper: str = ""
    remark: str = ""

    @property
    def verdict(self) -> Verdict:
        """See the class. Too few samples, or an interval that is no number, make nothing certain."""
        low, high = (-self.high, -self.low) if self.at_most else (self.low, self.high)
        bound = -self.bound if self.at_most else self.bound
        if math.isnan(low) or math.isnan(high) or self.n < FEWEST_SAMPLES:
            return "not certain"
        if self.strict:
            return "holds" if low > bound else "fails" if high <= bound else "not certain"
        return "holds" if low >= bound else "fails" if high < bound else "not certain"


class Table(Struct, frozen=True):
    """Rows of equal keys under a title, such as the paper's table beside ours; values are text, numbers or None."""

    title: str
    rows: list[dict[str, Any]]
    note: str = ""


class Chart(Struct, frozen=True):
    """A figure that was saved as ``figures/<name>.png`` and ``.svg`` (`report.theme.figure`)."""

    name: str
    title: str
    caption: str


class Gallery(Struct, frozen=True):
    """Pictures in a grid, saved like a chart and shown in the page one by one, so that a phone can stack them.

    ``rows``: what a row shows -> one picture a column, raw uint8 RGB (height, width, 3) as nested in ``numpy`` arrays, or None.
    """

    name: str
    title: str
    columns: list[str]
    rows: list[tuple[str, list[Any]]]
    caption: str = ""


class Findings(Struct, frozen=True):
    """The outcome of a study.

    ``question``: what it asks, in a sentence or two; ``paper``: where from (authors, title, number, table or figure); ``same``
    and ``different``: what of models, data and scale is as in the paper and what is not, a sentence each; ``headline``: the
    numbers that the page begins with, as (value as text, what it is).
    """

    question: str
    paper: str
    numbers: list[Number]
    claims: list[Claim]
    tables: list[Table] = []
    charts: list[Chart] = []
    galleries: list[Gallery] = []
    same: list[str] = []
    different: list[str] = []
    headline: list[tuple[str, str]] = []
    notes: list[str] = []

    def number(self, name: str, arm: str, **at: float) -> Number:
        """One of the numbers.

        Raises:
            KeyError: There is none, or more than one.
        """
        found = [each for each in self.numbers if each.name == name and each.arm == arm and each.at == at]
        if len(found) != 1:
            raise KeyError(f"{len(found)} numbers {name} of {arm} at {at}")
        return found[0]

    def claim(self, name: str) -> Claim:
        """One of the claims, by its name (KeyError if there is none)."""
        for claim in self.claims:
            if claim.name == name:
                return claim
        raise KeyError(name)
