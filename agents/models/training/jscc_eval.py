"""Is a library of codecs worth having? Its choice against the one middle-SNR codec, on held-out scenes, pair by pair."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from ....bus import keys
from ..codecs.library import Codec, read_library
from ..codecs.models import load_codec, to_planes
from .jscc_export import psnr_db, receive, scene_pictures

ENDS: dict[str, tuple[float, ...]] = {"low": (-2.0, -0.5, 1.0), "high": (13.0, 16.0, 19.0)}
"""Mean SNRs (Es/N0, dB) of the two ends of the range; a scene's value is the mean over them."""


@dataclass(frozen=True)
class Comparison:
    """PSNR of the library minus that of its middle codec, paired by scene, noise and fading.

    Attributes:
        cbr: Rate.
        channel: ``"awgn"``, or ``"rayleigh"`` (one gain a picture, zero forcing, both know the SNR after equalisation).
        end: ``"low"`` or ``"high"``, see `ENDS`.
        library_db: Mean PSNR in dB of the library, which picks by its card at the SNR after equalisation.
        middle_db: Mean PSNR in dB of the middle codec.
        gain_db: Mean difference.
        low: Lower end of the 95 % interval of the mean difference (normal, scenes are the sample).
        high: Upper end.
        n: Number of scenes.
    """

    cbr: Fraction
    channel: str
    end: str
    library_db: float
    middle_db: float
    gain_db: float
    low: float
    high: float
    n: int


def library_against_middle(folder: Path, scenes: int = 200) -> list[Comparison]:
    """Compare on `scenes` held-out scenes, for every rate, channel and end."""
    library = read_library(folder)
    pictures = scene_pictures("held-out", scenes)
    results = []
    for cbr in sorted({codec.cbr for codec in library.codecs.values()}, reverse=True):
        middle = library.middle(cbr)
        quality = _qualities(folder, library.of_rate(cbr), pictures)
        for channel in ("awgn", "rayleigh"):
            for end, means in ENDS.items():
                library_rows, middle_rows = np.zeros(scenes), np.zeros(scenes)
                for mean in means:
                    snr = _after_equalisation(channel, mean, scenes)
                    choice = [library.best(float(value), cbr).name for value in snr]
                    by_name = {name: quality(name, snr, mean) for name in sorted({*choice, middle.name})}
                    library_rows += [by_name[name][row] / len(means) for row, name in enumerate(choice)]
                    middle_rows += by_name[middle.name] / len(means)
                results.append(_compared(cbr, channel, end, library_rows, middle_rows))
    return results


def _qualities(folder: Path, codecs: list[Codec], pictures: np.ndarray) -> Callable[[str, np.ndarray, float], np.ndarray]:
    halves = {codec.name: load_codec(folder, codec.name) for codec in codecs}
    with torch.inference_mode():
        sent = {name: encoder(to_planes(pictures)) for name, (encoder, _) in halves.items()}

    def quality(name: str, snr_db: np.ndarray, mean: float) -> np.ndarray:
        shown = receive(halves[name][1], sent[name], snr_db, pictures.shape[1:3], "jscc", "held-out", str(mean))
        return psnr_db(pictures, shown)

    return quality


def _after_equalisation(channel: str, mean_snr_db: float, scenes: int) -> np.ndarray:
    """SNR in dB of each picture: the mean, or mean + 20 log10 |h| with h ~ CN(0, 1) drawn for the picture."""
    if channel == "awgn":
        return np.full(scenes, mean_snr_db)
    gains = np.abs(keys.complex_normal(scenes, "jscc", "held-out", "fading", str(mean_snr_db))).astype(np.float64)
    return np.asarray(mean_snr_db + 20 * np.log10(np.maximum(gains, 1e-3)))


def _compared(cbr: Fraction, channel: str, end: str, library: np.ndarray, middle: np.ndarray) -> Comparison:
    difference = library - middle
    n = len(difference)
    half = 1.96 * float(difference.std(ddof=1)) / math.sqrt(n)
    gain = float(difference.mean())
    return Comparison(cbr, channel, end, float(library.mean()), float(middle.mean()), gain, gain - half, gain + half, n)
