"""The figures of ``semcast eval jscc`` as tables for people."""

from collections.abc import Mapping
from typing import Any

from ...bus.channel import MCS_TABLE
from . import Request
from .jscc import BELOW_CLIFF_DB, OURS, RIVALS, scheme_name
from .score import Score, Skipped

Scores = Mapping[str, Score | Skipped]
Table = tuple[str, list[dict[str, Any]]]
"""Title and rows."""
NAMES = {OURS: "semcast (one codec)"} | {f"{form}_best_mcs": f"{form} + LDPC, best MCS at each SNR" for form in RIVALS}


def tables(scores: Scores, request: Request) -> list[Table]:
    """PSNR over SNR, our gaps, and every fixed scheme with its cliff."""
    n = next(score.n for score in scores.values() if isinstance(score, Score))
    title = f"PSNR in dB at CBR {request.cbr}, AWGN, {n} pictures (mean, 95 % interval)"
    rows = [{"scheme": shown} | _over_snr(scores, f"{name}_psnr_db", request) for name, shown in NAMES.items()]
    rows += [{"scheme": f"semcast - best {form}"} | _over_snr(scores, f"gap_to_best_{form}_db", request) for form in RIVALS]
    fixed = [_fixed(scores, form, index, request) for form in RIVALS for index in range(len(MCS_TABLE))]
    return [(title, rows), ("fixed schemes: PSNR in dB; the cliff is the SNR where half of the pictures arrive", fixed)]


def remarks(scores: Scores, request: Request) -> list[str]:
    """How it was measured, and how we stand below the cliffs."""
    lines = [
        "Equal complex channel uses for all, floor(CBR * 3 H W) a picture: file headers, and our coded side information (size, "
        "scale and block classes, at the fastest scheme that loses at most one in 1,000), are paid from them.",
        "Coded bits: 5G LDPC + QAM by the shipped BLER tables (Sionna, AWGN), one attempt; a picture that does not arrive, or "
        "does not fit, is mid-grey and counts.",
    ]
    left_out = scores["left_out_trained_on"]
    if isinstance(left_out, Score) and left_out.value:
        lines.append(f"{left_out.value:g} of {left_out.n} pictures are left out: the codec was trained on them.")
    return lines + [line for form in RIVALS if (line := _below_cliff(scores, form, request))]


def _over_snr(scores: Scores, name: str, request: Request) -> dict[str, str]:
    return {f"{snr_db:g} dB": _text(scores[f"{name}_snr{snr_db:g}"]) for snr_db in request.snrs_db}


def _text(score: Score | Skipped) -> str:
    return f"{score.value:.2f} [{score.low:.2f}, {score.high:.2f}]" if isinstance(score, Score) else "infeasible"


def _fixed(scores: Scores, form: str, index: int, request: Request) -> dict[str, Any]:
    mcs = MCS_TABLE[index]
    name = scheme_name(form, mcs)
    cliff, infeasible = scores[f"{name}_cliff_snr_db"], scores[f"{name}_infeasible_share"]
    psnrs = {snr_db: scores[f"{name}_psnr_db_snr{snr_db:g}"] for snr_db in request.snrs_db}
    row = {"scheme": f"{form} {mcs.name}", "cliff (dB)": f"{cliff.value:.1f}" if isinstance(cliff, Score) else "infeasible"}
    row |= {f"{snr:g} dB": f"{score.value:.2f}" if isinstance(score, Score) else "" for snr, score in psnrs.items()}
    return row | {"does not fit": f"{infeasible.value:.0%}" if isinstance(infeasible, Score) and infeasible.value else ""}


def _below_cliff(scores: Scores, form: str, request: Request) -> str:
    """The least lead over a fixed scheme where the SNR is at least 2 dB below its cliff."""
    leads = []
    for mcs in MCS_TABLE:
        cliff = scores[f"{scheme_name(form, mcs)}_cliff_snr_db"]
        for snr_db in request.snrs_db:
            mine, theirs = (scores[f"{name}_psnr_db_snr{snr_db:g}"] for name in (OURS, scheme_name(form, mcs)))
            if not (isinstance(cliff, Score) and isinstance(mine, Score) and isinstance(theirs, Score)):
                continue
            if snr_db <= cliff.value - BELOW_CLIFF_DB:
                leads.append((mine.value - theirs.value, snr_db, mcs.name))
    if not leads:
        return ""
    lead, snr_db, name = min(leads)
    where = f"{BELOW_CLIFF_DB:g} dB or more below its cliff"
    return f"{where}, semcast leads every fixed {form} scheme by {lead:.2f} dB or more (least: {name} at {snr_db:g} dB)."
