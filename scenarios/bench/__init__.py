"""Benchmarks; every claim is a ratio inside one run.

A module named in ``NAMES`` has ``run(..., progress=...) -> {name: {value, unit, ratio, against, workload}}``; its ``OPTIONS``
are the options of the command that ``run`` takes besides, ``repeats`` alone where it has none.
"""

NAMES = ("engine", "faults", "fuzz", "hosts", "network", "policies")
