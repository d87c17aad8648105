"""Study ``aigc-scm-fig6``: prompts from which receivers generate, against JSCC and files, at 10 dB (Fig. 6 of AIGC-SCM).

Transmitter A shows a subject of its own and sends to B, who knows the world in general, and to C, who has pictures of A's
subjects from before. NI and NA are what a receiver without history makes (B and C make the same), HI and HA what C makes. JSCC
and files bring the same picture to both receivers in one transmission, so that one receiver is simulated there.

Bandwidth: ``k/n`` as the paper has it, transmission symbols over the bits of the original (8 * 3 * 64 * 64); CBR as the field has
it, over its 3 * 64 * 64 values. Counted are all channel uses that bring a picture's content: data, pilots, retransmissions, HARQ
feedback, headers and CSI; not the receivers' reports of satisfaction afterwards.
"""

from dataclasses import dataclass, field

import numpy as np
from pydantic import Field

from ...agents.picture_files import written
from ..metrics.row import Row
from ..schema import Section
from . import fig6_jpeg, inference
from .fig6_figures import figures, gallery
from .findings import Claim, Findings, Number, Table
from .study import Arm, Overlay, Study

VARIANTS = ("NI", "NA", "HI", "HA")
JSCC_H, JSCC_L, SHANNON = "JSCC_H", "JSCC_L", "Shannon"
ARMS = {**{name: name.lower() for name in VARIANTS}, JSCC_H: "jscc-high", JSCC_L: "jscc-low", SHANNON: "shannon"}
"""Scheme -> arm."""
SCHEMES = tuple(ARMS)
INFORMED = "user.c"
ORIGINAL_BITS, DIMENSIONS = 8 * 3 * 64 * 64, 3 * 64 * 64
ALIGNMENTS = ("image_alignment", "object_alignment", "text_alignment", "subject_alignment")
TWICE, FAR = 2.0, 10.0
"""What Shannon's bandwidth must be at least, in those of JSCC_H and of the costliest AIGC-SCM variant."""
SCORES = (*ALIGNMENTS, "object_recovery", "object_recovery_iou50")


class Options(Section):
    """Options of the study."""

    pictures: int = Field(default=200, ge=2)
    """How many are sent; the same ones in every arm."""
    jscc_high: str = "adaptive-cbr6"
    jscc_low: str = "adaptive-cbr48"
    """JSCC codecs of a high and a low rate."""
    jpeg_quality: int = Field(default=75, ge=1, le=95)
    """Of the files."""
    jpeg_sweep: tuple[int, ...] = (5, 10, 20, 50, 75)
    """Qualities that are asked beside, without a network."""


def arms(options: Options) -> dict[str, Overlay]:
    """One run a scheme."""
    found: dict[str, Overlay] = {
        ARMS[name]: {"scheme": "aigc-scm", "aigc": {"variant": ARMS[name]}, "traffic": {"recipients": 2}} for name in VARIANTS
    }
    for name, codec in ((JSCC_H, options.jscc_high), (JSCC_L, options.jscc_low)):
        found[ARMS[name]] = {"scheme": "semcom", "policies": {"encoder": f"fixed:codec={codec}"}}
    found[ARMS[SHANNON]] = {"scheme": "traditional", "models": {"file_codec": "jpeg", "file_quality": options.jpeg_quality}}
    for overlay in found.values():
        overlay["traffic"] = {**overlay.get("traffic", {}), "max_requests": options.pictures}
    return found


@dataclass(frozen=True)
class Column:
    """What one scheme did with every picture, in their common order; channel uses are of all its receivers together.

    ``subjects``: the sender's own one in each picture.
    """

    name: str
    rows: list[Row]
    subjects: list[str]
    up: list[float] = field(default_factory=list)
    down: list[float] = field(default_factory=list)

    def score(self, name: str) -> list[float]:
        """A score of each picture."""
        return [float(getattr(row, name)) for row in self.rows]

    @property
    def total(self) -> list[float]:
        """Channel uses up and down."""
        return [up + down for up, down in zip(self.up, self.down, strict=True)]


def column_of(name: str, arm: Arm) -> Column:
    """Read an arm: of a group the row of the receiver with history is scored, and all its rows are charged."""
    pictures: dict[str, list[Row]] = {}
    for row in arm.rows:
        pictures.setdefault(row.request.partition(">")[0], []).append(row)
    ordered = [pictures[request] for request in sorted(pictures, key=lambda request: int(request.rpartition("/")[2]))]
    scored = [next((row for row in rows if row.receiver == INFORMED), rows[0]) for rows in ordered]
    up = [float(sum(row.symbols_up - row.symbols_feedback for row in rows)) for rows in ordered]
    down = [float(sum(row.symbols_down for row in rows)) for rows in ordered]
    truths = {story.request.partition(">")[0]: story.capture.truth for story in arm.stories()}
    subjects = [next((thing[-1] for thing in truths[row.request.partition(">")[0]] if thing[-1]), "") for row in scored]
    return Column(name, scored, subjects, up, down)


def find(study: Study) -> Findings:
    """Compare the schemes, picture by picture."""
    columns = {name: column_of(name, study.arms[arm]) for name, arm in ARMS.items()}
    options, shannon = study.options, study.arms[ARMS[SHANNON]]
    sweep = fig6_jpeg.sweep(study, shannon, options.jpeg_quality, options.jpeg_sweep)
    uses = float(np.mean(columns[JSCC_H].total)), float(np.mean(columns["NI"].total))
    header = header_share(shannon, options.jpeg_quality)
    history = history_symbols(study.arms[ARMS["HA"]])
    return Findings(
        question="One prompt goes to two receivers, and each makes its own picture of it: how near do they come to the original, "
        "without and with history of the subject, without and with places, and at what bandwidth, beside JSCC and JPEG files?",
        paper="Wang et al., Harnessing the Power of AI-Generated Content for Semantic Communication (AIGC-SCM), Fig. 6",
        numbers=[*numbers(columns, header, history), *fig6_jpeg.numbers(sweep)],
        claims=claims(columns),
        tables=[bandwidth_table(columns, header), alignment_table(columns), fig6_jpeg.table(sweep, *uses)],
        charts=figures(study.figures, columns, float(np.mean(header))),
        galleries=[gallery(study)],
        same=_SAME,
        different=[*_DIFFERENT, f"Shannon's files have JPEG quality {options.jpeg_quality}: our choice, the paper names none."],
        headline=headline(columns),
        notes=[*notes(columns, header, history, study), fig6_jpeg.note(sweep, *uses)],
    )


# --- what is claimed ---------------------------------------------------------------------------------------------------


def claims(columns: dict[str, Column]) -> list[Claim]:
    """The paper's order."""
    found = []
    for plain, personal in (("NI", "HI"), ("NA", "HA")):
        for score in ("subject_alignment", "object_alignment", "image_alignment", "text_alignment"):
            text = f"History raises {score.replace('_', ' ')}: {personal} above {plain}"
            found.append(_above(columns, f"history-{personal.lower()}-{score}", text, personal, plain, score))
    for score in ("image_alignment", "object_alignment", "text_alignment"):
        text = f"All four variants are above the low-rate JSCC on {score.replace('_', ' ')}"
        found.append(_least_above(columns, f"above-jscc-low-{score}", text, score))
    for places, free in (("NA", "NI"), ("HA", "HI")):
        text = f"Labels and boxes control places better than a caption: {places} above {free}"
        found.append(_above(columns, f"places-{places.lower()}", text, places, free, "object_recovery_iou50"))
    for score in ("image_alignment", "object_alignment"):
        text = f"Shannon has the highest {score.replace('_', ' ')}"
        found.append(_highest(columns, f"shannon-highest-{score}", text, score))
    return [*found, *_bandwidths(columns)]


def _above(columns: dict[str, Column], name: str, text: str, first: str, second: str, score: str) -> Claim:
    one, two = columns[first].score(score), columns[second].score(score)
    value, low, high = inference.difference(one, two, "fig6", name)
    measured = f"{first} - {second}, {score}, paired over pictures"
    remark = ""
    if score == "subject_alignment":
        subjects = columns[first].subjects
        _, least, most = inference.difference(one, two, "fig6", name, "subjects", groups=subjects)
        remark = (
            f"For these {len(set(subjects))} subjects, of whom each is in many pictures; with subjects as units the interval is "
            f"{least:.3f} to {most:.3f}."
        )
    return Claim(name, text, measured, value, low, high, 0.0, len(one), paper=_ORDER, remark=remark)


def _least_above(columns: dict[str, Column], name: str, text: str, score: str) -> Claim:
    values = [columns[scheme].score(score) for scheme in (*VARIANTS, JSCC_L)]
    value, low, high = inference.bootstrap(lambda means: means[:-1].min(axis=0) - means[-1], values, "fig6", name)
    measured = f"the least of the four - {JSCC_L}, {score}, paired over pictures"
    each = [f"{scheme} {np.mean(one) - np.mean(values[-1]):+.3f}" for scheme, one in zip(VARIANTS, values, strict=False)]
    more = np.mean(columns[JSCC_L].total) / np.mean(columns["NI"].total)
    remark = (
        f"One by one: {', '.join(each)}. {JSCC_L}, the lowest rate that there is here, takes {more:.1f} times NI's bandwidth."
    )
    return Claim(name, text, measured, value, low, high, 0.0, len(values[0]), paper=_ORDER, remark=remark)


def _highest(columns: dict[str, Column], name: str, text: str, score: str) -> Claim:
    values = [columns[scheme].score(score) for scheme in (SHANNON, *(each for each in SCHEMES if each != SHANNON))]
    value, low, high = inference.bootstrap(lambda means: means[0] - means[1:].max(axis=0), values, "fig6", name)
    measured = f"{SHANNON} - the best of the others, {score}, paired over pictures"
    return Claim(name, text, measured, value, low, high, 0.0, len(values[0]), paper=_ORDER)


def _bandwidths(columns: dict[str, Column]) -> list[Claim]:
    found = []
    for name, text, first, others, bound in (
        ("shannon-bandwidth", "Shannon needs at least twice the bandwidth of any other scheme", SHANNON, SCHEMES[:-1], TWICE),
        (
            "shannon-bandwidth-aigc",
            f"Shannon needs far more bandwidth, at least {FAR:g} times, than any AIGC-SCM variant",
            SHANNON,
            VARIANTS,
            FAR,
        ),
        ("jscc-low-bandwidth-aigc", "Every AIGC-SCM variant needs less bandwidth than the low-rate JSCC", JSCC_L, VARIANTS, 1.0),
    ):
        values = [columns[scheme].total for scheme in (first, *others)]
        value, low, high = inference.bootstrap(lambda means: means[0] / means[1:].max(axis=0), values, "fig6", name)
        measured = f"{first} / the most of {', '.join(others)}, channel uses up and down"
        remark = _OUR_FILES if first == SHANNON else ""
        found.append(Claim(name, text, measured, value, low, high, bound, len(values[0]), paper=_ORDER, remark=remark))
    return found


# --- numbers and tables --------------------------------------------------------------------------------------------------


def numbers(columns: dict[str, Column], header: list[float], history: float) -> list[Number]:
    """Bandwidth and scores of every scheme, with intervals over the pictures."""
    found = []
    for name, column in columns.items():
        ways = {"up": column.up, "down": column.down, "total": column.total}
        for way, uses in ways.items():
            for what, size in (("bandwidth_ratio_k_over_n", ORIGINAL_BITS), ("cbr", DIMENSIONS)):
                values = [each / size for each in uses]
                found.append(Number(f"{what}_{way}", name, *inference.mean(values, "fig6", name, what, way), len(values)))
        for score in SCORES:
            values = column.score(score)
            found.append(Number(score, name, *inference.mean(values, "fig6", name, score), len(values)))
    found.append(Number("jpeg_header_share", SHANNON, *inference.mean(header, "fig6", "header"), len(header)))
    return [*found, Number("history_symbols", "HA", history)]


def bandwidth_table(columns: dict[str, Column], header: list[float]) -> Table:
    """Fig. 6(b), in numbers."""
    rows = [_bandwidth(name, column.up, column.down, columns["NI"]) for name, column in columns.items()]
    kept = 1 - float(np.mean(header))
    shannon = columns[SHANNON]
    up, down = ([each * kept for each in way] for way in (shannon.up, shannon.down))
    rows.append(_bandwidth(f"{SHANNON}, without the JPEG header", up, down, columns["NI"]))
    note = "k/n: channel uses over bits of the original; CBR: over its values. The paper's bars have no numbers; its order: "
    return Table("Bandwidth compression ratio", rows, note + "Shannon far above WITT_H, WITT_L and the four variants.")


def _bandwidth(name: str, up: list[float], down: list[float], least: Column) -> dict[str, object]:
    mean_up, mean_down = float(np.mean(up)), float(np.mean(down))
    return {
        "scheme": name,
        "k/n up": f"{mean_up / ORIGINAL_BITS:.5f}",
        "k/n down": f"{mean_down / ORIGINAL_BITS:.5f}",
        "CBR up": f"{mean_up / DIMENSIONS:.4f}",
        "CBR down": f"{mean_down / DIMENSIONS:.4f}",
        "channel uses": round(mean_up + mean_down),
        "times NI": round((mean_up + mean_down) / float(np.mean(least.total)), 1),
    }


def alignment_table(columns: dict[str, Column]) -> Table:
    """Fig. 6(c), in numbers."""
    rows = []
    for name, column in columns.items():
        scores = {score.replace("_", " "): round(float(np.mean(column.score(score))), 3) for score in ALIGNMENTS}
        placed = float(np.mean(column.score("object_recovery_iou50")))
        rows.append({"scheme": name, **scores, "objects in place": f"{placed:.0%}"})
    note = "Means over all pictures; failed requests have floor scores. Subject alignment: of the personal subject alone."
    return Table("Feature alignment with the original", rows, note)


def header_share(arm: Arm, quality: int) -> list[float]:
    """What of each picture's JPEG file is header: all that stands before the coded picture, tables included."""
    shares = []
    for story in arm.stories():
        file = written(story.capture.picture, "jpeg", quality)
        shares.append(header_bytes(file) / len(file))
    return shares


def header_bytes(file: bytes) -> int:
    """Length of a JPEG file up to its coded data: segments of two bytes marker and a length each (ITU-T T.81, annex B)."""
    at = 2
    while True:
        marker, length = file[at + 1], int.from_bytes(file[at + 2 : at + 4], "big")
        at += 2 + length
        if marker == 0xDA:
            return at


def history_symbols(arm: Arm) -> float:
    """Channel uses that the history took, once, before the service."""
    return float(arm.results.get("preparation_symbols", 0.0))


def headline(columns: dict[str, Column]) -> list[tuple[str, str]]:
    """What the page begins with."""
    mean = {name: float(np.mean(column.total)) for name, column in columns.items()}
    most = max(mean[name] for name in VARIANTS)
    gain = float(np.mean(columns["HA"].score("subject_alignment")) - np.mean(columns["NA"].score("subject_alignment")))
    return [
        (f"{mean[SHANNON] / most:.0f}x", "Shannon's bandwidth over that of the costliest AIGC-SCM variant"),
        (f"{mean[JSCC_L] / most:.1f}x", "the low-rate JSCC's bandwidth over it"),
        (f"{gain:+.2f}", "subject alignment by history (HA less NA)"),
    ]


def notes(columns: dict[str, Column], header: list[float], history: float, study: Study) -> list[str]:
    """What a reader should know of these numbers."""
    per_picture = float(np.mean(columns["HA"].total))
    text = {name: float(np.mean(columns[name].score("text_alignment"))) for name in ("NI", SHANNON)}
    return [
        f"History is not free: pictures of all six subjects took {history:,.0f} channel uses once, before the service, which is "
        f"{history / per_picture:,.0f} prompts' worth. It is not part of the ratios, as in the paper.",
        "Identifiers of subjects are part of the prompts and charged (the paper leaves them out): with history the owner's name "
        "in captions, a number of four bits in boxes.",
        f"At 64x64 pixels the header of a JPEG file of quality {study.options.jpeg_quality} is {float(np.mean(header)):.0%} "
        "of it; the table also gives Shannon without it.",
        "The whole image's alignment depends on where things are, and captions (NI, HI) leave that open; the low-rate JSCC keeps "
        "places, if not outlines.",
        f"Text alignment does not reward a subject's own look: Shannon, almost the original, has {text[SHANNON]:.3f}, NI, which "
        f"draws a plain thing of the class and colour that are named, {text['NI']:.3f}.",
        "Where the sender's own extractor does not recognise its subject, the prompt has no identifier: history is of no use.",
    ]


_ORDER = "order only: the bars have no numbers"
_OUR_FILES = "By files of the quality that we chose; what other qualities take is in a table of its own."
_SAME = [
    "One transmitter, one multicast prompt, receiver B with general knowledge and receiver C with history; four variants.",
    "10 dB; prompts go by the same coded link as the files of Shannon: LDPC of rate 1/2, 16QAM (802.11n).",
    "Image, object and text feature alignment are cosines of features of a CLIP-class model that no sender or receiver uses.",
]
_DIFFERENT = [
    "Pictures: drawn scenes of 64x64 pixels with one to three objects, of which one is a subject of A's own, where the paper has "
    "photographs with subjects of the DreamBooth data.",
    "Models: a detector, a latent diffusion model with boxes, LoRA adapters and references of some million parameters each, in "
    "place of YOLO, ExpansionNet v2, Stable Diffusion, DreamBooth and GLIGEN; an adaptive JSCC codec in place of WITT.",
    "Boxes carry colours and the background too (7 bits of about 50 for one object), which GLIGEN's labels may say.",
    "Two hops, up and down, each with its symbols; the paper has one link.",
]
