"""The text service of GAI-SCN: what an itinerary costs and what of it arrives, as keywords and goal or as a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...agents.texts import composing, itinerary, mending, reading, words, writing
from ...bus import keys
from ..metrics import facts
from ..metrics.row import Row
from ..report.theme import BLUE, GREEN, GREY, MUTED, ORANGE, figure
from ..schema import Section
from . import inference
from .findings import Chart, Claim, Findings, Number, Table
from .itinerary_files import spared_bits
from .study import Study

CONTENT = ("prompt", "kb", "features")
"""Purposes of transfers that bring a text; CSI and feedback are the same in all arms."""
NAMES = {
    "known": "GAI-SCN, writer known",
    "unknown": "GAI-SCN, writer unknown",
    "meals": "goal, places, meals",
    "places": "goal, places",
    "known-places": "goal, places, writer known",
    "unmended": "GAI-SCN, nothing mended",
    "file-down": "GAI-SCN, file down",
    "traditional": "traditional (file both ways)",
}
PRIMED = "traditional, with a dictionary"
SCORES = ("fact_recovery", "false_facts", "text_similarity", "wording")
COSTS = ("uplink_bits", "downlink_symbols", "uplink_air_ms", "latency_ms")


class Options(Section):
    """See the file in the catalog."""

    snr_db: tuple[float, ...] = (-4.0, -2.0, 0.0, 2.0, 4.0, 6.0)
    texts: int = 40
    examples: int = 2


@dataclass(frozen=True)
class Request:
    """One request: its row, what brought it up in bits and ms of air (waiting included), and its texts.

    ``primed_bits``: what a file would have taken whose ends know sentences of such texts; where no file goes up, ``uplink_bits``.
    """

    row: Row
    uplink_bits: int
    primed_bits: int
    uplink_air_ms: float
    written: str
    shown: str

    def value(self, name: str) -> float:
        """One of its scores or costs."""
        if name in ("uplink_bits", "primed_bits", "uplink_air_ms"):
            return float(getattr(self, name))
        if name == "latency_ms":
            return 1e3 * self.row.latency_s
        return float(getattr(self.row, {"downlink_symbols": "symbols_down"}.get(name, name)) or 0.0)


def find(study: Study) -> Findings:
    """Read the arms; mend texts at several SNRs besides."""
    arms = {name: _requests(arm) for name, arm in study.arms.items()}
    shared = [request for request in arms["known"] if all(request in of for of in arms.values())]
    columns = {
        name: {what: [of[request].value(what) for request in shared] for what in (*SCORES, *COSTS)} for name, of in arms.items()
    }
    mended = mend_over_snr(study)
    writers = [arms["known"][request].row.sender for request in shared]
    numbers = [number for name in arms for number in _numbers(name, columns[name], writers)] + mended
    _draw_plane(study, numbers)
    _draw_mending(study, mended)
    primed = [arms["traditional"][request].value("primed_bits") for request in shared]
    value = inference.mean(primed, "itinerary", PRIMED, groups=writers)
    numbers.append(Number("uplink_bits", PRIMED, *value, n=len(primed)))
    claims = [*_claims(columns, writers), _primed(primed, columns["known"]["uplink_bits"], writers)]
    return Findings(
        question="What does it cost to send an itinerary as goal and keywords, to be restored by a cloud that knows its writer "
        "and mended by its reader, and what of it arrives, beside the whole text as a compressed file?",
        paper="Xia et al., Generative AI for Semantic Communication, arXiv 2308.15483, section III (text service, no numbers)",
        numbers=numbers,
        claims=claims,
        tables=[_summary(numbers), *_examples(arms, shared[: study.options.examples])],
        charts=[
            Chart("plane", "What arrives for what goes up", "Share of the original's facts in the text as shown, over the bits "
                  "that brought it up, failed requests included. Bars are 95 % intervals of the mean."),
            Chart("mending", "Wording mended at the receiver", "Composed texts as words in symbols over AWGN, decided word by "
                  "word, or read as the likeliest sentences of the grammar. Bands are 95 % intervals."),
        ],
        same=[
            "Senders extract goal and keywords, the cloud restores the text with what it knows of the sender, and receivers "
            "calibrate its wording with a model of their own.",
            "Texts go through the agents, messages, policies and radio of pictures; what is told of a writer is charged.",
        ],
        different=[
            "The paper has GPT-Neo at devices and a large language model in the cloud. Here programs do that work: extraction by "
            "cues, composition by a small grammar, mending by the likeliest sentences of that grammar. They know one subject.",
            "Journeys to Paris with 16 to 26 facts, written by our own grammar with several sentences for each fact; the reader "
            "was made for texts of this kind, and finds all of their facts.",
            "The work of these programs takes simulated time, but its energy is not counted.",
            "Links: block Rayleigh. Files: deflate over the LDPC-coded link, repeated. Words: a Golay codeword each, sent once.",
        ],
        headline=_headline(columns, primed),
        notes=[
            "Facts are read from the shown texts by a judge that matches whole sentences; damaged texts are read by cues, so "
            "that what a person can still make out counts, too.",
            f"A file whose ends share 32 KB of sentences of other such texts would take {np.mean(primed):.0f} bits in place of "
            f"{np.mean(columns['traditional']['uplink_bits']):.0f}. It is reckoned from the texts of the arm of files, and the "
            "fairer rival: prompts name words of a lexicon that both ends share.",
            "All arms have the same texts at the same times; differences are of pairs. Texts of one writer share its "
            "preferences, so intervals are over writers.",
        ],
    )  # fmt: skip


def _requests(arm: Any) -> dict[str, Request]:
    rows = {row.request: row for row in arm.rows}
    found = {}
    for story in arm.stories():
        up = [air for air in story.airs if air.direction == "up" and air.purpose in CONTENT]
        bits, air_ms = sum(air.payload_bits for air in up), sum(air.air_ns + air.queue_ns for air in up) / 1e6
        shown = story.shown.text if story.shown else ""
        files = up if rows[story.request].scheme == "traditional" else []
        primed = bits - spared_bits(story.capture.text, files)
        found[story.request] = Request(rows[story.request], bits, primed, air_ms, story.capture.text, shown)
    return found


def _numbers(arm: str, columns: Mapping[str, Sequence[float]], writers: Sequence[str]) -> list[Number]:
    """Means over requests, and of latencies over shown ones; writers are resampled, each with all of its texts."""
    found = []
    for name, values in columns.items():
        counts = [i for i, alive in enumerate(columns["wording"]) if name != "latency_ms" or alive > 0]
        groups = [writers[i] for i in counts]
        value = inference.mean([values[i] for i in counts], "itinerary", arm, name, groups=groups)
        found.append(Number(name, arm, *value, n=len(counts)))
    return found


def _claims(columns: Mapping[str, Mapping[str, Sequence[float]]], writers: Sequence[str]) -> list[Claim]:
    """What the paper says of text, as inequalities."""

    def ratio(name: str, text: str, over: str, under: str, what: str, bound: float, **more: Any) -> Claim:
        value = inference.ratio(columns[over][what], columns[under][what], "itinerary", name, groups=writers)
        return Claim(name, text, f"{what}: {over} / {under}", *value, bound=bound, n=len(columns[over][what]), **more)

    def difference(name: str, text: str, one: str, two: str, what: str, bound: float, **more: Any) -> Claim:
        value = inference.difference(columns[one][what], columns[two][what], "itinerary", name, groups=writers)
        return Claim(name, text, f"{what}: {one} - {two}", *value, bound=bound, n=len(columns[one][what]), **more)

    return [
        ratio("fewer-uplink-bits", "Goal and keywords take fewer uplink bits than the compressed text", "traditional", "known",
              "uplink_bits", 1.0, paper="fewer bits ... on the transmitter side"),
        ratio("shorter-uplink", "They take less time on the uplink", "traditional", "known", "uplink_air_ms", 1.0,
              paper="smaller latency ... on the transmitter side"),
        difference("facts-kept", "At most 5 % of the facts are lost against the whole text", "known", "traditional",
                   "fact_recovery", -0.05, remark="Words go down once and may be lost in a fade; failed requests count 0."),
        difference("facts-kept-by-file", "... or where the composed text comes down as a file", "file-down", "traditional",
                   "fact_recovery", -0.05, remark="Both come down over the coded link, repeated until they are there."),
        ratio("knowing-saves-bits", "Knowing the sender saves bits", "unknown", "known", "uplink_bits", 1.0,
              remark="What the cloud is told of the sender is counted."),
        difference("knowing-keeps-facts", "... at equal facts (2 %)", "known", "unknown", "fact_recovery", -0.02),
        difference("knowledge-fills-in", "What is not told is filled in by knowledge of the sender", "known-places", "places",
                   "fact_recovery", 0.0, remark="It fills in what is usual, also where it was not so: see false facts."),
        difference("meals-add-facts", "More keywords bring more facts: meals", "meals", "places", "fact_recovery", 0.0),
        difference("details-add-facts", "... and so do details", "unknown", "meals", "fact_recovery", 0.0),
        difference("mending-wording", "Calibration at the receiver repairs the wording", "known", "unmended", "wording", 0.0),
        difference("mending-facts", "... and loses no facts", "known", "unmended", "fact_recovery", 0.0, strict=False),
        difference("mending-false", "... and invents none", "known", "unmended", "false_facts", 0.0, at_most=True, strict=False),
    ]  # fmt: skip


def _primed(primed: Sequence[float], known: Sequence[float], writers: Sequence[str]) -> Claim:
    value = inference.ratio(primed, known, "itinerary", PRIMED, groups=writers)
    return Claim(
        "fewer-uplink-bits-than-primed",
        "Goal and keywords take fewer uplink bits than a file that may quote sentences of such texts, too",
        "uplink_bits: file with a dictionary / known",
        *value,
        bound=1.0,
        n=len(primed),
        remark="Deflate with a preset dictionary of 32 KB: the commonest sentences of other writers, by the same grammar.",
    )


def _headline(columns: Mapping[str, Mapping[str, Sequence[float]]], primed: Sequence[float]) -> list[tuple[str, str]]:
    def mean(arm: str, what: str) -> float:
        return float(np.mean(columns[arm][what]))

    return [
        (f"{np.mean(primed) / mean('known', 'uplink_bits'):.1f}×", "fewer uplink bits than a compressed file that may quote "
         f"such texts (than one that may not: {mean('traditional', 'uplink_bits') / mean('known', 'uplink_bits'):.0f}×)"),
        (f"{mean('known', 'uplink_bits'):.0f} bits", "bring an itinerary up, knowledge of its writer included"),
        (f"{100 * mean('known', 'fact_recovery'):.0f} %", "of the facts arrive (traditional: "
         f"{100 * mean('traditional', 'fact_recovery'):.0f} %)"),
        (f"{100 * mean('known', 'wording'):.0f} %", f"of the sentences well-formed (unmended: "
         f"{100 * mean('unmended', 'wording'):.0f} %)"),
    ]  # fmt: skip


def _summary(numbers: Sequence[Number]) -> Table:
    rows = []
    for arm, name in NAMES.items():
        values = {number.name: number.value for number in numbers if number.arm == arm and not number.at}
        rows.append(
            {
                "arm": name,
                "uplink bits": round(values["uplink_bits"]),
                "symbols down": round(values["downlink_symbols"]),
                "facts recovered %": round(100 * values["fact_recovery"], 1),
                "false facts a text": round(values["false_facts"], 2),
                "similarity": round(values["text_similarity"], 3),
                "well-formed %": round(100 * values["wording"], 1),
                "latency ms": round(values["latency_ms"], 1),
            }
        )
    note = "Means over all requests, failed ones with their floor scores; latency over shown ones. The paper prints no numbers."
    return Table("The same itineraries in eight ways", rows, note)


def _examples(arms: Mapping[str, Mapping[str, Request]], requests: Sequence[str]) -> list[Table]:
    tables = []
    for request in requests:
        rows = [{"": "written", "text": arms["known"][request].written}]
        rows += [{"": NAMES[arm], "text": arms[arm][request].shown or "(nothing)"} for arm in ("known", "unmended", "places")]
        tables.append(Table(f"Texts side by side: {request}", rows))
    return tables


def mend_over_snr(study: Study) -> list[Number]:
    """Facts and wording of composed texts over AWGN, mended or not: pairs at equal noise."""
    found: list[Number] = []
    snrs = study.options.snr_db
    for place, snr_db in enumerate(snrs):
        study.tell(place, len(snrs), "texts are mended")
        scores: dict[tuple[str, str], list[float]] = {}
        for text in range(study.options.texts):
            for arm, name, value in _mended_once(study.seed, text, snr_db):
                scores.setdefault((arm, name), []).append(value)
        for (arm, name), values in scores.items():
            mean, low, high = inference.mean(values, "mending", arm, name, place)
            found.append(Number(name, arm, mean, low, high, len(values), {"snr_db": snr_db}))
    return found


def _mended_once(seed: int, text: int, snr_db: float) -> list[tuple[str, str, float]]:
    likes = itinerary.preferences(seed, f"reader.{text % 20}")
    plan = itinerary.draw(likes, seed, "mending", text)
    told = reading.read(writing.write(plan, seed, "mending", text))
    tokens = words.spelled([token for said in composing.compose(told) for token in said])
    sent = np.frombuffer(words.to_symbols(tokens), "<c8")
    rng = keys.generator(seed, "mending noise", text)
    unit = (rng.normal(size=sent.size) + 1j * rng.normal(size=sent.size)) / np.sqrt(2)
    scores = words.likelihoods((sent + 10 ** (-snr_db / 20) * unit).astype("<c8").tobytes(), snr_db)
    raw = composing.joined(words.unspelled(mending.decided_text(words.decided(scores))))
    mended = composing.joined(mending.mended(scores))
    truth = set(plan.facts())
    found = []
    for arm, shown in (("as decided", raw), ("as mended", mended)):
        read = facts.facts(shown)
        found += [(arm, "fact_recovery", len(read & truth) / len(truth)), (arm, "wording", facts.wording(shown))]
        found.append((arm, "false_facts", float(len(read - truth))))
    return found


def _draw_plane(study: Study, numbers: Sequence[Number]) -> None:
    """Facts over uplink bits, an arm a point."""
    styles = {"traditional": ORANGE, "unmended": GREY}
    places = {"known": (-8, 8, "right"), "unknown": (8, -12, "left"), "known-places": (-8, 6, "right"), "places": (8, -4, "left"),
              "file-down": (-8, -14, "right"), "traditional": (-8, -16, "right"), "unmended": (8, -4, "left")}  # fmt: skip
    with figure(study.figures, "plane", (7.6, 4.0)) as (_, ax):
        for arm, name in NAMES.items():
            x, y = (_one(numbers, what, arm) for what in ("uplink_bits", "fact_recovery"))
            spans = {"xerr": [[x.value - (x.low or 0)], [(x.high or 0) - x.value]]}
            spans["yerr"] = [[100 * (y.value - (y.low or 0))], [100 * ((y.high or 0) - y.value)]]
            colour = styles.get(arm, GREEN if "known" in arm.split("-") or arm == "file-down" else BLUE)
            ax.errorbar([x.value], [100 * y.value], **spans, fmt="o", color=colour, markersize=7, capsize=2, elinewidth=1)
            dx, dy, side = places.get(arm, (8, -4, "left"))
            ax.annotate(name, (x.value, 100 * y.value), (dx, dy), textcoords="offset points", ha=side, fontsize=8, color=MUTED)
        ax.set(xscale="log", xlabel="bits that bring a text up (knowledge of its writer included)", ylabel="facts recovered (%)")
        ax.set_title("What arrives for what goes up")
        ax.set_xlim(22, 9000)
        ax.margins(y=0.12)


def _draw_mending(study: Study, mended: Sequence[Number]) -> None:
    """Facts and wording over SNR."""
    titles = {"fact_recovery": "Facts recovered (%)", "wording": "Well-formed sentences (%)"}
    with figure(study.figures, "mending", (8.2, 3.4), ncols=2, sharey=True) as (_, axes):
        for ax, (what, title) in zip(axes, titles.items(), strict=True):
            for arm, colour in (("as mended", GREEN), ("as decided", GREY)):
                chosen = [number for number in mended if (number.name, number.arm) == (what, arm)]
                x = [number.at["snr_db"] for number in chosen]
                ax.plot(x, [100 * number.value for number in chosen], marker="o", color=colour, label=arm)
                low, high = ([100 * (getattr(n, end) or 0.0) for n in chosen] for end in ("low", "high"))
                ax.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
            ax.set(title=title, xlabel="Es/N0 (dB), AWGN", ylim=(-3, 103))
        axes[0].legend(loc="lower right")


def _one(numbers: Sequence[Number], name: str, arm: str) -> Number:
    return next(number for number in numbers if number.name == name and number.arm == arm and not number.at)
