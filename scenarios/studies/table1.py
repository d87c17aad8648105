"""Study ``gai-scn-table1``: what the downlink carries at 0 dB for GAI-SCN, SemCom and generated pictures as files (Table I).

The paper gives bits and PSNR of three schemes, and neither codecs nor how symbols were counted. Here each scheme runs at several
operating points in one world, and what is compared is what each needs for the same quality: the same share of objects brought
across (what the paper says should be the sole focus), and the same PSNR (as its table nearly has). Operating points are chosen by
a stated rule, on pictures that are not compared: the mix of least air, up and down together, that is good enough.

Bits: all coded transfers are QPSK, two coded bits a complex channel use, and a JSCC symbol takes one channel use, too: it counts
as those two bits. So bits are proportional to channel uses, the resource that all schemes share; ratios are the same for the
information bits that the coded link brings across in as many uses. Everything a picture costs on the downlink is in them: header,
pilots, HARQ feedback, retransmissions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from ...bus.channel.mcs import MCS_BY_NAME
from ...bus.records import AirRecord
from ..metrics.row import Row
from ..schema import Section
from . import inference
from .findings import Claim, Findings, Number, Table
from .operating import Mix, Point, cheapest, common_target, ratio
from .study import Arm, Overlay, Study
from .table1_figures import figures, gallery

GAI, SEMCOM, FILES = "GAI-SCN", "SemCom", "GAI-traditional"
UNEVEN, PRECISE = "SemCom, two codecs", "GAI-traditional, precise"
PAPER = {FILES: (1.28e5, 28.05), SEMCOM: (5.99e4, 28.25), GAI: (3.03e4, 28.64)}
"""Scheme -> bits on the downlink and PSNR in dB, as printed in Table I (1024x1024 pixels)."""
PAPER_PIXELS, PIXELS = 1024 * 1024, 64 * 64
RULES = {"recovery": "equal object recovery", "psnr_db": "equal PSNR"}
PSNR_STEP_DB = 0.5
QUANTISED_BITS = 16
"""Of a JSCC symbol, where its two real values are counted as features of 8 bits."""


class Options(Section):
    """Options of the study."""

    tuning: int = Field(default=4, ge=1)
    """First pictures of every user: operating points are chosen on these and compared on the others."""
    recovery: float = Field(default=0.9, gt=0, le=1)
    """Share of the original's objects that every scheme has to bring across."""
    codecs: tuple[str, ...] = ("adaptive-cbr48", "snr01-cbr24", "snr01-cbr12", "adaptive-cbr6")
    """JSCC codecs of GAI-SCN and SemCom: of each rate the one of the library that is best at 0 dB."""
    qualities: tuple[int, ...] = (0, 10)
    """WebP qualities of GAI-traditional."""
    precise: int = Field(default=50, ge=0, le=100)
    """WebP quality that delivers precisely what was generated."""
    uneven: tuple[tuple[str, str], ...] = (("snr01-cbr12", "snr01-cbr24"), ("adaptive-cbr6", "snr01-cbr24"))
    """Codecs (up, down) of a SemCom that sends up better than down."""


def arms(options: Options) -> dict[str, Overlay]:
    """One run a scheme and operating point."""
    found: dict[str, Overlay] = {}
    for scheme in ("gai-scn", "semcom"):
        for codec in options.codecs:
            found[f"{scheme}-{codec}"] = {"scheme": scheme, "policies": {"encoder": f"fixed:codec={codec}"}}
    for quality in dict.fromkeys((*options.qualities, options.precise)):
        found[f"gai-traditional-q{quality}"] = {"scheme": "gai-traditional", "models": {"file_quality": quality}}
    for up, down in options.uneven:
        overlay = {"scheme": "semcom", "policies": {"encoder": f"fixed:codec={down}"}, "models": {"uplink_codec": up}}
        found[f"uneven-semcom-{up}-{down}"] = overlay
    return found


def find(study: Study) -> Findings:
    """Choose operating points, and compare the schemes there."""
    points = [point_of(arm, study.options) for arm in study.arms.values()]
    families = {name: [point for point in points if point.family == name] for name in (GAI, SEMCOM, FILES)}
    targets = {
        "recovery": study.options.recovery,
        "psnr_db": common_target(list(families.values()), "psnr_db", PSNR_STEP_DB),
    }
    entrants = families | {
        UNEVEN: [*families[SEMCOM], *(point for point in points if point.family == UNEVEN)],
        PRECISE: [point for point in points if point.name == f"gai-traditional-q{study.options.precise}"],
    }
    mixes = {
        rule: {name: cheapest(of, rule, target) for name, of in entrants.items() if name != PRECISE}
        for rule, target in targets.items()
    }
    precise = entrants[PRECISE][0]
    exact = Mix(precise, precise, 1.0)
    use_bits = bits_per_use(study)
    charts = figures(study.figures, families, mixes, exact, targets, use_bits)
    notes = [f"At {RULES[rule]} {name} takes: {mix.words}." for rule, of in mixes.items() for name, mix in of.items()]
    notes += [
        f"{name} does not reach the target of {RULES[rule]} with any operating point; its best one is compared."
        for rule, of in mixes.items()
        for name, mix in of.items()
        if not mix.reached
    ]
    return Findings(
        question="At 0 dB, how many bits does the downlink have to carry for a picture when the cloud generates it from a prompt "
        "and it comes down by JSCC, when the original goes up and down by JSCC, and when what is generated comes down as a file?",
        paper="Xia et al., Generative AI for Semantic Communication: GAI-SCN (arXiv 2308.15483), section IV, Table I",
        numbers=numbers(points, mixes, exact, targets, use_bits),
        claims=[claim for rule in RULES for claim in claims(Duel(entrants, targets, rule))],
        tables=[*(compared(mixes[rule], exact, rule, targets[rule], use_bits) for rule in RULES), all_points(points, use_bits)],
        charts=charts,
        galleries=[gallery(study, mixes["recovery"])],
        same=_SAME,
        different=_DIFFERENT,
        headline=headline(mixes),
        notes=[*_NOTES, *notes],
    )


def bits_per_use(study: Study) -> int:
    """Coded bits of a channel use: of the one scheme that all coded transfers are sent with."""
    import tomllib

    from .. import folder as folders

    arm = next(iter(study.arms.values()))
    radio = tomllib.loads((arm.folder / folders.SCENARIO_FILE).read_text(encoding="utf-8"))["radio"]
    return MCS_BY_NAME[radio["fixed_mcs"]].bits_per_symbol


def point_of(arm: Arm, options: Options) -> Point:
    """An arm as an operating point. PSNR is against the picture that the scheme sets out to deliver: SemCom's is the original."""
    rows = sorted(arm.rows, key=lambda row: row.request)
    stories = sorted(arm.stories(), key=lambda story: str(story.request))
    scheme = rows[0].scheme
    family = UNEVEN if arm.name.startswith("uneven") else {"gai-scn": GAI, "semcom": SEMCOM, "gai-traditional": FILES}[scheme]

    def column(name: str) -> np.ndarray:
        return np.array([float(getattr(row, name)) for row in rows])

    columns = {
        "down": column("symbols_down"),
        "quantised": np.array([quantised_bits(story.airs) for story in stories]),
        "up": column("symbols_up"),
        "recovery": column("object_recovery"),
        "iou50": column("object_recovery_iou50"),
        "psnr_db": column("psnr_to_original_db" if scheme == "semcom" else "psnr_db"),
        "psnr_to_original_db": column("psnr_to_original_db"),
    }
    return Point(arm.name, family, columns, np.array([number(row) < options.tuning for row in rows]))


def quantised_bits(airs: Sequence[AirRecord]) -> float:
    """Bits of a picture on the downlink if JSCC symbols were quantised features: 2 x 8 bits each, beside the coded payload."""
    return float(sum(air.payload_bits + QUANTISED_BITS * air.jscc_symbols for air in airs if air.direction == "down"))


def number(row: Row) -> int:
    """Number of a request among its sender's."""
    return int(row.request.rpartition("/")[2])


# --- what is claimed ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Duel:
    """Who is compared by which rule. ``families``: name -> operating points; ``targets``: rule -> what has to be reached."""

    families: dict[str, list[Point]]
    targets: dict[str, float]
    rule: str

    def claim(
        self, name: str, text: str, first: str, second: str, bound: float, paper: str = "", remark: str = "", column: str = "down"
    ) -> Claim:
        """The first needs at least ``bound`` times what the second needs."""
        above, below, target = self.families[first], self.families[second], self.targets[self.rule]
        value, low, high = ratio(above, below, self.rule, target, column, "table1", name)
        way = "downlink bits" if column == "down" else "channel uses up and down"
        held = int((~above[0].tuned).sum())
        if self.rule == "psnr_db":
            remark = f"{remark} {_INTENDED}".strip()
        text = text if RULES[self.rule] in text else f"{text} at {RULES[self.rule]}"
        return Claim(name, text, f"{first} / {second}, {way}", value, low, high, bound, held, paper=paper, remark=remark)


def claims(duel: Duel) -> list[Claim]:
    """The paper's order and ratios where all schemes are equally good by a rule."""
    key = duel.rule.removesuffix("_db")
    less = "GAI-SCN needs fewer bits on the downlink than"
    found = [
        duel.claim(f"{key}-order-semcom", f"{less} SemCom", SEMCOM, GAI, 1.0),
        duel.claim(f"{key}-ratio-semcom", f"{less} SemCom by the paper's ratio,", SEMCOM, GAI, 1.97, "1.97 (5.99e4 / 3.03e4)"),
        duel.claim(f"{key}-order-traditional", f"SemCom {less.partition(' ')[2]} GAI-traditional", FILES, SEMCOM, 1.0),
        duel.claim(
            f"{key}-ratio-traditional",
            f"{less} GAI-traditional by the paper's ratio,",
            FILES,
            GAI,
            4.2,
            "4.2 (1.28e5 / 3.03e4)",
            "The file is the smallest WebP that is good enough: a far stronger rival than one that is precise.",
        ),
        duel.claim(f"{key}-total", "GAI-SCN needs less air, up and down together, than SemCom", SEMCOM, GAI, 1.0, column="total"),
    ]
    if duel.rule != "recovery":
        return found
    precise = duel.claim(
        "precise-traditional",
        "GAI-SCN at equal object recovery needs fewer bits on the downlink than precise files of what was generated, by the "
        "paper's ratio",
        PRECISE,
        GAI,
        4.2,
        "4.2 (1.28e5 / 3.03e4)",
        "The paper's scheme is for precise delivery. It brings across more than is asked of the others.",
    )
    if len(duel.families[UNEVEN]) == len(duel.families[SEMCOM]):
        return [*found, precise]
    remark = "The paper's SemCom has one codec. One that spends more on the way up can spend less on the way down."
    better = f"{less} SemCom by the paper's ratio, also where it may send up with a better codec than down,"
    return [*found, precise, duel.claim(f"{key}-uneven", better, UNEVEN, GAI, 1.97, remark=remark)]


# --- numbers and tables --------------------------------------------------------------------------------------------------

_BITS = {"downlink_bits_per_picture": "down", "uplink_bits_per_picture": "up", "total_bits_per_picture": "total"}
_QUANTISED = {"downlink_bits_per_picture_features_of_8_bits": "quantised"}
_SCORES = {
    "object_recovery": "recovery",
    "object_recovery_iou50": "iou50",
    "psnr_to_intended_db": "psnr_db",
    "psnr_to_original_db": "psnr_to_original_db",
}


def numbers(
    points: list[Point], mixes: dict[str, dict[str, Mix]], exact: Mix, targets: dict[str, float], use_bits: int
) -> list[Number]:
    """Bits and scores of every operating point, and of every scheme at each rule (``at`` the target that all had to reach)."""
    found = [each for point in points for each in _of(point.name, Mix(point, point, 1.0), {}, use_bits)]
    for rule, of in mixes.items():
        for name, mix in of.items():
            found += _of(name, mix, {f"target_{rule}": targets[rule]}, use_bits)
    return found + _of(PRECISE, exact, {}, use_bits)


def _of(arm: str, mix: Mix, at: dict[str, float], use_bits: int) -> list[Number]:
    found = []
    for name, column in (_BITS | _QUANTISED | _SCORES).items():
        values = mix.values(column) * (use_bits if name in _BITS else 1)
        found.append(Number(name, arm, *inference.mean(values.tolist(), "table1", arm, name, *at), len(values), at))
    down = mix.values("down") * use_bits / PIXELS
    return [*found, Number("downlink_bits_per_pixel", arm, *inference.mean(down.tolist(), "table1", arm), len(down), at)]


def compared(mixes: dict[str, Mix], exact: Mix, rule: str, target: float, use_bits: int) -> Table:
    """The paper's table beside ours, where all schemes are equally good."""
    rows = [_row(name, mixes[name], PAPER.get(name), use_bits) for name in (FILES, SEMCOM, GAI)]
    if mixes[UNEVEN].words != mixes[SEMCOM].words:
        rows.append(_row(UNEVEN, mixes[UNEVEN], None, use_bits))
    rows.append(_row(PRECISE, exact, None, use_bits))
    what = f"{target:.0%} of the objects" if rule == "recovery" else f"{target:g} dB"
    return Table(
        f"Table I, the paper's and ours at {RULES[rule]} ({what})",
        rows,
        "Bits are coded bits (two a channel use) of one picture, all overhead and retransmissions included. PSNR is against the "
        "picture that a scheme sets out to deliver: the original for SemCom, what the cloud generated for the others.",
    )


def _row(name: str, mix: Mix, paper: tuple[float, float] | None, use_bits: int) -> dict[str, object]:
    down, up = (float(mix.values(way).mean()) * use_bits for way in ("down", "up"))
    return {
        "scheme": name,
        "paper, bits down": f"{paper[0]:,.0f}" if paper else "-",
        "paper, PSNR dB": f"{paper[1]:.2f}" if paper else "-",
        "bits down": round(down),
        "bits up": round(up),
        "bits, both": round(down + up),
        "bits down, features of 8 bits": round(float(mix.values("quantised").mean())),
        "PSNR dB": round(float(mix.values("psnr_db").mean()), 2),
        "PSNR to the original": round(float(mix.values("psnr_to_original_db").mean()), 2),
        "objects recovered": f"{float(mix.values('recovery').mean()):.1%}",
        "in place": f"{float(mix.values('iou50').mean()):.1%}",
        "paper, bits a pixel": f"{paper[0] / PAPER_PIXELS:.3f}" if paper else "-",
        "bits a pixel": round(down / PIXELS, 3),
    }


def all_points(points: list[Point], use_bits: int) -> Table:
    """Every operating point that was run, over the pictures that are compared."""
    rows = []
    for point in points:
        row = _row(point.name, Mix(point, point, 1.0), None, use_bits)
        rows.append({key: value for key, value in row.items() if not key.startswith("paper")})
    return Table("All operating points", rows, "Over the pictures that are compared.")


def headline(mixes: dict[str, dict[str, Mix]]) -> list[tuple[str, str]]:
    """What the page begins with."""
    found = []
    for rule, of in mixes.items():
        down = {name: float(mix.values("down").mean()) for name, mix in of.items()}
        found.append((f"{down[SEMCOM] / down[GAI]:.2f}", f"SemCom / GAI-SCN, downlink bits at {RULES[rule]} (paper: 1.97)"))
        found.append(
            (f"{down[FILES] / down[GAI]:.2f}", f"GAI-traditional / GAI-SCN, downlink bits at {RULES[rule]} (paper: 4.2)")
        )
    return found


_INTENDED = "PSNR against what a scheme sets out to deliver: the original for SemCom, what was generated for the other two."
_SAME = [
    "Three schemes in one network at 0 dB AWGN, up and down; 300 pictures are compared, each sent by every scheme.",
    "Bits are counted on the downlink alone; the traditional scheme is LDPC coded.",
]
_DIFFERENT = [
    "Pictures: drawn scenes of 64x64 pixels with 1 to 4 objects, where the paper has photographs of 1024x1024: a header that is "
    "nothing to a large picture is a fifth of what a small one takes here.",
    "Models: an extractor, a diffusion generator and JSCC codecs of some million parameters each, trained on such scenes, in "
    "place of ViT-GPT2, Stable Diffusion 2.1 and the paper's codecs, of which it gives no rates.",
    "Coded link: LDPC of 5G, QPSK of rate 0.37, the fastest that 0 dB carries, with repetition of what is lost; the paper cites "
    "802.11n. A file is WebP; the paper names none.",
    "The paper does not say what its PSNR is against, nor how symbols become bits; both are stated here.",
]
_NOTES = [
    "The rule: of all mixes of two operating points that reach the target on the first pictures of every user, the one of least "
    "air, up and down together. Cost and quality are measured on the other pictures; intervals hold both samples' uncertainty.",
    "Why GAI-SCN can need less than SemCom at all: its content crosses one noisy link, not two, and generated pictures are "
    "smoother than originals, so that a codec of the same rate brings them across better.",
    "Other ways to count: as information bits of the coded link all numbers shrink alike (0.37 in place of 1 a coded bit). As "
    "quantised features of 2 x 8 bits a JSCC symbol (in the tables), GAI-SCN and SemCom count eight times as many bits for the "
    "same air and files only their payload: by that count files are the cheapest, although they occupy the air the longest.",
]
