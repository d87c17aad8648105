"""``python -m semcast``: the command line."""

from semcast.scenarios.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
