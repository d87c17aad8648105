"""An experiment: describe, run, look (see README.md)."""

if __name__ != "semcast.scenarios":
    raise ImportError(
        "this folder is semcast.scenarios: write `import semcast.scenarios` (after `make demo` or `pip install -e .`)"
    )
