"""Study ``digits``: the first experiments of Grassucci et al. (arXiv 2401.06803) on real handwritten digits.

A conditional VAE says what a digit is (its label) and how it looks (latents in layers); a page of digits travels as coded bits or
analogue symbols, in a frame of few channel uses, beside classical files and a codec trained end to end.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from ...agents.models.digits.models import UNKNOWN
from ..schema import Section
from . import digits_claims as claims
from . import digits_figures as figures
from . import digits_tables as tables
from . import inference
from .digits_bench import desks
from .digits_claims import Curves
from .digits_link import Fidelity
from .digits_measure import (
    Column,
    Grain,
    Pool,
    doubts,
    granularities,
    harmed,
    lost_parts,
    noisy,
    packets,
    travel,
)  # fmt: skip
from .digits_trust import area_interval
from .digits_ways import Shop
from .findings import Findings, Number
from .study import Study

CURVE_METRICS = ("alignment", "right", "ssim", "psnr_db", "iou")
GRAIN_METRICS = (*CURVE_METRICS, "equal")
Losses = Annotated[tuple[Annotated[float, Field(ge=0, le=1)], ...], Field(min_length=1)]
SNRs = Annotated[tuple[Annotated[float, Field(ge=-30, le=40)], ...], Field(min_length=2)]


class Options(Section):
    """How much is measured.

    Attributes:
        pages: Pages of 16 test digits each.
        symbols: Channel uses of a frame, pilots and reports of the channel included; a page has 1024 pixels.
        snrs_db: Es/N0 of the AWGN channel, rising.
        draws: Journeys of every page at each of them.
        fading_snrs_db: Mean Es/N0 of the block Rayleigh channel.
        fading_draws: Journeys of every page at each of them.
        losses: Probabilities that a packet is lost; one is 0.3.
        loss_draws: Journeys of every page at each of them.
        flips: Probabilities that a bit of a prompt is flipped.
        samples: Samples of a receiver that asks how sure it is.
        doubt_draws: Journeys of every digit whose pictures are doubted.
        fidelity: ``table``: coded blocks are lost by the error tables; ``bits``: prompts are really coded and decoded (Sionna).
    """

    pages: int = Field(default=25, ge=2, le=25)
    symbols: int = Field(default=512, ge=400, le=4096)
    snrs_db: SNRs = (-8, -6, -4, -2, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20)
    draws: int = Field(default=8, ge=1)
    fading_snrs_db: SNRs = (0, 4, 8, 12, 16, 20)
    fading_draws: int = Field(default=20, ge=1)
    losses: Losses = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
    loss_draws: int = Field(default=10, ge=1)
    flips: Losses = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1)
    samples: int = Field(default=8, ge=2)
    doubt_draws: int = Field(default=6, ge=1, le=6)
    fidelity: Fidelity = "table"


PAGE = 16
DOUBT_SNRS_DB = (0.0, 4.0, -4.0, 2.0, 6.0, -2.0)


def find(study: Study) -> Findings:
    """Measure everything."""
    options: Options = study.options
    desk, planning = desks(PAGE, options.pages)
    shop = Shop(desk, planning, options.symbols, options.fidelity)
    grains = granularities(desk)
    swapped, flipped = harmed(study, desk, tuple(dict.fromkeys((*options.flips, claims.FLIPPED))))
    ways = shop.ways()
    still = travel(study, ways, options.pages, options.snrs_db, options.draws, "awgn")
    fading = travel(study, ways, options.pages, options.fading_snrs_db, options.fading_draws, "rayleigh")
    lost = packets(study, desk, tuple(dict.fromkeys((*options.losses, claims.LOSS))), options.loss_draws)
    doubted_db = DOUBT_SNRS_DB[: options.doubt_draws]
    pools = [
        doubts(study, desk, "parts lost", lost_parts(study, desk, claims.LOSS, options.doubt_draws), options.samples),
        doubts(study, desk, "analogue symbols", noisy(study, shop, doubted_db), options.samples),
    ]
    study.tell(1, 1, "intervals, figures")
    made = [
        *claims.of_conditioning(grains, swapped, flipped), *claims.of_adaptivity(still, fading, shop), *claims.of_packets(lost),
        *claims.of_trust(pools),
    ]  # fmt: skip
    numbers = [
        *_of_grains(grains), *_of_columns("prompt", swapped, "harmed"), *_of_flips(flipped), *_of_curves(still, "awgn", "snr_db"),
        *_of_curves(fading, "rayleigh", "mean_snr_db"), *_of_curves(lost, "packets", "loss"), *_of_pools(pools),
        *tables.costs(desk, shop)[1],
    ]  # fmt: skip
    charts = [
        figures.over_bits(study, desk, grains), figures.over_snr(study, still, shop), figures.over_fading(study, fading),
        figures.over_loss(study, lost), figures.rocs(study, pools),
    ]  # fmt: skip
    return Findings(
        question=(
            "Can a receiver regenerate what a page of handwritten digits means from a few bits, closer the more it is told, and "
            "follow its channel without end-to-end training? And does it know when what it shows is wrong?"
        ),
        paper=(
            "E. Grassucci et al., Generative AI Meets Semantic Communication: Evolution and Revolution of Communication Tasks, "
            "arXiv 2401.06803. A position paper without measurements: its mechanisms and first experiments are tested here"
        ),
        numbers=numbers, claims=made,
        tables=[tables.mechanisms(made), tables.granularity(grains), tables.plans(shop), tables.costs(desk, shop)[0]],
        charts=charts, galleries=[figures.gallery(study, desk, shop)], same=list(tables.SAME), different=list(tables.DIFFERENT),
        headline=tables.headline(grains, made, shop), notes=tables.notes(desk, pools, options.fidelity, doubted_db),
    )  # fmt: skip


def _measured(name: str, arm: str, values: np.ndarray, at: dict[str, float]) -> Number:
    value, low, high = inference.mean(values.tolist(), "digits", name, arm, *(f"{key}={number:g}" for key, number in at.items()))
    return Number(name, arm, value, low, high, len(values), at)


def _of_grains(grains: Sequence[Grain]) -> list[Number]:
    return [
        _measured(metric, f"{grain.arm}: {grain.name}", grain.scores[metric], {"bits": round(grain.bits, 3)})
        for grain in grains
        for metric in GRAIN_METRICS
    ]


def _of_columns(name: str, found: dict[str, Column], what: str) -> list[Number]:
    return [
        _measured(f"{what}_{metric}", f"{name}: {arm}", column[metric], {})
        for arm, column in found.items()
        for metric in CURVE_METRICS
    ]


def _of_flips(found: dict[float, Column]) -> list[Number]:
    return [
        _measured(f"flipped_{metric}", "all layers, no checksum", column[metric], {"flipped": rate})
        for rate, column in found.items()
        for metric in CURVE_METRICS
    ]


def _of_curves(curves: Curves, channel: str, place: str) -> list[Number]:
    found = []
    for way, curve in curves.items():
        for where, journeys in curve.items():
            found += [_measured(f"{channel}_{metric}", way, journeys.by_page(metric), {place: where}) for metric in CURVE_METRICS]
            if channel != "packets":
                used = float(journeys.symbols.mean())
                found.append(Number(f"{channel}_channel_uses", way, used, n=len(journeys.symbols), at={place: where}))
    return found


def _of_pools(pools: Sequence[Pool]) -> list[Number]:
    found = []
    for pool in pools:
        wrong, n = int(pool.wrong.sum()), len(pool.wrong)
        found.append(Number("wrong_share", pool.name, *inference.share(wrong, n), n))
        found.append(Number("misread_share", pool.name, *inference.share(int(pool.misread.sum()), n), n))
        for flag, doubt in pool.doubts.items():
            found.append(Number("auc", f"{flag}: {pool.name}", *area_interval(doubt, pool.wrong, pool.unit, pool.name, flag), n))
            for what, kept in (("was_right", ~pool.misread), ("came", pool.labels != UNKNOWN)):
                value = area_interval(doubt[kept], pool.wrong[kept], pool.unit[kept], pool.name, flag, what)
                found.append(Number(f"auc_where_label_{what}", f"{flag}: {pool.name}", *value, int(kept.sum())))
    return found
