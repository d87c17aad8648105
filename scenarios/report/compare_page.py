"""The page of a comparison."""

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from .. import folder as folders
from ..comparison import tables
from . import compare_figures as figures
from .html import chart, document, table
from .theme import short

SCHEMES = (
    "Objects recovered over complex symbols a request, pilots, retransmissions, CSI and knowledge included. "
    "Each dot is one setting (codec and prompt), lines join the settings that no other of the scheme beats, "
    "diamonds are the adaptive policies."
)
FOREST = (
    "Paired differences. Thick: 95 % interval of each alone. Thin: 95 % for all choices and primary metrics at once, from which "
    "the verdicts are: green better, red worse, grey not distinguishable or identical. Purple: not judged (oracles)."
)
PLANE = (
    "Dots are fixed choices on the compared seeds; the line is what time sharing between two of them reaches. The dashed line is "
    "the best of the fixed choices for every request, known afterwards, at each mean cost; each outcome is taken from the run in "
    "which all requests were handled alike, so that side effects on queues and knowledge are left out. Diamonds are the choices."
)
METHOD = (
    "All choices meet the same users, pictures, fading and noise (common random numbers), and differences are taken request by "
    "request. Intervals are bootstrapped over seeds, then requests within seeds. Verdicts are corrected for many comparisons "
    "(studentised max-|t| bootstrap, Romano and Wolf 2005)."
)
TUNED = " The best fixed choice was found on other seeds than those compared."


def write_compare_report(out: Path, answer: Mapping[str, Any], command: str) -> Path:
    """Write ``report.html`` and the figures into the folder of a comparison."""
    what = answer["compared"]
    title = {"scheme": "schemes", "models": "model profiles"}.get(what, what.replace("policy", "policies"))
    body = [
        f'<header><div class="brand">semcast</div><h1>Comparison of {escape(title)}</h1><pre>{escape(command)}</pre></header>'
    ]
    body.append(
        f"<p>{answer['requests']} requests a choice, the same ones in every choice; {tables.seed_names(answer['seeds'])}.</p>"
    )
    body += _schemes(out, answer) if what == "scheme" else _judged(out, answer)
    body += ["<details><summary>All metrics</summary>", table([_plain(row) for row in answer["rows"]]), "</details>"]
    folders.write_text(out / folders.REPORT_FILE, document(f"comparison of {title} · semcast", body))
    return out / folders.REPORT_FILE


def _schemes(out: Path, answer: Mapping[str, Any]) -> Iterator[str]:
    points = tables.point_table(answer["rows"])
    figures.scheme_curves(out / folders.FIGURES_FOLDER, points)
    yield chart(out / folders.FIGURES_FOLDER / "compare.png", SCHEMES)
    yield "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in tables.ratio_lines(answer["ratios"])) + "</ul>"
    yield table(points)


def _judged(out: Path, answer: Mapping[str, Any]) -> Iterator[str]:
    plots = out / folders.FIGURES_FOLDER
    objective = answer["objective"]
    direction = "higher" if objective["higher_is_better"] else "lower"
    yield f"<p>Judged by <b>{escape(objective['formula'])}</b>, {direction} is better.</p>"
    yield "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in tables.sentences(answer)) + "</ul>"
    yield f'<p class="note">{escape(METHOD + (TUNED if answer.get("tuning") else ""))}</p>'
    if figures.forest(plots, "compare", list(_panels(answer))):
        yield "<h2>Differences</h2>" + chart(plots / "compare.png", FOREST)
    verdicts = {row["choice"]: row["verdict"] for row in answer.get("verdicts", [])}
    if answer.get("plane"):
        figures.plane(plots, "plane", answer["plane"], verdicts)
        yield f"<h2>At equal {escape(answer['plane']['cost'])}</h2>" + chart(plots / "plane.png", PLANE)
    for heading, rows in tables.shown(answer):
        yield f"<h2>{escape(heading[0].upper() + heading[1:])}</h2>" + table(rows)
    if answer.get("tuning"):
        figures.tuning_dots(plots, answer["tuning"], objective["metric"], tables.seed_names(answer["tuning_seeds"]))
        yield "<h2>How the baseline was tuned</h2>" + chart(plots / "tuning.png", "Mean objective of each fixed choice.")


def _panels(answer: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The forest plot's panels: each primary metric, then each kind of rival at equal cost."""
    for metric in answer["objective"]["primary"]:
        rows = [
            row | {"label": row["choice"]}
            for row in answer["rows"]
            if row["metric"] == metric and row["choice"] != answer["baseline"]
        ]
        yield f"{metric} − {short(answer['baseline'], 70)}", rows
    equal = answer.get("equal_cost", [])
    for kind in dict.fromkeys(row["against"].partition(" (")[0] for row in equal):
        rows = [row | {"label": row["choice"]} for row in equal if row["against"].startswith(kind)]
        yield f"{rows[0]['metric']} − {kind}", rows


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    keys = (
        "choice",
        "metric",
        "mean",
        "difference",
        "low",
        "high",
        "low_all",
        "high_all",
        "unpaired_low",
        "unpaired_high",
        "times_narrower",
        "requests",
    )
    return {key: row[key] for key in keys}
