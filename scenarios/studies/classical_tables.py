"""Tables of the study ``classical``: every scheme has its row, also where nothing fits."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...agents.models.codecs.classical import FORMATS, Files, decompress
from ...agents.models.codecs.classical_link import Budget, fit
from ...bus.channel.mcs import MCS_BY_NAME
from ..evaluations.jscc import psnr_db
from .classical_links import BER_MARGIN, MARGIN, Point, Uncoded, compared
from .classical_quality import ALL_SCHEMES, ANY, CODES, Choice, Quality, Way, scheme
from .findings import Table

INFEASIBLE = "infeasible at this CBR"
SCENE_SCHEMES = ("QPSK 0.25", "16QAM 0.48", "64QAM 0.55", "64QAM 0.85", "802.11n 16QAM 0.50")


def adapted(quality: Quality, way: Way, pictures: str) -> Table:
    """PSNR at each mark with the best scheme, and what was spent."""
    rows: list[dict[str, Any]] = []
    names = {codec: form.title for codec, form in FORMATS.items()} | {ANY: "best of the four"}
    for codec, name in names.items():
        for code, title in CODES.items():
            stairs, best = quality.staircase(way.name, codec, code), quality.best(way.name, codec, code)
            row: dict[str, Any] = {"scheme": f"{name} + {title}"}
            for mark in quality.marks_db:
                place = quality.column(mark)
                mcs = best[place]
                row[f"{mark:g} dB"] = (
                    INFEASIBLE if stairs is None or mcs is None else _cell(quality, way, codec, mcs, stairs, place)
                )
            rows.append(row)
    values, spent = quality.jscc_db[way.name].mean(axis=0), quality.jscc_spent[way.name].mean(axis=0)
    ours = {f"{mark:g} dB": _psnr(values[i], spent[i]) for i, mark in enumerate(quality.marks_db)}
    rows.append({"scheme": "JSCC, one codec (ours)", **ours})
    note = (
        f"PSNR in dB, mean over {pictures}; behind it the scheme chosen, and x what is spent of the budget where that is not 1."
    )
    return Table(f"Best scheme at each SNR: {way.title}, CBR {quality.cbr}", rows, note)


def _psnr(value: float, spent: float) -> str:
    return f"{value:.2f}" + (f" x{spent:.2f}" if spent > 1.005 else "")


def _cell(quality: Quality, way: Way, codec: str, choice: Choice, stairs: np.ndarray, place: int) -> str:
    name, mcs = scheme(*choice), choice[1]
    spent, lacking = float(quality.spent[way.name, name][:, place].mean()), quality.lacking[way.name, name]
    share = f", {lacking:.0%} of pictures do not fit" if lacking else ""
    form = f"{FORMATS[choice[0]].title}, " if codec == ANY else ""
    return f"{_psnr(float(stairs[:, place].mean()), spent)} ({form}{mcs.name.replace('802.11n ', '')}{share})"


def fixed(quality: Quality, way: Way) -> Table:
    """Every fixed scheme: its cliff is where the numbers jump."""
    rows = []
    for codec, form in FORMATS.items():
        for mcs in ALL_SCHEMES:
            values, lacking = quality.psnr_db[way.name, scheme(codec, mcs)], quality.lacking[way.name, scheme(codec, mcs)]
            row: dict[str, Any] = {"scheme": f"{form.title}, {mcs.name}", "pictures that fit": f"{1 - lacking:.0%}"}
            for mark in quality.marks_db:
                row[f"{mark:g} dB"] = INFEASIBLE if values is None else f"{values[:, quality.column(mark)].mean():.2f}"
            rows.append(row)
    note = "PSNR in dB; a picture that is lost or does not fit is mid-grey and counts."
    return Table(f"Fixed schemes: {way.title}, CBR {quality.cbr}", rows, note)


def small(scenes: Sequence[np.ndarray], budgets: Sequence[tuple[str, int]]) -> Table:
    """Single scenes of 64x64: where a file's header alone is more than the budget."""
    rows = []
    for codec, form in FORMATS.items():
        files = [Files(scene, codec) for scene in scenes]
        least = float(np.mean([len(one.file(form.qualities[0])) for one in files]))
        for cbr, symbols in budgets:
            row: dict[str, Any] = {"format": form.title, "smallest file (bytes)": f"{least:.0f}", "CBR": cbr, "symbols": symbols}
            for name in SCENE_SCHEMES:
                fits = [fit(one, MCS_BY_NAME[name], Budget(symbols)) for one in files]
                there = [psnr_db(scene, decompress(one.file)) for scene, one in zip(scenes, fits, strict=True) if one]
                some = "" if len(there) == len(fits) else f" ({len(there)} of {len(fits)} pictures fit)"
                row[name] = f"{np.mean(there):.2f} dB{some}" if there else INFEASIBLE
            rows.append(row)
    note = f"PSNR where the file arrives, {len(scenes)} scenes, AWGN. The budgets are those of the JSCC library of networks."
    return Table("Single scenes of 64 x 64 pixels", rows, note)


def links(title: str, found: Sequence[Point]) -> Table:
    """Bit-true block error rates beside the tables'."""
    rows: list[dict[str, Any]] = [
        {
            "operating point": point.name,
            "mean SNR (dB)": f"{point.snr_db:g}",
            "blocks": point.blocks,
            "bit by bit": f"{point.real:.4f}",
            "tables": f"{point.table:.4f}",
            "difference, 90 %": f"{point.real - point.table:+.4f} +- {point.half:.4f}",
            "within the margin": "yes" if point.bound <= MARGIN else "no",
        }
        for point in found
    ]
    note = f"Two one-sided tests at 5 % each: the same where the 90 % interval lies within +-{MARGIN:g}."
    return Table(title, rows, note)


def bit_errors(found: list[Uncoded]) -> Table:
    """Uncoded bit error rates beside closed forms."""
    rows: list[dict[str, Any]] = [
        {
            "bits per symbol": one.bits_per_symbol,
            "channel": one.fading,
            "SNR (dB)": f"{one.snr_db:g}",
            "bits": one.bits,
            "counted": f"{one.counted:.3e}",
            "closed form": f"{one.exact:.3e}",
            "relative difference, 90 %": f"{one.counted / one.exact - 1:+.3f} +- {one.half:.3f}",
        }
        for one in compared(found)
    ]
    return Table(
        "Uncoded bit errors",
        rows,
        f"Where at least 1,000 errors are expected for each bit of a symbol; the margin is {BER_MARGIN:.0%}.",
    )
