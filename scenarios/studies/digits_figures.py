"""Figures of the study ``digits``."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...agents.models.digits.data import CLASSES, SIDE, WHITE
from ..report import theme
from .digits_bench import Desk
from .digits_claims import Curves
from .digits_link import Frame
from .digits_measure import (
    CLASSICAL as PIXELS,
)  # fmt: skip
from .digits_measure import (
    DISCORD,
    GENERATIVE,
    LINEAR,
    NO_LABEL,
    ONE_FILE,
    PREFIX,
    SECOND_JUDGE,
    SPREAD,
    SPREAD_FINE,
    VARIANCE,
    WHATEVER,
    Grain,
    Pool,
)
from .digits_plans import ALL, first
from .digits_trust import roc
from .digits_ways import ADAPTIVE, ANALOGUE, CLASSICAL_CSI, CLASSICAL_FINE, FIXED, JOINT, LAYERED, ORACLE, WITH_PIXELS, Shop
from .findings import Chart, Gallery
from .study import Study

COLOURS = {
    LAYERED: theme.GREEN, ADAPTIVE: theme.BLUE, WITH_PIXELS: theme.PURPLE, CLASSICAL_FINE: theme.RED, CLASSICAL_CSI: theme.ORANGE,
    ANALOGUE: theme.TEAL, JOINT: theme.GREY, GENERATIVE: theme.BLUE, LINEAR: theme.GREEN, PIXELS: theme.ORANGE,
    WHATEVER: theme.BLUE, PREFIX: theme.GREEN, ONE_FILE: theme.RED, SPREAD: theme.ORANGE, SPREAD_FINE: theme.GOLD,
}  # fmt: skip
LABELS = {
    LAYERED: "layers, channel unknown", ADAPTIVE: "layers by CSI", WITH_PIXELS: "layers by CSI, pixels on top",
    CLASSICAL_FINE: "classical, fixed MCS", CLASSICAL_CSI: "classical, best MCS by CSI", ANALOGUE: "latents as analogue symbols",
    JOINT: "trained end to end",
}  # fmt: skip


def ink(levels: np.ndarray) -> np.ndarray:
    """Levels ``(64,)`` as a picture, black on white, uint8 ``(8, 8, 3)``."""
    grey = np.rint(255 * (1 - levels.reshape(SIDE, SIDE) / WHITE)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def over_bits(study: Study, desk: Desk, grains: Sequence[Grain]) -> Chart:
    """Alignment and SSIM over bits a digit, with one digit as it comes to look."""
    steps = [grain for grain in grains if grain.arm == GENERATIVE] + [grain for grain in grains if grain.arm == PIXELS][-1:]
    example = _examples(desk)[5]
    with theme.figure(study.figures, "bits", (10.5, 5.2)) as (fig, axis):
        axis.remove()
        top, bottom = fig.subfigures(2, 1, height_ratios=(1, 2.6))
        pictures = [("original", "", desk.of.pictures[example])]
        pictures += [(grain.name, f"{grain.bits:.0f} bits", grain.shown[example]) for grain in steps]
        for place, (name, bits, levels) in zip(top.subplots(1, len(pictures)), pictures, strict=True):
            place.imshow(ink(levels), interpolation="nearest")
            place.set_title(f"{name}\n{bits}".strip(), fontsize=9, loc="center", fontweight="normal")
            place.set_axis_off()
        for axis, metric, title in zip(bottom.subplots(1, 2), ("alignment", "ssim"), ("Feature alignment", "SSIM"), strict=True):
            for arm in (GENERATIVE, LINEAR, PIXELS):
                shown = [grain for grain in grains if grain.arm == arm]
                means = [float(grain.scores[metric].mean()) for grain in shown]
                axis.plot(
                    [grain.bits for grain in shown], means, "o-", color=COLOURS[arm], label=arm if arm != PIXELS else "pixels"
                )
            axis.set(xscale="log", xlabel="bits a digit", title=title)
            axis.set_xticks([4, 10, 20, 50, 100, 260], ["4", "10", "20", "50", "100", "260"])
            axis.minorticks_off()
        axis.legend(loc="lower right")
    caption = f"Means over {len(desk.of)} test digits. KLT: principal components of the same training pictures, quantised."
    return Chart("bits", "The more is told, the closer it comes", caption)


def over_snr(study: Study, still: Curves, shop: Shop) -> Chart:
    """Class, alignment and SSIM over SNR."""
    ways = (LAYERED, ADAPTIVE, ANALOGUE, JOINT, CLASSICAL_FINE, CLASSICAL_CSI)
    panels = (("right", "Class right"), ("alignment", "Feature alignment"), ("ssim", "SSIM"))
    with theme.figure(study.figures, "snr", (12.5, 4.3), ncols=3) as (fig, axes):
        for axis, (metric, title) in zip(axes, panels, strict=True):
            for way in ways:
                _curve(axis, still[way], metric, COLOURS[way], LABELS[way])
            exact = [float(one.scores[metric].mean()) for one in still[ORACLE].values()]
            axis.plot(list(still[ORACLE]), exact, "--", lw=1, color=COLOURS[ADAPTIVE])
            axis.set(xlabel="SNR (Es/N0), dB", title=title, ylim=(-0.02, 1.02))
        handles, labels = axes[0].get_legend_handles_labels()
        fig.legend(handles, labels, loc="outside lower center", ncols=3)
    edge = shop.classical_fine.plan[0]
    caption = (
        f"AWGN, at most {shop.room} channel uses for a page of {shop.desk.page} digits (CBR "
        f"{shop.room / (shop.desk.page * 64):g}), reports of the channel included. Dashed: with the channel known exactly. "
        f"Classical: the best of pixels, thumbnails, PNG and JPEG; fixed: {edge.mcs.name}, the first as good as all layers."
    )
    return Chart("snr", "Layers fade, files fall", caption)


def _curve(axis: Any, curve: dict[float, Any], metric: str, colour: str, label: str, style: str = "-") -> None:
    where = list(curve)
    means = np.array([float(one.scores[metric].mean()) for one in curve.values()])
    half = np.array([1.96 * float(one.scores[metric].std()) / len(one.scores[metric]) ** 0.5 for one in curve.values()])
    axis.plot(where, means, style, marker="o", ms=3.5, color=colour, label=label)
    axis.fill_between(where, means - half, means + half, color=colour, alpha=0.15, lw=0)


def over_fading(study: Study, fading: Curves) -> Chart:
    """A number of layers by CSI against fixed numbers."""
    shades = [theme.GREY, theme.GOLD, theme.TEAL, theme.PINK, theme.RED]
    with theme.figure(study.figures, "fading", (10.5, 4.2), ncols=2) as (fig, axes):
        for axis, (metric, title) in zip(axes, (("alignment", "Feature alignment"), ("ssim", "SSIM")), strict=True):
            for shade, name in zip(shades, FIXED.values(), strict=True):
                if name in fading:
                    _curve(axis, fading[name], metric, shade, f"always {name}", "--")
            _curve(axis, fading[LAYERED], metric, COLOURS[LAYERED], LABELS[LAYERED])
            _curve(axis, fading[ADAPTIVE], metric, COLOURS[ADAPTIVE], LABELS[ADAPTIVE])
            _curve(axis, fading[CLASSICAL_CSI], metric, COLOURS[CLASSICAL_CSI], LABELS[CLASSICAL_CSI], ":")
            axis.set(xlabel="mean SNR, dB (block Rayleigh)", title=title)
        handles, labels = axes[0].get_legend_handles_labels()
        fig.legend(handles, labels, loc="outside lower center", ncols=4)
    return Chart(
        "fading", "As many layers as the channel carries",
        "Each frame meets one Rayleigh gain. CSI: 16 pilots and a report of 5 bits, charged to who uses it. Bands: 95 %.",
    )  # fmt: skip


def over_loss(study: Study, lost: Curves) -> Chart:
    """Quality over the share of lost packets."""
    panels = (("right", "Class right"), ("alignment", "Feature alignment"), ("iou", "IoU of strokes"))
    with theme.figure(study.figures, "packets", (12.5, 4.1), ncols=3) as (fig, axes):
        for axis, (metric, title) in zip(axes, panels, strict=True):
            for way in (WHATEVER, PREFIX, SPREAD, ONE_FILE, SPREAD_FINE):
                style = ":" if way == SPREAD_FINE else "-"
                _curve(axis, dict(sorted(lost[way].items())), metric, COLOURS[way], way, style)
            axis.set(xlabel="packets lost", title=title)
        handles, labels = axes[0].get_legend_handles_labels()
        fig.legend(handles, labels, loc="outside lower center", ncols=3)
    return Chart(
        "packets", "When packets are lost",
        "Five packets a page, nothing is sent again. Bits a digit: generative 56, pixels of 1 bit 64, 17 levels 262.",
    )  # fmt: skip


def rocs(study: Study, pools: Sequence[Pool]) -> Chart:
    """Receiver operating characteristics of all flags."""
    colours = {SECOND_JUDGE: theme.BLUE, DISCORD: theme.GREEN, VARIANCE: theme.ORANGE, NO_LABEL: theme.GREY}
    with theme.figure(study.figures, "roc", (9.4, 4.6), ncols=len(pools)) as (_, axes):
        for axis, pool in zip(axes, pools, strict=True):
            for flag in colours:
                alarms, hits = roc(pool.doubts[flag], pool.wrong)
                area = float(np.trapezoid(hits, alarms))
                axis.plot(alarms, hits, color=colours[flag], label=f"{flag}, area {area:.2f}")
            axis.plot([0, 1], [0, 1], ":", color=theme.MUTED, lw=1)
            axis.set(
                title=pool.name,
                xlabel="right pictures that are flagged",
                ylabel="wrong pictures that are flagged",
                aspect="equal",
            )
            axis.legend(loc="lower right", fontsize=8.5)
        axes[0].set_ylabel("wrong pictures that are flagged")
    shares = ", ".join(f"{pool.wrong.mean():.0%} ({pool.name})" for pool in pools)
    return Chart(
        "roc",
        "Does the receiver know when it is wrong?",
        f"Wrong pictures: {shares}. Wrong: the first judge reads something else than the original is.",
    )


def _examples(desk: Desk) -> list[int]:
    """One digit of each class: the first of the desk."""
    return [int(np.argmax(desk.of.labels == label)) for label in range(CLASSES)]


def gallery(study: Study, desk: Desk, shop: Shop) -> Gallery:
    """One digit of each class as receivers see it."""
    examples, page = _examples(desk), desk.page
    pages = range(len(desk.of) // page)
    low = {
        snr_db: desk.generated(shop.heard([Frame(1, number, 0, snr_db, "awgn") for number in pages])) for snr_db in (10.0, 0.0)
    }
    shown = {
        "original": desk.of.pictures, "label, 4 bits": desk.by_mask[first(1)], "+ base, 20 bits": desk.by_mask[first(2)],
        "+ style, 32 bits": desk.by_mask[first(3)], "all layers, 56 bits": desk.by_mask[ALL],
        "analogue, 10 dB": low[10.0], "analogue, 0 dB": low[0.0], "label lost": desk.by_mask[ALL & ~1],
        "base lost": desk.by_mask[ALL & ~2],
    }  # fmt: skip
    rough = desk.classical(65 * page)
    if rough is not None:
        shown["classical, 64 bits"] = rough
    rows = [(name, [ink(pictures[at]) for at in examples]) for name, pictures in shown.items()]
    return Gallery(
        "digits", "What receivers see", [str(label) for label in range(CLASSES)], rows,
        "The first test digit of each class.",
    )  # fmt: skip
