"""An experiment: describe, run, look (see README.md)."""

if __name__ != "semcast.scenarios":
    raise ImportError(
        "this folder is the package semcast.scenarios: write `import semcast.scenarios` (install with `make demo` or `pip install -e .`)"
    )
