"""``semcast bench policies``: what one call of every built-in policy costs, against the simplest of its kind."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from ...bus import keys
from ...policies.checks import ROUNDS, questions
from ...policies.registry import BUILT_IN, load, resolve
from .turns import Result

CALLS = 9
"""Calls of a context in a row; the first of them all warms what is tabled at first use."""


def run(repeats: int = 5, progress: Callable[[str], None] = lambda text: None) -> Result:
    """Median time of a call over the generated contexts of the conformance kit (``policies.examples``), default parameters.

    A policy that learns is asked with memories of 0 to 12 lessons. Incentives are asked all of their verbs.

    Args:
        repeats: Turns; a value is the median over the turns, a ratio that of the values.
        progress: Told what is measured next.

    Returns:
        ``<kind>/<name>`` -> ``value`` in us, ``unit``, ``ratio`` (against the first of its kind; larger is slower), ``against``,
        ``workload``.
    """
    results: Result = {}
    for kind, names in BUILT_IN.items():
        progress(kind)
        times_us = {name: statistics.median(_call_us(kind, name) for _ in range(repeats)) for name in names}
        first = next(iter(names))
        for name, value in times_us.items():
            results[f"{kind}/{name}"] = {
                "value": value,
                "unit": "us",
                "ratio": value / times_us[first],
                "against": f"{first}: {times_us[first]:.3g} us",
                "workload": f"{ROUNDS} generated contexts, the median of all calls",
            }
    return results


def _call_us(kind: str, name: str) -> float:
    policy = load(resolve(kind, name))
    asked: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
    for number in range(ROUNDS):
        for verb, context in questions(kind, policy, number):
            method = getattr(policy, verb)
            asked.append((method, (context,) if kind == "noise" else (context, _draw)))
    for method, arguments in asked:
        method(*arguments)
    times_ns = []
    for method, arguments in asked:
        for _ in range(CALLS):
            start = time.perf_counter_ns()
            method(*arguments)
            times_ns.append(time.perf_counter_ns() - start)
    return statistics.median(times_ns) / 1e3


def _draw(name: str) -> float:
    return keys.uniform("bench policies", name)
