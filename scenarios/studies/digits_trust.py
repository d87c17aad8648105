"""Which generated digits a receiver should doubt: several samples that differ, a second judge; ROC curves of both.

A flag is a number a picture, the higher the more doubt; it is made of what the receiver has. Whether the picture was wrong is
decided apart: the first judge reads something else than the original truly is.
"""

from dataclasses import dataclass

import numpy as np

from ...agents.models.digits.data import WHITE
from ...agents.models.digits.models import UNKNOWN, DigitModels
from ...agents.models.digits.prompts import LATENTS, LAYERS, place
from ...agents.models.digits.quantiser import quantise, within
from ...bus import keys

RESAMPLES = 1000


@dataclass(frozen=True, eq=False)
class Received:
    """What receivers have of pictures: labels (10: none came), latents of unit deviation, which came and how exactly.

    Attributes:
        labels: ``(n,)``.
        latents: ``(n, LATENTS)``.
        known: Which came, bool ``(n, LATENTS)``.
        noise: Variance of what came around the truth, ``(n,)``; NaN where it came as the quantiser's cells.
    """

    labels: np.ndarray
    latents: np.ndarray
    known: np.ndarray
    noise: np.ndarray


def samples(models: DigitModels, got: Received, number: int, *key: keys.Key) -> np.ndarray:
    """Pictures that all agree with what was received, levels ``(number, n, 64)``.

    A latent that came in cells is drawn within its cell, one that came with noise around its value, one that did not come from
    the prior; a label that did not come is any.
    """
    rng = keys.generator("digits", "samples", *key)
    pictures = []
    for _ in range(number):
        normal = rng.standard_normal(got.latents.shape)
        uniform = rng.random(got.latents.shape)
        any_label = rng.integers(0, UNKNOWN, len(got.labels))
        exact = np.nan_to_num(got.latents)
        cells = exact.copy()
        for part, layer in enumerate(LAYERS, 1):
            at = place(part)
            cells[:, at] = within(quantise(exact[:, at], layer.bits), layer.bits, uniform[:, at])
        noise = got.noise[:, None]
        came = np.where(np.isnan(noise), cells, exact + np.sqrt(np.nan_to_num(noise)) * normal)
        drawn = np.where(got.known, came, normal / models.deviation)
        labels = np.where(got.labels == UNKNOWN, any_label, got.labels)
        pictures.append(models.generate(drawn, np.ones((len(labels), LATENTS), bool), labels))
    return np.stack(pictures)


def spread(pictures: np.ndarray) -> np.ndarray:
    """Doubt by spread of samples ``(number, n, 64)``: mean variance of a pixel, of the whole range: ``(n,)``."""
    doubt: np.ndarray = (pictures / WHITE).var(axis=0, ddof=1).mean(axis=1)
    return doubt


def discord(models: DigitModels, pictures: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Doubt by disagreement in meaning: share of samples that the reader takes for another class than what is shown: ``(n,)``."""
    read = np.stack([models.read(one) for one in pictures])
    doubt: np.ndarray = (read != models.read(shown)).mean(axis=0)
    return doubt


def unverified(models: DigitModels, shown: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Doubt by the second judge: 1 - its probability that the picture shows the label that came; of any class, if none came."""
    chances = models.verified(shown)
    told = chances[np.arange(len(labels)), np.minimum(labels, UNKNOWN - 1)]
    doubt: np.ndarray = 1 - np.where(labels == UNKNOWN, chances.max(axis=1), told)
    return doubt


def roc(doubt: np.ndarray, wrong: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The curve of a flag: share of right pictures and of wrong ones that are flagged, at every threshold from none to all.

    Args:
        doubt: ``(n,)``.
        wrong: ``(n,)`` of bool, of both kinds.
    """
    order = np.argsort(-doubt, kind="stable")
    last = np.r_[np.flatnonzero(np.diff(doubt[order])), len(doubt) - 1]  # equal doubts are flagged together
    hits, alarms = np.cumsum(wrong[order])[last], np.cumsum(~wrong[order])[last]
    return np.r_[0, alarms / alarms[-1]], np.r_[0, hits / hits[-1]]


def area(doubt: np.ndarray, wrong: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Area under the curve: the chance that a wrong picture has more doubt than a right one, ties counting half.

    (Hanley and McNeil 1982.) NaN if all pictures are of one kind. ``weight``: how often each counts, ``(n,)``.
    """
    times = np.ones(len(doubt)) if weight is None else weight
    _, group = np.unique(doubt, return_inverse=True)
    bad = np.bincount(group, times * wrong)
    good = np.bincount(group, times * ~wrong)
    total = bad.sum() * good.sum()
    if total == 0:
        return float("nan")
    below = np.cumsum(good) - good
    return float((bad * (below + good / 2)).sum() / total)


def area_interval(doubt: np.ndarray, wrong: np.ndarray, unit: np.ndarray, *key: keys.Key) -> tuple[float, float, float]:
    """The area with its 95 % interval: bootstrap over units (originals), each with all its pictures.

    Args:
        doubt: ``(n,)``.
        wrong: ``(n,)`` of bool.
        unit: Number of the original that a picture was generated for, ``(n,)``, 0 and up.
        *key: What the draw belongs to.
    """
    number = int(unit.max()) + 1
    rng = keys.generator("digits", "area", *key)
    drawn = (rng.multinomial(number, np.full(number, 1 / number)) for _ in range(RESAMPLES))
    areas = np.array([area(doubt, wrong, times[unit]) for times in drawn])
    low, high = np.nanquantile(areas, (0.025, 0.975))
    return area(doubt, wrong), float(low), float(high)
