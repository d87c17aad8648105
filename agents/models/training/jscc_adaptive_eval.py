"""What one codec for all SNRs and rates costs and gains against specialists, on held-out scenes, pair by pair."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from ..codecs.library import read_library
from ..codecs.models import load_adaptive, load_codec
from .jscc_adaptive import quality_db
from .jscc_eval import ENDS
from .jscc_export import psnr_db, restore, scene_pictures

SNR_DB = 7.0
"""Where rates without specialists are measured."""


@dataclass(frozen=True)
class Row:
    """One figure of every scene, in dB.

    Attributes:
        name: What it is, for instance ``gain_db_cbr12_over_own_at_1db``.
        values: (n,) PSNR of the adaptive codec, or what it has more than a specialist's from the same noise.
    """

    name: str
    values: np.ndarray


def adaptive_against_specialists(folder: Path, scenes: int = 200) -> list[Row]:
    """AWGN, SNR known at both ends.

    For each rate that has specialists the gain over every specialist at its own SNR, and over the middle one at both ends of the
    range (mean over `ENDS`, where it is not at home). For the other rates the PSNR at `SNR_DB`.
    """
    library, (encoder, decoder) = read_library(folder), load_adaptive(folder)
    pictures = scene_pictures("held-out", scenes)

    def adaptive(cbr: Fraction, snr: float) -> np.ndarray:
        return quality_db(encoder, decoder, pictures, cbr, np.full(scenes, snr), *_key(snr))

    rows = []
    for codec in library.adaptive.values():
        specialists = library.of_rate(codec.cbr)
        if not specialists:
            rows.append(Row(f"psnr_db_cbr{codec.cbr.denominator}_at_{SNR_DB:g}db", adaptive(codec.cbr, SNR_DB)))
            continue
        gains = {card.name: _gain(folder, card.name, codec.cbr, pictures, adaptive) for card in specialists}
        start = f"gain_db_cbr{codec.cbr.denominator}_over"
        rows += [Row(f"{start}_own_at_{card.snr_db:g}db", gains[card.name](card.snr_db)) for card in specialists]
        middle = gains[library.middle(codec.cbr).name]
        rows += [Row(f"{start}_middle_{end}_snr", np.mean([middle(snr) for snr in snrs], axis=0)) for end, snrs in ENDS.items()]
    return rows


def _gain(
    folder: Path, name: str, cbr: Fraction, pictures: np.ndarray, adaptive: Callable[[Fraction, float], np.ndarray]
) -> Callable[[float], np.ndarray]:
    """SNR in dB -> what the adaptive codec has more than the specialist `name`, for each scene."""
    first, last = load_codec(folder, name)

    def gain(snr: float) -> np.ndarray:
        restored = restore(first, last, pictures, np.full(len(pictures), snr), "jscc", *_key(snr))
        return np.asarray(adaptive(cbr, snr) - psnr_db(pictures, restored))

    return gain


def _key(snr_db: float) -> tuple[str, str]:
    return "held-out", str(snr_db)
