"""Numbers and claims of the study ``classical``."""

import math
from collections.abc import Sequence

from ...agents.models.codecs.classical import FORMATS
from ...bus.channel.mcs import MCS_BY_NAME
from .classical_cliff import Cliff
from .classical_links import BER_MARGIN, MARGIN, Point, Uncoded, compared
from .classical_quality import ANY, CODES, Quality, Way, scheme
from .findings import Claim, Number
from .inference import difference, mean

LEAD_SNRS_DB = (1.0, 13.0)
"""Claims about leads are means over the marks between these, the range of the field's figures."""
TWICE = 0.9
"""Confidence of the interval of two one-sided tests at 5 % each."""
CLIFF_DB, SLOPE_DB = 5.0, 2.0
"""What a cliff loses at least, and a graceful codec at most, over the same 2 dB."""

# --- numbers -----------------------------------------------------------------------------------------------------------


def quality_numbers(qualities: Sequence[Quality], every: Sequence[Way]) -> list[Number]:
    """PSNR with the best scheme at each SNR, and shares of pictures that fit nowhere."""
    found = []
    for quality in qualities:
        for way in every:
            for mark in quality.marks_db:
                at = {"cbr": float(quality.cbr), "snr_db": mark}
                for codec in (*FORMATS, ANY):
                    for code in CODES:
                        stairs = quality.staircase(way.name, codec, code)
                        if stairs is not None:
                            column = stairs[:, quality.column(mark)].tolist()
                            value, low, high = mean(column, "classical", way.name, codec, code, str(quality.cbr), str(mark))
                            found.append(Number("psnr_db", f"{way.name} {codec} {code}", value, low, high, len(column), at))
                ours = quality.jscc_db[way.name][:, quality.marks_db.index(mark)].tolist()
                value, low, high = mean(ours, "classical", way.name, "jscc", str(quality.cbr), str(mark))
                found.append(Number("psnr_db", f"{way.name} jscc", value, low, high, len(ours), at))
            for codec in FORMATS:
                for mcs in MCS_BY_NAME.values():
                    share = quality.lacking[way.name, scheme(codec, mcs)]
                    arm, at = f"{way.name} {codec} {mcs.name}", {"cbr": float(quality.cbr)}
                    found.append(Number("infeasible_share", arm, share, n=len(quality.jscc_db[way.name]), at=at))
    return found


def link_numbers(coded: Sequence[Point], bare: Sequence[Uncoded]) -> list[Number]:
    """Block and bit error rates."""
    found = []
    for point in coded:
        at = {"snr_db": point.snr_db, "block_bits": float(point.block_bits)}
        arm = f"{point.mcs.name}, {point.fading}"
        found.append(Number("bler_bits", arm, point.real, n=point.blocks, at=at))
        found.append(Number("bler_table", arm, point.table, n=point.blocks, at=at))
    for one in bare:
        at = {"snr_db": one.snr_db, "bits_per_symbol": float(one.bits_per_symbol)}
        found.append(Number("ber_counted", one.fading, one.counted, n=one.bits, at=at))
        found.append(Number("ber_closed_form", one.fading, one.exact, n=one.bits, at=at))
    return found


def cliff_numbers(cliffs: Sequence[Cliff]) -> list[Number]:
    """PSNR around the cliff."""
    found = []
    for cliff in cliffs:
        columns = {
            "bits": cliff.real_db,
            "table": cliff.table_db,
            "jscc, encoded once": cliff.jscc_db,
            "jscc, adapted": cliff.adapted_db,
        }
        for place, snr_db in enumerate(cliff.snrs_db):
            for name, values in columns.items():
                value, arm = float(values[:, place].mean()), f"{cliff.name}: {name}"
                found.append(Number("cliff_psnr_db", arm, value, n=len(values), at={"snr_db": snr_db}))
    return found


# --- claims ------------------------------------------------------------------------------------------------------------


def link_claims(coded: Sequence[Point], between: Sequence[Point], bare: list[Uncoded]) -> list[Claim]:
    """Links are what they should be."""
    found = []
    plans = (
        ("bits-as-tables", f"Bit-true and table-based links agree on BLER at {len(coded)} operating points", coded),
        ("bits-as-tables-between", "They agree at block lengths between those of the tables, too", between),
    )
    for name, text, plan in plans:
        worst = max(plan, key=lambda point: point.bound)
        difference_now = abs(worst.real - worst.table)
        fewest = min(one.blocks for one in plan)
        remark = f"Two one-sided tests, margin {MARGIN:g}, {fewest:,} blocks a point or more; the interval of the worst."
        measured = f"largest difference of block error rates ({worst.name})"
        low, high = max(0.0, difference_now - worst.half), difference_now + worst.half
        found.append(
            Claim(name, text, measured, difference_now, low, high, MARGIN, worst.blocks, True, confidence=TWICE, remark=remark)
        )
    most = max(compared(bare), key=lambda one: one.bound)
    apart = abs(most.counted / most.exact - 1)
    number = len(compared(bare))
    remark = f"{number} points with 1,000 errors a bit of a symbol; margin {BER_MARGIN:.0%}, interval of the worst."
    text = "Uncoded bit errors of BPSK, QPSK, 16QAM and 64QAM are those of the closed forms"
    bounds = (max(0.0, apart - most.half), apart + most.half)
    measured, bits = "largest relative difference", most.bits
    found.append(
        Claim("uncoded-as-closed-form", text, measured, apart, *bounds, BER_MARGIN, bits, True, confidence=TWICE, remark=remark)
    )
    return found


def cliff_claims(cliff: Cliff, seed: int) -> list[Claim]:
    """A fixed scheme falls off a cliff; our codec does not, encoded once as the rival is, or anew for each SNR."""
    above, below, lowest = (cliff.snrs_db.index(round(cliff.middle_db + step, 2)) for step in (1.0, -1.0, -2.0))
    found, n = [], len(cliff.real_db)
    slug, per_db = cliff.codec, SLOPE_DB / 2
    for name, text, values, last, bound in (
        (f"cliff-{slug}", f"{cliff.name} falls off a cliff, bit by bit", cliff.real_db, below, CLIFF_DB),
        (
            f"no-cliff-jscc-{slug}",
            "The JSCC codec, encoded once, loses little over the same 2 dB",
            cliff.jscc_db,
            below,
            2 * per_db,
        ),
        (f"no-cliff-jscc-far-{slug}", "Nor does it fall a decibel further down", cliff.jscc_db, lowest, 3 * per_db),
        (f"no-cliff-adapted-{slug}", "Encoded anew for each SNR, it loses little", cliff.adapted_db, below, 2 * per_db),
    ):
        value, low, high = difference(values[:, above].tolist(), values[:, last].tolist(), seed, name)
        measured = f"PSNR lost from {cliff.snrs_db[above]:g} to {cliff.snrs_db[last]:g} dB"
        remark = _HELD if values is cliff.jscc_db else ""
        found.append(Claim(name, text, measured, value, low, high, bound, n, not name.startswith("cliff"), remark=remark))
    return found


_HELD = "Side information goes as coded bits for the middle of the rival's cliff; where they are lost, mid-grey counts."


def lead_claims(quality: Quality, every: Sequence[Way], seed: int) -> list[Claim]:
    """Our codec less the best scheme at each SNR: mean over 1 to 13 dB, paired by picture.

    Over AWGN of all formats and of each, over fading of all and of JPEG; the tables have the others.
    """
    marks = [mark for mark in quality.marks_db if LEAD_SNRS_DB[0] <= mark <= LEAD_SNRS_DB[1]]
    measured = f"PSNR lead in dB, mean over {marks[0]:g} to {marks[-1]:g} dB"
    found = []
    for way in every:
        for codec in (ANY, *FORMATS) if way.fading == "awgn" else (ANY, "jpeg"):
            title = "the best of the four formats" if codec == ANY else FORMATS[codec].title
            stairs, name = quality.staircase(way.name, codec, "nr"), f"lead-{way.name}-{codec}"
            text = f"The JSCC codec leads {title} with 5G LDPC and the best scheme: {way.title}"
            if stairs is None:
                nan = math.nan
                found.append(Claim(name, text, measured, nan, nan, nan, 0.0, 0, remark="Infeasible for every picture."))
                continue
            mine = quality.jscc_db[way.name][:, [quality.marks_db.index(mark) for mark in marks]].mean(axis=1)
            theirs = stairs[:, [quality.column(mark) for mark in marks]].mean(axis=1)
            value, low, high = difference(mine.tolist(), theirs.tolist(), seed, name)
            spent = quality.spent_by_best(way.name, codec, "nr", marks)
            remark = f"It spends {spent:.2f} of the budget, repetitions included." if spent > 1.005 else ""
            found.append(Claim(name, text, measured, value, low, high, 0.0, len(mine), remark=remark))
    return found
