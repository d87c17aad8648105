"""How commands write tables: aligned text for people, or one JSON object for scripts."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout and nothing else there")


def write_json(value: Any) -> None:
    """Write one JSON object to stdout."""
    json.dump(value, sys.stdout, indent=2, allow_nan=False)
    sys.stdout.write("\n")


def write_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = (), title: str = "") -> None:
    """Write rows as a table; ``columns`` default to the keys of the first row."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    names = list(columns) or (list(rows[0]) if rows else [])
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in names:
        number = all(isinstance(row.get(name), int | float) for row in rows)
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell(row.get(name)) for name in names))
    console = Console() if sys.stdout.isatty() else Console(width=160)
    if title:
        console.print(title, style="bold", markup=False, highlight=False)
    console.print(table if rows else "(nothing)", markup=False)


def cell(value: Any) -> str:
    """A value as people read it: floats with four significant digits, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={cell(inner)}" for key, inner in value.items())
    return ", ".join(map(cell, value)) if isinstance(value, list | tuple) else str(value)
