"""Classical baselines at equal channel uses: JPEG, JPEG 2000, WebP and AVIF over LDPC and QAM, beside our photograph codec.

Losses over SNR follow the BLER tables, which are held against real bits here (`classical_links`); the cliff is sent bit by bit
(`classical_cliff`). Needs Sionna, the extra ``phy``.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import replace
from fractions import Fraction
from multiprocessing import get_context
from typing import Any

import numpy as np
from pydantic import Field

from ...agents.models.codecs.classical import FORMATS, check_format
from ...agents.request import worker_count
from ...bus.channel.bits import coder
from ...bus.channel.mcs import MCS_TABLE
from ..evaluations.jscc import check_cbr
from ..schema import Section
from . import classical_figures as figures
from . import classical_tables as tables
from .classical_claims import cliff_claims, cliff_numbers, lead_claims, link_claims, link_numbers, quality_numbers
from .classical_cliff import Cliff, sweep
from .classical_links import BETWEEN, MARGIN, MEASURED, Point, point, uncoded
from .classical_pictures import of_study, scenes
from .classical_quality import Quality, Task, Way, gathered, measure, photo_codec, ways
from .findings import Findings
from .study import Study

TOLD_EVERY_S = 1.5
SCENE_BUDGETS = (("1/12", 1024), ("1/24", 512))
"""CBR and complex channel uses of the JSCC library's codecs of 64x64 scenes."""
SAME = (
    "CBR counts complex channel uses / (3 H W); SNR is Es/N0 per complex symbol; E|h|^2 = 1.",
    "LDPC of 5G (TS 38.212) and of 802.11n (n = 648, rate 1/2), Gray-labelled QAM, 20 iterations of belief propagation.",
    "File headers, checksums, parity bits, filling, pilots and padding are charged; what does not fit has its row.",
)
DIFFERENT = (
    "BPG has no maintained encoder here; AVIF (AV1) stands in its place. Pictures are never scaled down to fit.",
    "The scheme is chosen for the mean SNR, as by a sender that is not told the gain. Over Rayleigh fading one gain holds for "
    "all code blocks of an attempt, the next attempt has a new one, and copies are added up (chase combining).",
    "HARQ: repetitions come beside the budget (their mean cost is in the table), or both attempts and their feedback are paid "
    "from it, as each row says. An attempt has one group of pilots, for our codec as for its rivals.",
)


class Options(Section):
    """Keys of ``[options]``."""

    pictures: int = Field(default=12, ge=2)
    cbrs: tuple[Fraction, ...] = (Fraction(1, 16), Fraction(1, 32))
    """Complex channel uses / (3 H W), 1/48 to 1/6; figures and claims are of the first."""
    marks_db: tuple[float, ...] = (-2.0, 1.0, 4.0, 7.0, 10.0, 13.0, 16.0)
    """Mean Es/N0 of tables and of the photograph codec; must hold 1 to 13 dB."""
    attempts: int = Field(default=4, ge=2, le=8)
    """HARQ transmissions over Rayleigh fading."""
    pilots: int = Field(default=16, ge=1)
    """Of each attempt over Rayleigh fading, charged; the receiver estimates the gain from them."""
    gains: int = Field(default=12, ge=2)
    """Rayleigh gains, more of them low, with which the photograph codec really sends each picture; between them, lines."""
    cliff_pictures: int = Field(default=6, ge=1)
    blocks: int = Field(default=3000, ge=100)
    """Of each operating point of the equivalence test."""
    ber_symbols: int = Field(default=200_000, ge=1000)
    most_side: int = Field(default=512, ge=256)
    """Of photographs in pixels; larger ones are cut to their middles."""


def find(study: Study) -> Findings:
    """Measure links, pictures and the cliff.

    Raises:
        Missing: Sionna or AVIF is not there.
        BadInput: A CBR is out of range, or the pictures are too few or too small.
    """
    options: Options = study.options
    for cbr in options.cbrs:
        check_cbr(cbr)
    for codec in FORMATS:
        check_format(codec)
    coder(MCS_TABLE[0], 64)  # what is missing is told first
    every = ways(options.attempts, options.pilots)
    chosen, what = of_study(study.images, options.pictures, options.most_side, study.seed)
    qualities, coded, between = _measure(study, options, chosen, every)

    def tell(text: str) -> None:
        study.tell(1, 1, text)

    cliffs = sweep(chosen[: options.cliff_pictures], options.cbrs[0], photo_codec(), study.seed, tell)
    bare = uncoded(options.ber_symbols, study.seed, tell)
    tell("tables and figures")
    first, said = qualities[0], f"{len(chosen)} {what}"
    return Findings(
        question="What do classical codecs with LDPC and QAM reach at an exact number of channel uses, and where do they break?",
        paper="The baselines of the field's papers (JPEG or BPG, LDPC, QAM); GAI-SCN (Xia et al.) uses 802.11n LDPC of rate 1/2",
        numbers=[*quality_numbers(qualities, every), *link_numbers([*coded, *between], bare), *cliff_numbers(cliffs)],
        claims=[
            *link_claims(coded, between, bare),
            *[claim for cliff in cliffs for claim in cliff_claims(cliff, study.seed)],
            *lead_claims(first, every, study.seed),
        ],
        tables=[
            *[tables.adapted(quality, way, said) for quality in qualities for way in every],
            tables.small(scenes(min(16, options.pictures), study.seed), SCENE_BUDGETS),
            tables.links("Ten operating points, bit by bit and by the tables", coded),
            tables.links("Block lengths between those of the tables", between),
            *[tables.fixed(quality, way) for quality in qualities for way in every[:2]],
            tables.bit_errors(bare),
        ],
        charts=[
            figures.staircases(study, first, every, said),
            *([figures.cliffs(study, cliffs)] if cliffs else []),
            figures.agreement(study, [*coded, *between]),
            figures.bit_errors(study, bare),
        ],
        galleries=[figures.around_the_cliff(cliffs, chosen[0])] if cliffs else [],
        same=list(SAME),
        different=[_pictures_differ(study, what), *DIFFERENT],
        headline=_headline(coded, cliffs, first),
        notes=["A picture that is lost, or fits at no quality, is mid-grey and counts in every mean."],
    )


def _pictures_differ(study: Study, what: str) -> str:
    trained = "not on mosaics" if study.images is None else "not on these"
    return f"Pictures: {what}; the field's set is Kodak. The JSCC codec was trained on photographs, {trained}."


def _measure(
    study: Study, options: Options, chosen: Sequence[np.ndarray], every: tuple[Way, ...]
) -> tuple[list[Quality], list[Point], list[Point]]:
    """All pictures at all CBRs and all operating points, on all cores; results do not depend on how many there are."""
    task = Task(chosen[0], 0, options.cbrs[0], every, tuple(sorted(options.marks_db)), options.gains, study.seed)
    tasks = [replace(task, picture=picture, number=i, cbr=cbr) for cbr in options.cbrs for i, picture in enumerate(chosen)]
    plan = [*MEASURED, *BETWEEN]
    with ProcessPoolExecutor(min(worker_count("nats", 0), len(tasks)), mp_context=get_context("spawn")) as pool:
        pictures = [pool.submit(measure, one) for one in tasks]
        coded = [pool.submit(point, *one, options.blocks, study.seed) for one in plan]
        waiting: set[Future[Any]] = {*pictures, *coded}
        number = len(waiting)
        try:
            while waiting:
                ended, waiting = wait(waiting, timeout=TOLD_EVERY_S, return_when="FIRST_COMPLETED")
                for future in ended:
                    future.result()
                study.tell(number - len(waiting), number, "pictures (four formats, all schemes, three channels) and links")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    found = [future.result() for future in pictures]
    points = [future.result() for future in coded]
    n = len(chosen)
    qualities = [gathered(cbr, task, found[i * n : (i + 1) * n]) for i, cbr in enumerate(options.cbrs)]
    return qualities, points[: len(MEASURED)], points[len(MEASURED) :]


def _headline(coded: Sequence[Point], cliffs: Sequence[Cliff], quality: Quality) -> list[tuple[str, str]]:
    same = sum(point.bound <= MARGIN for point in coded)
    found = [(f"{same} of {len(coded)}", f"operating points where bit-true links and BLER tables agree within {MARGIN:g}")]
    for cliff in cliffs:
        above, below = (cliff.snrs_db.index(round(cliff.middle_db + step, 2)) for step in (1.0, -1.0))
        lost = float((cliff.real_db[:, above] - cliff.real_db[:, below]).mean())
        held, adapted = (float((of[:, above] - of[:, below]).mean()) for of in (cliff.jscc_db, cliff.adapted_db))
        text = f"lost within 2 dB by {cliff.name}; our codec loses {held:.1f} dB encoded once, {adapted:.1f} dB adapted"
        found.append((f"{lost:.1f} dB", text))
    mark = 10.0 if 10.0 in quality.marks_db else quality.marks_db[0]
    avif = quality.staircase("awgn", "avif", "nr")
    if avif is not None:
        lead = float((quality.jscc_db["awgn"][:, quality.marks_db.index(mark)] - avif[:, quality.column(mark)]).mean())
        found.append(
            (f"{lead:+.1f} dB", f"our codec against AVIF + 5G LDPC at its best scheme, AWGN, {mark:g} dB, CBR {quality.cbr}")
        )
    return found
