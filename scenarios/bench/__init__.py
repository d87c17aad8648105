"""Benchmarks; every claim is a ratio inside one run.

A module named in ``NAMES`` has ``run(..., progress=...) -> {name: {value, unit, ratio, against, workload}}`` (see turns.py); its
``OPTIONS`` are the options of the command that ``run`` takes besides, ``repeats`` alone where it has none.
"""

from collections.abc import Mapping
from typing import Any

NAMES = ("engine", "exchange", "workers", "network", "startup", "scale", "policies", "hosts", "faults", "fuzz")
SHORT: Mapping[str, Mapping[str, Any]] = {
    "engine": {},
    "exchange": {},
    "workers": {},
    "network": {"quick": True},
    "startup": {},
    "scale": {},
    "policies": {},
}
"""What ``semcast bench`` alone runs, and with which options instead of the command's; about ten minutes on two cores."""
