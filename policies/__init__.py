"""What is decided: prompt selection, encoder choice, incentives, scheduling, noise estimates (see README.md)."""

if __name__ != "semcast.policies":
    raise ImportError(
        "this folder is semcast.policies: write `import semcast.policies` (after `make demo` or `pip install -e .`)"
    )
