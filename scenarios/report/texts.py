"""Example texts of a run, instead of pictures: written, composed, shown."""

from collections.abc import Iterator, Sequence
from html import escape

from ...agents.settings import NetworkSettings
from ..metrics.row import Row
from ..metrics.samples import Triple
from .html import number
from .pictures import png_uri

SHOWN_TEXTS = 6
ABOUT = {
    "gai-scn": "Only a prompt crosses the uplink. The cloud makes the text of it and of what it knows of the sender, by a small "
    "grammar (no language model), and that goes down to the receiver.",
    "traditional": "The whole text crosses both links as a compressed file over the coded link.",
}


def example_texts(chosen: Sequence[Triple], settings: NetworkSettings) -> Iterator[str]:
    """A section of the page; texts are in the fields of the triples, as UTF-8."""
    alarms = settings.traffic.content == "alarms"
    yield "<h2>Seen, said, read</h2>" if alarms else "<h2>Written, composed, read</h2>"
    if not chosen:
        yield '<p class="note">No text was shown in this run.</p>'
        return
    yield f"<p>One request for each of {min(SHOWN_TEXTS, len(chosen))} receivers. {ABOUT.get(settings.scheme, '')}</p>"
    for triple in chosen[:SHOWN_TEXTS]:
        yield _example(triple, alarms)


def _example(triple: Triple, alarms: bool) -> str:
    row = triple.row
    names = ("what a perfect observer says", "said", "read") if alarms else ("written", "composed", "read")
    texts = [text.decode() for text in (triple.sent, triple.generated, triple.received)]
    picture = f'<img alt="the scene" src="{png_uri(triple.picture)}">' if triple.picture else ""
    columns = "".join(
        f"<div><small>{escape(name)}, {len(text)} letters</small><p>{escape(text)}</p></div>"
        for name, text in zip(names, texts, strict=True)
    )
    return (
        f'<div class="request texts">{picture}<div class="sides">{columns}</div>'
        f"<p><b>{escape(row.sender)} → {escape(row.receiver)}</b> · {_scores(row)}<br>"
        f"{row.payload_bits:,} bits in all, prompt {row.prompt_bits:,} · "
        f"{row.symbols_up:,} symbols up, {row.symbols_down:,} down · {row.latency_s * 1e3:,.0f} ms</p></div>"
    )


def _scores(row: Row) -> str:
    said = [] if row.fact_recovery is None else [f"{number(row.fact_recovery * 100)} % of {row.facts} facts recovered"]
    if row.false_facts:
        said.append(f"{row.false_facts} false")
    if row.wording is not None:
        said.append(f"{number(row.wording * 100)} % of the sentences well-formed")
    return ", ".join(said)
