"""Benchmarks: each module has ``run(repeats) -> {name: {value, unit, ratio, against}}``; every claim is a ratio inside one run."""
