"""Cross-modal delivery: an alarm sentence instead of a scene, beside the scene itself; who notices what, at which cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np

from ...agents.models.loading import load_models
from ...agents.models.roles import Extract
from ...agents.texts import alarms
from ..metrics.row import SHOWN, Row
from ..metrics.texts import cross_alignments
from ..report.theme import BLUE, GREY, MUTED, ORANGE, PURPLE, figure
from ..schema import Section
from . import inference
from .findings import Chart, Claim, Findings, Gallery, Number, Table
from .study import Arm, Study

NAMES = {"alarm": "alarm sentence", "picture": "picture (JSCC both ways)", "drawn": "picture (prompt, drawn, JSCC down)"}
COLOURS = {"alarm": ORANGE, "picture": BLUE, "drawn": PURPLE}
CONTENT = ("prompt", "kb", "features", "csi")
"""Purposes of transfers for one scene; feedback is left out, as in the latency."""
COSTS = ("payload_bits", "symbols", "latency_ms")
EXAMPLES = 6
LETTERS = 18
"""Of a line beside pictures."""


class Options(Section):
    """It has none."""


@dataclass(frozen=True)
class Look:
    """One scene, and what its receiver made of it.

    ``kind``: what it watches for; ``raised``: whether the scene truly shows it; ``told``: whether the receiver was alarmed, or
    its extractor found it in the picture shown; ``symbols``: those of ``CONTENT``.
    """

    row: Row
    kind: str
    raised: bool
    told: bool
    text: str
    picture: bytes
    shown: bytes
    symbols: int
    bits: int

    def cost(self, name: str) -> float:
        """One of ``COSTS``."""
        return {"payload_bits": self.bits, "symbols": self.symbols, "latency_ms": 1e3 * self.row.latency_s}[name]


def find(study: Study) -> Findings:
    """Read the arms; look at the pictures that receivers were shown, as they would."""
    looks = {}
    for place, (name, arm) in enumerate(study.arms.items()):
        study.tell(place, len(study.arms), "receivers look at their pictures")
        looks[name] = looks_of(arm, study.seed)
    shared = [request for request in looks["alarm"] if all(request in of for of in looks.values())]
    numbers = [number for name, of in looks.items() for number in _numbers(name, [of[request] for request in shared])]
    told = [looks["alarm"][request] for request in shared if looks["alarm"][request].told]
    aligned = _alignment(told)
    _draw(study, numbers)
    claims = [*_claims(looks, shared), *aligned]
    return Findings(
        question="A camera sees a scene; is it enough to tell its receiver in a sentence what it watches for, and what does that "
        "save beside sending the scene?",
        paper="Wang et al., AIGC-SCM, section II-A (cross-modal delivery, no numbers given) and section III (evaluation by CLIP)",
        numbers=numbers,
        claims=claims,
        tables=[_summary(numbers), _by_kind([looks["alarm"][request] for request in shared])],
        charts=[
            Chart("rates", "Noticed, and falsely alarmed", "Shares with Wilson's 95 % intervals. A scene that is lost on its way "
                  "is noticed by nobody."),
            Chart("costs", "What a scene costs", "Mean complex symbols (retransmissions, pilots and CSI reports for it included) "
                  "and bits, with 95 % intervals."),
        ],
        galleries=[_gallery(looks, shared)],
        same=[
            "A task in the receiver's knowledge base decides what of a scene is told; the modality changes on the way.",
            "Source picture and told sentence are compared by features of a CLIP-class model (cross-modal evaluation).",
        ],
        different=[
            "Scenes of our own world, 24 classes on 4 backgrounds, and four situations to watch for. The paper's example is "
            "voice alarms instead of radar.",
            "Sender and receiver have the same small extractor; in the picture arms its work there is not in the latency.",
            "The CLIP-class judge is ours, trained on this world.",
        ],
        headline=_headline(looks, shared),
        notes=[
            "What receivers watch for is told to all cameras before the service, in 32 bits each way, as preparation.",
            "All arms have the same scenes, receivers and fading; rates are shares of all scenes, lost ones included. Intervals "
            "of costs and claims are over cameras.",
            "Whether a scene is a situation depends on its receiver: a boat on grass is none for who watches for animals.",
        ],
    )  # fmt: skip


def looks_of(arm: Arm, seed: int) -> dict[str, Look]:
    """Request -> what came of it."""
    rows = {row.request: row for row in arm.rows}
    stories = arm.stories()
    pictures = [story.shown.picture for story in stories if story.shown and story.shown.picture]
    seen = dict(zip(pictures, looked_at(pictures), strict=True))
    kinds = {alarm: kind for kind, alarm in alarms.ALARMS.items()}
    found = {}
    for story in stories:
        watched = alarms.watched(seed, story.capture.recipient)
        things = [(label, colour) for label, colour, *_ in story.capture.truth]
        shown, text = (story.shown.picture, story.shown.text) if story.shown else (b"", "")
        noticed = alarms.is_alarm(text) or bool(shown and watched.raised_by(*seen[shown]))
        airs = [air for air in story.airs if air.purpose in CONTENT]
        found[story.request] = Look(
            row=rows[story.request],
            kind=kinds[watched],
            raised=bool(watched.raised_by(story.capture.background, things)),
            told=noticed,
            text=text,
            picture=story.capture.picture,
            shown=shown,
            symbols=sum(air.complex_symbols for air in airs),
            bits=sum(air.payload_bits for air in airs),
        )
    return found


def looked_at(pictures: Sequence[bytes]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Background and things (label, colour) that the role ``extractor`` finds in pictures."""
    if not pictures:
        return []
    model = load_models("tiny", ["extractor"])["extractor"]
    calls = [Extract(picture) for picture in pictures]
    calls += calls[-1:] * (-len(calls) % model.batch)
    found = [each for start in range(0, len(calls), model.batch) for each in model.run(calls[start : start + model.batch])]
    return [(seen.background, [(box.label, box.colour) for box in seen.boxes]) for seen in found[: len(pictures)]]


def _rates(looks: Sequence[Look]) -> tuple[tuple[int, int], tuple[int, int]]:
    """(noticed, true ones), (false alarms, others)."""
    true, false = [look for look in looks if look.raised], [look for look in looks if not look.raised]
    return (sum(look.told for look in true), len(true)), (sum(look.told for look in false), len(false))


def _numbers(arm: str, looks: Sequence[Look]) -> list[Number]:
    (noticed, true), (alarmed, others) = _rates(looks)
    found = [
        Number("detection_rate", arm, *inference.share(noticed, true), n=true),
        Number("false_alarm_rate", arm, *inference.share(alarmed, others), n=others),
    ]
    for name in COSTS:
        of = [look for look in looks if name != "latency_ms" or look.row.status == SHOWN]
        cameras = [look.row.sender for look in of]
        value = inference.mean([look.cost(name) for look in of], "alarm", arm, name, groups=cameras)
        found.append(Number(name, arm, *value, n=len(of)))
    return found


def _claims(looks: Mapping[str, Mapping[str, Look]], requests: Sequence[str]) -> list[Claim]:
    """What cross-modal delivery is to do, as inequalities of pairs."""

    def ratio(name: str, text: str, over: str, what: str) -> Claim:
        pairs = [(looks[over][request], looks["alarm"][request]) for request in requests]
        if what == "latency_ms":  # of what was shown
            pairs = [pair for pair in pairs if all(look.row.status == SHOWN for look in pair)]
        dear, cheap = ([look.cost(what) for look in side] for side in zip(*pairs, strict=True))
        cameras = [ours.row.sender for _, ours in pairs]
        value = inference.ratio(dear, cheap, "alarm", name, groups=cameras)
        return Claim(name, text, f"{what}: {over} / alarm", *value, bound=1.0, n=len(pairs))

    def difference(name: str, text: str, over: str, raised: bool, bound: float, at_most: bool, remark: str) -> Claim:
        chosen = [request for request in requests if looks["alarm"][request].raised == raised]
        ours, theirs = ([float(looks[arm][request].told) for request in chosen] for arm in ("alarm", over))
        cameras = [looks["alarm"][request].row.sender for request in chosen]
        value = inference.difference(ours, theirs, "alarm", name, groups=cameras)
        what = "detection rate" if raised else "false alarm rate"
        return Claim(name, text, f"{what}: alarm - {over}", *value, bound=bound, n=len(chosen), at_most=at_most, remark=remark)

    margin = "Non-inferiority by 5 points, pairs of the same scenes."
    return [
        ratio("fewer-symbols", "A sentence takes fewer symbols than the picture", "picture", "symbols"),
        ratio("fewer-symbols-drawn", "... and than a prompt with a drawn picture", "drawn", "symbols"),
        ratio("sooner", "It is there sooner than the picture", "picture", "latency_ms"),
        ratio("sooner-drawn", "... and than the drawn picture", "drawn", "latency_ms"),
        difference("noticed", "No fewer are noticed than in the picture (5 points)", "picture", True, -0.05, False, margin),
        difference("noticed-drawn", "... and than in the drawn picture", "drawn", True, -0.05, False, margin),
        difference("no-more-false", "No more false alarms than by pictures (5 points)", "picture", False, 0.05, True, margin),
        difference("no-more-false-drawn", "... and than by the drawn picture", "drawn", False, 0.05, True, margin),
    ]  # fmt: skip


def _alignment(told: Sequence[Look]) -> list[Claim]:
    """Alarms that were told against their own scenes, and against other scenes of the same kind of alarm or not."""
    if len(told) < 2:
        return []
    own = cross_alignments([(look.picture, look.text) for look in told])
    other = cross_alignments([(told[i - 1].picture, look.text) for i, look in enumerate(told)])
    mine, others = ([value or 0.0 for value in values] for values in (own, other))
    value = inference.difference(mine, others, "alarm", "cross alignment", groups=[look.row.sender for look in told])
    return [
        Claim(
            "cross-aligned",
            "Sentences agree with their own scenes more than with others",
            "CLIP-class cosine of scene and sentence: own - other scene",
            *value,
            bound=0.0,
            n=len(told),
            remark=f"Own scenes {np.mean(mine):.2f}, other alarms' scenes {np.mean(others):.2f}.",
        )
    ]


def _headline(looks: Mapping[str, Mapping[str, Look]], requests: Sequence[str]) -> list[tuple[str, str]]:
    of = [looks["alarm"][request] for request in requests]
    (noticed, true), (alarmed, others) = _rates(of)
    pictures = float(np.mean([looks["picture"][request].symbols for request in requests]))
    return [
        (f"{pictures / np.mean([look.symbols for look in of]):.0f}×", "fewer symbols than the picture as JSCC"),
        (f"{np.mean([look.row.prompt_bits for look in of]):.0f} bits", "of prompt a scene"),
        (f"{100 * noticed / max(true, 1):.0f} %", f"of {true} situations noticed"),
        (f"{100 * alarmed / max(others, 1):.1f} %", f"false alarms of {others} other scenes"),
    ]


def _summary(numbers: Sequence[Number]) -> Table:
    rows = []
    for arm, name in NAMES.items():
        values = {number.name: number for number in numbers if number.arm == arm}
        detection, false = values["detection_rate"], values["false_alarm_rate"]
        rows.append(
            {
                "what is sent": name,
                "noticed %": _interval(detection),
                "false alarms %": _interval(false),
                "bits": round(values["payload_bits"].value),
                "symbols": round(values["symbols"].value),
                "latency ms": round(values["latency_ms"].value, 1),
            }
        )
    return Table(
        "The same scenes in three ways", rows, "Means a scene, both links; the paper prints no numbers for this service."
    )


def _interval(number: Number) -> str:
    return f"{100 * number.value:.1f} [{100 * (number.low or 0):.1f}, {100 * (number.high or 0):.1f}]"


def _by_kind(looks: Sequence[Look]) -> Table:
    rows = []
    for kind in alarms.ALARMS:
        of = [look for look in looks if look.kind == kind]
        (noticed, true), (alarmed, others) = _rates(of)
        rows.append({"watched for": kind, "scenes": len(of), "situations": true, "noticed": noticed, "false alarms": alarmed})
    return Table("Alarm sentences by what is watched for", rows)


def _gallery(looks: Mapping[str, Mapping[str, Look]], requests: Sequence[str]) -> Gallery:
    """Scenes that raise an alarm (or not, the last two): seen, received, drawn; the row says what was told."""

    def pixels(raw: bytes) -> Any:
        return np.frombuffer(raw, np.uint8).reshape(64, 64, 3) if raw else None

    chosen = [request for request in requests if looks["alarm"][request].raised][: EXAMPLES - 2]
    chosen += [request for request in requests if not looks["alarm"][request].raised][:2]
    rows = []
    for request in chosen:
        look = looks["alarm"][request]
        others = [pixels(looks[arm][request].shown) for arm in ("picture", "drawn")]
        rows.append((fill(f"“{look.text or '(lost)'}”", LETTERS), [pixels(look.picture), *others]))
    return Gallery("scenes", "What the camera sees, and what its receiver is told", ["seen", "picture", "drawn"], rows)


def _draw(study: Study, numbers: Sequence[Number]) -> None:
    """Rates, and costs."""
    found = {(number.arm, number.name): number for number in numbers}
    with figure(study.figures, "rates", (7.6, 2.8), ncols=2) as (_, axes):
        for ax, (name, title) in zip(
            axes, {"detection_rate": "Situations noticed (%)", "false_alarm_rate": "False alarms (%)"}.items(), strict=True
        ):
            for y, arm in enumerate(NAMES):
                value = found[arm, name]
                low, high = 100 * (value.value - (value.low or 0)), 100 * ((value.high or 0) - value.value)
                ax.errorbar([100 * value.value], [y], xerr=[[low], [high]], fmt="o", color=COLOURS[arm], capsize=3, markersize=7)
            ax.set(title=title, yticks=range(len(NAMES)), ylim=(len(NAMES) - 0.5, -0.5))
            ax.set_yticklabels(
                [name.replace(" (", "\n(") for name in NAMES.values()] if name == "detection_rate" else [], fontsize=9
            )
            ax.grid(False, axis="y")
    with figure(study.figures, "costs", (7.6, 2.6)) as (_, ax):
        for y, arm in enumerate(NAMES):
            value = found[arm, "symbols"]
            ax.barh(y, value.value, color=COLOURS[arm], height=0.55)
            span = [[value.value - (value.low or 0)], [(value.high or 0) - value.value]]
            ax.errorbar([value.value], [y], xerr=span, fmt="none", ecolor=GREY, capsize=3)
            told = f"  {value.value:,.0f} symbols, {found[arm, 'latency_ms'].value:,.0f} ms"
            ax.annotate(told, (value.high or value.value, y), va="center", fontsize=9, color=MUTED)
        ax.set(yticks=range(len(NAMES)), yticklabels=list(NAMES.values()), xlabel="complex symbols a scene, both links")
        ax.invert_yaxis()
        ax.set_xlim(0, 1.45 * max(found[arm, "symbols"].value for arm in NAMES))
        ax.grid(False, axis="y")
        ax.set_title("What a scene costs")
