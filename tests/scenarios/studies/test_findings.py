"""Verdicts of claims."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semcast.scenarios.studies.findings import FEWEST_SAMPLES, Claim, Findings, Number


def _claim(low: float, high: float, bound: float, at_most: bool = False, n: int = 100) -> Claim:
    return Claim("c", "a is more than b", "a / b", (low + high) / 2, low, high, bound, n, at_most)


@pytest.mark.parametrize(
    ("low", "high", "bound", "at_most", "verdict"),
    [
        (2.0, 3.0, 1.97, False, "holds"),
        (1.0, 1.5, 1.97, False, "fails"),
        (1.0, 3.0, 1.97, False, "not certain"),
        (1.0, 1.5, 1.97, True, "holds"),
        (2.0, 3.0, 1.97, True, "fails"),
        (1.0, 3.0, 1.97, True, "not certain"),
        (float("nan"), 3.0, 1.97, False, "not certain"),
    ],
)
def test_a_claim_holds_where_the_whole_interval_is_on_its_side(
    low: float, high: float, bound: float, at_most: bool, verdict: str
) -> None:
    assert _claim(low, high, bound, at_most).verdict == verdict


def test_what_is_equal_to_the_bound_is_not_above_it() -> None:
    equal = Claim("c", "a is more than b", "a - b", 0.0, 0.0, 0.0, 0.0, 100)
    assert equal.verdict == "fails"
    no_worse = Claim("c", "a is no worse than b", "a - b", 0.0, 0.0, 0.0, 0.0, 100, strict=False)
    assert no_worse.verdict == "holds"


def test_few_samples_make_nothing_certain() -> None:
    assert _claim(2.0, 3.0, 1.0, n=FEWEST_SAMPLES).verdict == "holds"
    assert _claim(2.0, 3.0, 1.0, n=FEWEST_SAMPLES - 1).verdict == "not certain"


@given(st.floats(-10, 10), st.floats(0, 5), st.floats(-10, 10))
def test_the_other_direction_is_the_same_claim_mirrored(low: float, width: float, bound: float) -> None:
    assert _claim(low, low + width, bound).verdict == _claim(-low - width, -low, -bound, at_most=True).verdict


def test_numbers_are_found_by_name_arm_and_place() -> None:
    numbers = [Number("bits", "a", 1.0), Number("bits", "a", 2.0, at={"snr_db": 3.0}), Number("bits", "b", 3.0)]
    what: dict[str, Any] = {"question": "?", "paper": "-", "claims": []}
    findings = Findings(numbers=numbers, **what)
    assert findings.number("bits", "a", snr_db=3.0).value == 2.0
    with pytest.raises(KeyError):
        findings.number("bits", "c")
