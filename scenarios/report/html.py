"""Small pieces of HTML; every text is escaped."""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from .theme import data_uri

NARROW = 3
"""Columns that a phone has room for."""
STYLE = Path(__file__).with_name("style.css")


def document(title: str, body: Iterable[str]) -> str:
    """A whole self-contained page."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def number(value: Any) -> str:
    """A value as people read it: four significant digits, thousands apart."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "" if value is None else str(value)
    if not math.isfinite(value):
        return "no number" if value != value else "∞" if value > 0 else "−∞"
    if isinstance(value, int) or abs(value) >= 1e4 or value == int(value):
        return f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.3g}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"


def tiles(values: Sequence[tuple[str, str]]) -> str:
    """Headline numbers: (value, what it is)."""
    cells = "".join(f'<div class="tile"><b>{escape(value)}</b><span>{escape(what)}</span></div>' for value, what in values)
    return f'<div class="tiles">{cells}</div>'


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of equal keys as a table; numbers to the right. On a phone each row of a wide one is a card, value by value."""
    if not rows:
        return '<p class="note">nothing to show</p>'
    names = list(rows[0])
    numeric = {name for name in names if all(isinstance(row[name], int | float) or row[name] is None for row in rows)}

    def cell(tag: str, name: str, text: str) -> str:
        kind = ' class="number"' if name in numeric else ""
        label = f' data-label="{escape(name)}"' if tag == "td" else ""
        return f"<{tag}{kind}{label}>{text}</{tag}>"

    head = "".join(cell("th", name, escape(name)) for name in names)
    lines = "".join("<tr>" + "".join(cell("td", name, escape(number(row[name]))) for name in names) + "</tr>\n" for row in rows)
    kind = ' class="wide"' if len(names) > NARROW else ""
    return f'<div class="scroll"><table{kind}><thead><tr>{head}</tr></thead><tbody>\n{lines}</tbody></table></div>'


def chart(path: Path, caption: str) -> str:
    """A figure that was saved as PNG, inlined."""
    text = escape(caption)
    return f'<figure><img class="chart" alt="{text}" src="{data_uri(path)}"><figcaption>{text}</figcaption></figure>'
