"""``report.html`` of a run: one self-contained file."""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from .. import folder as folders
from ..metrics.reduction import Reduction
from ..metrics.row import SHOWN, Row
from ..metrics.samples import Triple
from ..metrics.texts import TEXTS
from ..profile import profile_rows
from . import figures
from .html import chart, document, number, table, tiles
from .models import model_table
from .pictures import png_uri, row_figure
from .simplified import notes
from .texts import example_texts
from .trust import trust

ROW_COLUMNS = 6
FAILED_LISTED = 20
MIDDLE = {
    "gai-scn": "generated",
    "aigc-scm": "generated",
    "gai-traditional": "generated",
    "semcom": "at the edge",
    "traditional": "at the edge",
}
"""Scheme -> what the picture that enters the last encoder is called."""


def write_report(folder: Path, reduction: Reduction, run: dict[str, Any]) -> Path:
    """Draw the figures and write ``report.html``.

    Args:
        folder: The run folder.
        reduction: Its rows, stories and network.
        run: The content of ``run.json``.

    Returns:
        The page.
    """
    plots = folder / folders.FIGURES_FOLDER
    chosen = reduction.samples.triples
    texts = reduction.settings.traffic.content in TEXTS
    drawn = {
        "row": not texts and row_figure(plots, chosen[:ROW_COLUMNS], MIDDLE.get(reduction.settings.scheme, "encoded")),
        "curve": figures.curve(plots, reduction.rows),
        "symbols": figures.symbols(plots, reduction, None if texts else jscc_only_symbols(reduction)),
        "latency": figures.latency(plots, reduction.rows),
        "choices": figures.choices(plots, reduction.rows),
        "noise": figures.noise(plots, reduction.rows),
        "knowledge": figures.knowledge(plots, reduction),
    }
    page = folder / folders.REPORT_FILE
    examples = example_texts(chosen, reduction.settings) if texts else _pictures(reduction, chosen)
    body = [*_header(run), *examples, *_charts(plots, drawn, reduction), *_tables(reduction, run)]
    folders.write_text(page, document(f"{run['scenario']} · semcast", body))
    return page


def jscc_only_symbols(reduction: Reduction) -> float | None:
    """Mean complex symbols if the same pictures went up, too, as JSCC with the codec that was chosen for the way down."""
    return reduction.samples.jscc_both_ways if reduction.settings.scheme == "gai-scn" else None


def _header(run: dict[str, Any]) -> Iterator[str]:
    results = run["results"]
    yield '<header><div class="brand">semcast</div>'
    yield f"<h1>{escape(run.get('title') or run['scenario'])}</h1>"
    yield (
        f'<p class="muted">scenario <b>{escape(run["scenario"])}</b> · scheme {escape(run["scheme"])} · seed {run["seed"]} · '
        f"models {escape(run.get('models', 'tiny'))} · "
        f"{escape(run['host'])} with {run['workers']} worker(s) · "
        f"{run['requests']} requests in {number(run['sim_s'])} simulated s</p>"
    )
    yield f"<pre>{escape(run.get('command') or 'semcast run ' + run['scenario'])}</pre>"
    yield f'<p class="muted">digest <code>{escape(run["digest"])}</code></p></header>'
    shown = [
        ("object_recovery", 100, " %", "objects recovered, any place"),
        ("fact_recovery", 100, " %", "of the original's facts in the text as shown"),
        ("text_similarity", 1, "", "sentence embedding similarity with the original"),
        ("wording", 100, " %", "of the sentences well-formed"),
        ("object_alignment", 1, "", "object feature alignment with the original"),
        ("psnr_db", 1, " dB", "PSNR over the last hop"),
        ("air_symbols_per_request", 1, "", "complex symbols a request, all air included"),
        ("prompt_bits_per_request", 1, " bits", "a prompt"),
        ("latency_s_p50", 1e3, " ms", "median latency, simulated"),
        ("delivered_share", 100, " %", "of the requests shown"),
    ]
    yield tiles([(number(results[name] * scale) + unit, what) for name, scale, unit, what in shown if name in results])


def _pictures(reduction: Reduction, chosen: list[Triple]) -> Iterator[str]:
    middle = MIDDLE.get(reduction.settings.scheme, "encoded")
    yield f"<h2>Sent, {middle}, received</h2>"
    if not chosen:
        yield '<p class="note">No picture was shown in this run.</p>'
        return
    about = {
        "gai-scn": "Only the prompt crosses the uplink; the cloud draws the middle picture from it, "
        "and the right one is what the receiver decodes from noisy JSCC symbols.",
        "semcom": "The picture crosses both links as JSCC symbols; the middle one is what the edge decoded.",
        "aigc-scm": "Only the prompt crosses the air, up and down; the receiver draws the picture itself, as it shows it.",
        "gai-traditional": "Only the prompt crosses the uplink; the cloud draws the middle picture from it, "
        "which comes down as a file over the coded link.",
        "traditional": "The picture crosses both links as one file; the middle one is what the edge found in it.",
    }
    yield f"<p>One request for each of {len(chosen)} receivers. {about.get(reduction.settings.scheme, '')}</p>"
    if reduction.settings.pictures == "sketch":
        yield (
            '<p class="note">The models of this run are a table: no pixels were made or sent. What is seen here is drawn from '
            "what each picture shows; scores are those of measured requests.</p>"
        )
    yield '<div class="requests">'
    for triple in chosen:
        yield _request(triple, middle)
    yield "</div>"


def _request(triple: Triple, middle: str) -> str:
    row = triple.row
    pictures = (("sent", triple.sent), (middle, triple.generated), ("received", triple.received))
    trio = "".join(
        f'<div><img alt="{escape(name)}" src="{png_uri(data)}"><small>{escape(name)}</small></div>' for name, data in pictures
    )
    prompt = f"prompt {row.prompt_parts.replace('+', ', ')}: {row.prompt_bits:,} bits<br>" if row.prompt_bits else ""
    snr = "" if row.snr_db is None else f" at {row.snr_db:.1f} dB"
    codec = f"codec {escape(row.codec)}" if row.codec else "coded bits"
    psnr = "" if row.psnr_db is None else f" · {row.psnr_db:.1f} dB"
    return (
        f'<div class="request"><div class="trio">{trio}</div>'
        f"<p><b>{escape(row.sender)} → {escape(row.receiver)}</b> · "
        f"{_recovered(row)}<br>"
        f"{prompt}{row.symbols_up:,} symbols up, {row.symbols_down:,} down (CBR {row.cbr:.3f})<br>"
        f"{codec}{snr}{psnr} · {row.latency_s * 1e3:,.0f} ms</p></div>"
    )


def _recovered(row: Row) -> str:
    if row.objects is None or row.object_recovery is None:
        return ""
    return f"{row.objects} object{'s' if row.objects > 1 else ''}, {number(row.object_recovery * 100)} % recovered"


JUDGED = "Recovery is counted by a judge trained apart from all models."
CHARTS = (
    (
        "symbols",
        "What it costs",
        "Complex symbols of the mean request. The JSCC-only bar sends the same pictures up and down "
        "with the codec chosen for the downlink.",
    ),
    (
        "curve",
        "Quality over SNR",
        f"Dots are shown requests, circles means of 4 dB bins with 95 % intervals. {JUDGED}",
    ),
    ("latency", "Latency", "Stages add up to the time from capture to display. Waiting for a processor counts to its stage."),
    ("choices", "What the policies chose", "CSI is what the deciding edge server knew: quantised, noisy and some time old."),
    (
        "noise",
        "Semantic noise: foreseen and realised",
        "Each dot is a request: what the sender's estimate said of the plainest prompt, and what the generated picture lost of "
        "the original's meaning (Spearman's rank correlation with a 95 % interval). Circles are means of fifths of the requests. "
        "Richer prompts mend what was foreseen; to calibrate an estimator, run it with prompt=fixed:parts=caption.",
    ),
    ("knowledge", "Knowledge and sharing", "Knowledge bases are folds of their records in the trace."),
)

DOTTED = ("curve", "noise")


def _charts(plots: Path, drawn: dict[str, bool], reduction: Reduction) -> Iterator[str]:
    for name, title, caption in CHARTS:
        if drawn[name]:
            yield f"<h2>{title}</h2>"
            if name == "curve" and reduction.settings.pictures == "sketch":
                caption = caption.replace(JUDGED, "Scores are those of measured requests with the same causes.")
            if name in DOTTED and len(reduction.rows) > figures.DOTS:
                caption += f" At most {figures.DOTS:,} evenly spaced ones are drawn as dots; all count."
            yield chart(plots / f"{name}.png", caption)


def _tables(reduction: Reduction, run: dict[str, Any]) -> Iterator[str]:
    failed = [row for row in reduction.rows if row.status != SHOWN]
    if failed:
        yield "<h2>Requests that failed</h2>"
        yield "<p>They stay in every mean with floor scores: nothing recovered, a mid-grey picture.</p>"
        yield table([{"request": row.request, "to": row.receiver, "why": row.reason} for row in failed[:FAILED_LISTED]])
        if len(failed) > FAILED_LISTED:
            yield f'<p class="muted">{len(failed) - FAILED_LISTED:,} more are in {folders.ROWS_FILE}.</p>'
    yield from _privacy(run["results"])
    yield from trust(reduction)
    measured, remark = model_table(run.get("models", "tiny"))
    yield "<h2>The models, measured</h2>"
    yield f"<p>{escape(remark)}</p>"
    if measured:
        yield table(measured)
    yield "<h2>What is simplified</h2>"
    remarks = notes(reduction.settings, run.get("models", "tiny"))
    yield "<ul>" + "".join(f"<li>{escape(note)}</li>" for note in remarks) + "</ul>"
    yield "<h2>All results</h2>"
    yield table([{"result": name, "value": value} for name, value in run["results"].items()])
    if run.get("profile"):
        yield "<h2>Where the wall time went</h2>"
        yield (
            "<p>Phases are one after the other; agents and models of the start are the slowest worker's. The seconds of all "
            "workers are added up, each moment counted to the innermost thing that one was doing. Idle is waiting for others.</p>"
        )
        yield table(profile_rows(run))
    yield "<h2>Policies and versions</h2>"
    yield table([{"kind": kind, "policy": policy} for kind, policy in run["policies"].items()])
    yield f'<p class="muted">{escape(", ".join(f"{name} {version}" for name, version in run["versions"].items()))}</p>'


def _privacy(results: dict[str, float]) -> Iterator[str]:
    """What differential privacy holds for, where shared vectors had noise."""
    if "privacy_releases" not in results:
        return
    names = ("epsilon_per_release", "epsilon_per_user_max", "releases_per_user_max")
    each, together, most = (results[f"privacy_{name}"] for name in names)
    delta = f"{results['privacy_delta']:.3g}"
    yield "<h2>Privacy of shared vectors</h2>"
    yield (
        "<p>Preference embeddings and subject identifiers were cut to norm 1 and got Gaussian noise before they left their "
        f"users: each release is ({number(each)}, {delta})-differentially private against any other vector in its place. There "
        f"were {number(results['privacy_releases'])} releases, at most {number(most)} of one user; these together are "
        f"({number(together)}, {delta})-private. <b>Pictures, captions and boxes are not covered</b>, nor is what the cloud "
        "learns from pictures.</p>"
    )
