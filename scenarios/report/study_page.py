"""The page of a study: the paper's table or figure beside ours, which claims hold, what is the same and what is not."""

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from .. import folder as folders
from ..studies.findings import Claim, Findings, Gallery, Table
from .html import chart, document, number, table, tiles
from .theme import INK, MUTED, figure

METHOD = (
    "A claim is an inequality. It holds where the whole interval (95 % where nothing else is said) lies on its side of the "
    "bound, fails where the whole interval lies on the other side, and is not certain in between. Intervals are of this study's "
    "samples; each claim is looked at alone."
)
MARK = {"holds": "✓ holds", "fails": "✗ fails", "not certain": "? not certain"}
_SMALLEST_SHOWN = 128
"""Side in pixels up to which pictures are enlarged, pixel by pixel."""


def write_study_report(folder: Path, findings: Findings, state: Mapping[str, Any], arms: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write ``report.html`` and the galleries' figures into the folder of a study.

    Args:
        folder: Of the study; the charts lie in its ``figures/`` already.
        findings: What was found.
        state: The content of its ``run.json``.
        arms: Name -> content of the ``run.json`` of each arm.

    Returns:
        The page.
    """
    plots = folder / folders.FIGURES_FOLDER
    body = [*_header(findings, state), *_table(findings.tables[:1])]
    for drawn in findings.charts:
        body += [f"<h2>{escape(drawn.title)}</h2>", chart(plots / f"{drawn.name}.png", drawn.caption)]
    for gallery in findings.galleries:
        _save(plots, gallery)
        body += [*_gallery(gallery)]
    body += [*_claims(findings), *_table(findings.tables[1:])]
    body += [*_compared(findings), *_numbers(findings), *_made(findings, state, arms)]
    page = folder / folders.REPORT_FILE
    folders.write_text(page, document(f"{state['scenario']} · semcast", body))
    return page


def _header(findings: Findings, state: Mapping[str, Any]) -> Iterator[str]:
    yield '<header><div class="brand">semcast</div>'
    yield f"<h1>{escape(str(state['title']))}</h1>"
    yield f"<p>{escape(findings.question)}</p>"
    yield f'<p class="muted">{escape(findings.paper)}</p>'
    yield f"<pre>{escape(str(state.get('command') or 'semcast run ' + str(state['scenario'])))}</pre>"
    if state.get("changed"):
        what = escape(", ".join(state["changed"]))
        yield f"<p><b>Changed: {what}.</b> What the page says of the setting is said of the study as it comes.</p>"
    form = "the short form, with fewer samples · " if state.get("quick") else ""
    yield f'<p class="muted">{form}seed {state["seed"]} · digest <code>{escape(str(state["digest"]))}</code></p></header>'
    if findings.headline:
        yield tiles(findings.headline)
    if findings.claims:
        yield f"<p><b>{escape(counted(findings))}</b> (below).</p>"


def _table(tables: Sequence[Table]) -> Iterator[str]:
    for each in tables:
        yield f"<h2>{escape(each.title)}</h2>" + table(each.rows)
        if each.note:
            yield f'<p class="note">{escape(each.note)}</p>'


def counted(findings: Findings) -> str:
    """How many claims have which verdict, in words: "3 of 4 claims hold, 1 fails"."""
    verdicts = [claim.verdict for claim in findings.claims]
    holding, failing, open_ones = (verdicts.count(verdict) for verdict in ("holds", "fails", "not certain"))
    text = f"{holding} of {len(verdicts)} claims hold" + (f", {failing} fail{'s' * (failing == 1)}" if failing else "")
    return text + (f", {open_ones} {'is' if open_ones == 1 else 'are'} not certain" if open_ones else "")


def _claims(findings: Findings) -> Iterator[str]:
    if not findings.claims:
        return
    yield f"<h2>Claims: {escape(counted(findings))}</h2>"
    yield '<div class="claims">'
    for claim in findings.claims:
        verdict = claim.verdict
        yield f'<div class="claim {verdict.replace(" ", "-")}"><b class="verdict">{escape(MARK[verdict])}</b>'
        yield f"<p><b>{escape(claim.text)}</b></p>"
        yield f"<p>{escape(told(claim))}</p>"
        yield f'<p class="note">{escape(claim.remark)}</p></div>' if claim.remark else "</div>"
    yield f'</div><p class="note">{escape(METHOD)}</p>'


def told(claim: Claim) -> str:
    """What was measured for a claim, in a sentence."""
    side = ("below" if claim.strict else "at most") if claim.at_most else ("above" if claim.strict else "at least")
    interval = f"[{number(claim.low)}, {number(claim.high)}]" + (f" ({claim.confidence:.0%})" if claim.confidence != 0.95 else "")
    text = f"{claim.measured}: {number(claim.value)} {interval} over {claim.n:,} samples"
    paper = f"; the paper: {claim.paper}" if claim.paper else ""
    return f"{text}; must be {side} {number(claim.bound)}{paper}."


def _gallery(gallery: Gallery) -> Iterator[str]:
    yield f"<h2>{escape(gallery.title)}</h2>"
    yield '<div class="scroll"><table class="gallery"><thead><tr><th></th>'
    yield "".join(f"<th>{escape(column)}</th>" for column in gallery.columns) + "</tr></thead><tbody>"
    for name, pictures in gallery.rows:
        cells = "".join(
            f"<td>{_image(picture, name, column)}</td>" for picture, column in zip(pictures, gallery.columns, strict=True)
        )
        yield f"<tr><th>{escape(name)}</th>{cells}</tr>"
    yield f'</tbody></table></div><p class="note">{escape(gallery.caption)}</p>'


def _image(picture: Any, name: str, column: str) -> str:
    if picture is None:
        return '<span class="muted">none</span>'
    from PIL import Image

    out = io.BytesIO()
    array = np.ascontiguousarray(picture, np.uint8)
    Image.fromarray(array).save(out, "PNG")
    sharp = ' class="pixels"' if max(array.shape[:2]) <= _SMALLEST_SHOWN else ""
    source = "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
    return f'<img{sharp} alt="{escape(f"{name}, {column}")}" src="{source}">'


def _save(plots: Path, gallery: Gallery) -> None:
    """The whole grid as one figure."""
    lines, columns = len(gallery.rows), len(gallery.columns)
    if not lines or not columns:
        return
    with figure(plots, gallery.name, (1.35 * columns + 1.2, 1.35 * lines + 0.5), nrows=lines, ncols=columns, squeeze=False) as (
        fig,
        axes,
    ):
        fig.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
        for i, (name, pictures) in enumerate(gallery.rows):
            for k, picture in enumerate(pictures):
                ax = axes[i][k]
                ax.set_xticks([])
                ax.set_yticks([])
                ax.grid(False)
                for spine in ax.spines.values():
                    spine.set_visible(False)
                if picture is not None:
                    array = np.asarray(picture, np.uint8)
                    ax.imshow(array, cmap="gray" if array.ndim == 2 else None, interpolation="nearest")
                if i == 0:
                    ax.set_title(gallery.columns[k], fontsize=8.5, color=INK, loc="center")
                if k == 0:
                    ax.set_ylabel(name, fontsize=8, color=MUTED, rotation=0, ha="right", va="center")


def _compared(findings: Findings) -> Iterator[str]:
    for title, lines in (
        ("The same as in the paper", findings.same),
        ("Not the same", findings.different),
        ("Remarks", findings.notes),
    ):
        if lines:
            yield f"<h2>{title}</h2><ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _numbers(findings: Findings) -> Iterator[str]:
    places = list(dict.fromkeys(place for each in findings.numbers for place in each.at))
    rows = [
        {"number": each.name, "arm": each.arm}
        | {place: each.at.get(place) for place in places}
        | {"value": each.value, "low": each.low, "high": each.high, "n": each.n}
        for each in findings.numbers
    ]
    yield "<details><summary>All numbers (also in numbers.parquet and study.json)</summary>" + table(rows) + "</details>"


def _made(findings: Findings, state: Mapping[str, Any], arms: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    if arms:
        yield "<h2>The runs behind it</h2>"
        yield "<p>Each is a run folder of its own with trace and rows, and can be replayed, verified and exported.</p>"
        yield table(
            [
                {
                    "folder": f"arms/{name}",
                    "scheme": run["scheme"],
                    "requests": run["requests"],
                    "digest": str(run["digest"])[:16],
                }
                for name, run in arms.items()
            ]
        )
    versions = ", ".join(f"{name} {version}" for name, version in state["versions"].items())
    yield f'<p class="muted">{escape(versions)}</p>'
