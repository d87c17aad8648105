"""Benchmarks; every claim is a ratio inside one run.

A module named in ``NAMES`` has ``run(repeats, progress) -> {name: {value, unit, ratio, against, workload}}``.
"""

NAMES = ("engine", "policies")
