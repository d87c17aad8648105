"""Figures of the study ``classical``."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...agents.models.codecs.classical import FORMATS
from ...bus.channel.expected import Fading
from ...bus.channel.mcs import MODULATIONS
from ...bus.channel.uncoded import closed_form
from ..report import theme
from .classical_cliff import Cliff
from .classical_links import BER_SNRS_DB, MARGIN, Point, Uncoded
from .classical_quality import Quality, Way
from .findings import Chart, Gallery
from .study import Study

COLOURS = {"jpeg": theme.ORANGE, "jpeg2000": theme.GREEN, "webp": theme.PURPLE, "avif": theme.RED}
OURS = "JSCC, one codec (ours)"


def staircases(study: Study, quality: Quality, ways: Sequence[Way], pictures: str) -> Chart:
    """PSNR over SNR of all codecs with the best scheme at each SNR, a panel a channel."""
    with theme.figure(study.figures, "staircase", (11.5, 4.4), ncols=len(ways), sharey=True) as (_, axes):
        for axis, way in zip(axes, ways, strict=True):
            for codec, form in FORMATS.items():
                stairs = quality.staircase(way.name, codec, "nr")
                if stairs is not None:
                    axis.step(
                        quality.snrs_db, stairs.mean(axis=0), where="post", color=COLOURS[codec], label=f"{form.title} + 5G LDPC"
                    )
                wifi = quality.staircase(way.name, codec, "wifi")
                if codec == "jpeg" and wifi is not None:
                    label = "JPEG + 802.11n LDPC 1/2"
                    axis.step(quality.snrs_db, wifi.mean(axis=0), where="post", color=COLOURS[codec], ls=":", lw=1.6, label=label)
            axis.plot(quality.marks_db, quality.jscc_db[way.name].mean(axis=0), "o-", color=theme.BLUE, lw=2.6, label=OURS)
            axis.set(title=way.title.replace(", ", "\n", 1), xlabel="mean SNR (Es/N0), dB")
        axes[0].set_ylabel("PSNR, dB")
        axes[0].legend(fontsize=7.5, loc="lower right")
    caption = (
        f"CBR {quality.cbr}, {pictures}. Each step is the scheme of highest mean PSNR at that SNR; the flat floor is mid-grey: "
        "no file fits, or it is lost. In the middle panel repetitions come beside the budget (the table says how much)."
    )
    return Chart("staircase", "PSNR over SNR, best modulation and coding at each SNR", caption)


def cliffs(study: Study, found: Sequence[Cliff]) -> Chart:
    """PSNR over SNR around the waterfall of fixed schemes: bit by bit, by the tables, and our codec."""
    with theme.figure(study.figures, "cliff", (9.5, 3.8), ncols=max(2, len(found)), sharey=True) as (_, axes):
        for axis, cliff in zip(axes, found, strict=False):
            colour = COLOURS[cliff.codec]
            axis.plot(cliff.snrs_db, cliff.table_db.mean(axis=0), "-", color=colour, alpha=0.45, lw=4, label="BLER tables")
            axis.plot(cliff.snrs_db, cliff.real_db.mean(axis=0), "s", color=colour, ms=7, label="bit by bit")
            axis.plot(cliff.snrs_db, cliff.jscc_db.mean(axis=0), "o-", color=theme.BLUE, label="JSCC (ours), encoded once")
            axis.plot(cliff.snrs_db, cliff.adapted_db.mean(axis=0), "--", color=theme.BLUE, label="JSCC, adapted to each SNR")
            axis.axvline(cliff.middle_db, color=theme.MUTED, lw=1, ls=":")
            axis.set(title=cliff.name, xlabel="SNR (Es/N0), dB")
        axes[0].set_ylabel("PSNR, dB")
        axes[-1].legend(fontsize=8, loc="lower right")
    caption = (
        "Real files, checksums, LDPC, QAM, noise, demapping and decoding; one draw a picture and SNR. The JSCC codec is "
        "encoded once, for the dotted SNR; far below it loses its side information, which goes as coded bits. Dashed: encoded "
        "anew for each SNR, by a sender that knows it."
    )
    return Chart("cliff", "The cliff of a fixed scheme, bit by bit", caption)


def agreement(study: Study, found: Sequence[Point]) -> Chart:
    """Difference of block error rates, bit-true less table, with its 90 % interval, within the margin."""
    with theme.figure(study.figures, "bler", (8.5, 4.2)) as (_, axis):
        places = np.arange(len(found))[::-1]
        axis.axvspan(-MARGIN, MARGIN, color=theme.GREEN, alpha=0.12, lw=0)
        axis.axvline(0, color=theme.MUTED, lw=1)
        differences = [point.real - point.table for point in found]
        axis.errorbar(differences, places, xerr=[point.half for point in found], fmt="o", color=theme.BLUE, capsize=3, lw=1.6)
        axis.set_yticks(places, [f"{point.name}, {point.snr_db:g} dB" for point in found], fontsize=8)
        axis.set(xlabel="block error rate: bit by bit less table", xlim=(-1.6 * MARGIN, 1.6 * MARGIN))
    fewest = min(point.blocks for point in found)
    caption = f"{fewest:,} blocks a point or more; bars are 90 % intervals, the band is the margin of the equivalence test."
    return Chart("bler", "Bit-true links against the BLER tables", caption)


def bit_errors(study: Study, found: Sequence[Uncoded]) -> Chart:
    """Uncoded bit error rates, counted on closed forms."""
    snrs = np.linspace(min(BER_SNRS_DB), max(BER_SNRS_DB), 120)
    titles: dict[Fading, str] = {"awgn": "AWGN", "rayleigh": "Rayleigh, a gain a symbol"}
    with theme.figure(study.figures, "uncoded", (9.0, 3.8), ncols=2, sharey=True) as (_, axes):
        for axis, (fading, title) in zip(axes, titles.items(), strict=True):
            for order, colour in zip(MODULATIONS, theme.CYCLE, strict=False):
                axis.semilogy(snrs, [closed_form(order, float(snr), fading) for snr in snrs], color=colour, lw=1.6)
                seen = [one for one in found if (one.fading, one.bits_per_symbol) == (fading, order) and one.counted > 0]
                axis.semilogy(
                    [one.snr_db for one in seen], [one.counted for one in seen], "o", color=colour, label=MODULATIONS[order]
                )
            axis.set(title=title, xlabel="SNR (Es/N0), dB", ylim=(1e-5, 0.6))
        axes[0].set_ylabel("bit error rate")
        axes[0].legend(fontsize=8)
    caption = "Lines: closed forms (Cho and Yoon 2002). Dots: counted with Sionna's mapper and our channel."
    return Chart("uncoded", "Uncoded bit errors against closed forms", caption)


def around_the_cliff(found: Sequence[Cliff], original: np.ndarray) -> Gallery:
    """One picture as its receivers saw it, above and below the cliff of the first rival."""
    first = found[0]
    chosen = [snr for snr in sorted(first.shown, reverse=True) if round(abs(snr - first.middle_db), 2) in (0.5, 2.0)]
    rows: list[tuple[str, list[Any]]] = [
        (first.name, [original, *[first.shown[snr] for snr in chosen]]),
        ("JSCC (ours), encoded once", [original, *[first.jscc_shown[snr] for snr in chosen]]),
    ]
    caption = f"The cliff of {first.name} lies at {first.middle_db:g} dB; grey is what is shown where a checksum is wrong, "
    caption += "of the file or of the JSCC codec's side information. Both senders are planned for that SNR."
    return Gallery("around-the-cliff", "Around the cliff", ["sent", *[f"{snr:g} dB" for snr in chosen]], rows, caption)
