"""The page of a counterfactual: what another choice would have made of a run."""

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from .. import folder as folders
from ..metrics.quality import GREY
from ..replaying.counterfactual import BEFORE, NOW, Counterfactual, Pictures
from . import compare_figures as figures
from .html import chart, document, number, table
from .pictures import png_uri

SHOWN_REQUESTS = 12
FOREST = "Paired differences, now less recorded, each with its 95 % interval."
METHOD = (
    "The same users take the same pictures for the same receivers at the same times, over the same fading and noise; everything "
    "else was decided anew. Differences are taken request by request; 95 % intervals are bootstrapped over the requests of this "
    "one run, and speak of its network. The unpaired interval is what two worlds of their own would give; its width over the "
    "paired one's is in the last column. Symbols hold each request's share of what keeps running."
)
FEW = "These are few requests: an interval of so few is rough. For verdicts give several seeds: semcast compare."
ENOUGH_REQUESTS = 20


def write_counterfactual_report(out: Path, found: Counterfactual, command: str) -> Path:
    """Write ``report.html`` and the figure into the folder of a counterfactual."""
    answer = found.answer
    choices = "; ".join(f"{path}: {now} instead of {then}" for path, (then, now) in answer["changed"].items())
    same = answer["captures"]
    body = [
        f'<header><div class="brand">semcast</div><h1>{escape(str(answer["scenario"]))}, decided anew</h1>'
        f"<pre>{escape(command)}</pre></header>",
        f"<p><b>{escape(choices or 'nothing was changed')}</b></p>",
        f"<p>{answer['requests']} requests, seed {answer['seed']}. {same['same']} captures are the same in both runs: picture, "
        f"recipient and time. {same['only_recorded']} are only in the recorded run, {same['only_now']} only in the new one.</p>",
        f'<p class="note">{escape(METHOD + (f" {FEW}" if answer["requests"] < ENOUGH_REQUESTS else ""))}</p>',
    ]
    if answer["open_loop"]:
        body.append(
            "<p>Open loop: these requests were asked for from outside the network, and come again as and when they were, though "
            f"who asked might have done otherwise now: {escape(', '.join(answer['open_loop']))}.</p>"
        )
    if answer["digests"][0] == answer["digests"][1]:
        body.append("<p>Both runs have the same digest: nothing was done otherwise.</p>")
    body += [*_differences(out, found), *_largest(found), *_all(answer)]
    folders.write_text(out / folders.REPORT_FILE, document(f"{answer['scenario']} decided anew · semcast", body))
    return out / folders.REPORT_FILE


def _differences(out: Path, found: Counterfactual) -> Iterator[str]:
    rows = {row["metric"]: row for row in found.answer["rows"]}
    panels = [
        (f"{metric}: now − recorded", [rows[metric] | {"label": "", "low_all": None, "high_all": None, "verdict": None}])
        for metric in found.objective.primary
        if metric in rows
    ]
    yield "<h2>Differences</h2>"
    direction = "higher" if found.objective.higher_is_better else "lower"
    yield f"<p>Ordered by <b>{escape(found.objective.metric)}</b>, {direction} is better; what it cost is in the table.</p>"
    if figures.forest(out / folders.FIGURES_FOLDER, "differences", panels):
        yield chart(out / folders.FIGURES_FOLDER / "differences.png", FOREST)
    yield table(difference_table(found.answer))


def difference_table(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of the answer as people read them."""

    def bounds(row: Mapping[str, Any], prefix: str) -> str:
        low, high = row[f"{prefix}low"], row[f"{prefix}high"]
        return "" if low is None else f"[{low:.3g}, {high:.3g}]"

    return [
        {
            "metric": row["metric"],
            BEFORE: row[BEFORE],
            NOW: row[NOW],
            "difference": row["difference"],
            "95 % interval": bounds(row, ""),
            "all requests": "" if row["total"] is None else f"{row['total']:+.4g} {bounds(row, 'total_')}",
            "unpaired 95 %": bounds(row, "unpaired_"),
            "times narrower": row["times_narrower"],
        }
        for row in answer["rows"]
    ]


def _largest(found: Counterfactual) -> Iterator[str]:
    metric = found.answer["metric"]
    chosen = [row for row in found.answer["by_request"] if row["change"] > 0.0][:SHOWN_REQUESTS]
    yield f"<h2>Largest changes in {escape(metric)}</h2>"
    if not chosen:
        yield '<p class="note">No request has changed in it.</p>'
        return
    yield '<div class="requests">'
    for row in chosen:
        yield _request(row, metric, found.pictures[row["request"]])
    yield "</div>"


def _request(row: Mapping[str, Any], metric: str, pictures: Pictures) -> str:
    seen = (("sent", pictures.sent), ("shown before", pictures.before), ("shown now", pictures.now)) if pictures.sent else ()
    trio = "".join(
        f'<div><img alt="{name}" src="{png_uri(picture or GREY)}">'
        f"<small>{name if picture is not None else f'{name}: nothing'}</small></div>"
        for name, picture in seen
    )
    names = dict.fromkeys((metric, "object_recovery", "psnr_db", "symbols_total", "latency_s"))
    numbers = "<br>".join(
        f"{escape(name)} {escape(number(row[name][0]))} → {escape(number(row[name][1]))}"
        for name in names
        if name in row and row[name][0] is not None
    )
    return f'<div class="request"><div class="trio">{trio}</div><p><b>{escape(row["request"])}</b><br>{numbers}</p></div>'


def _all(answer: Mapping[str, Any]) -> Iterator[str]:
    metric = answer["metric"]
    rows = [
        {"request": row["request"], BEFORE: row[metric][0], NOW: row[metric][1], "change": row["change"]}
        for row in answer["by_request"]
    ]
    yield f"<details><summary>{escape(metric)} of every request</summary>{table(rows)}</details>"
