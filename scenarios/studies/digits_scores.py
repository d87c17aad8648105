"""How alike two digits of 8x8 pixels are, picture by picture: PSNR, SSIM, strokes, class and features by the first judge."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ...agents.models.digits.data import SIDE, WHITE
from ..metrics.quality import EQUAL_DB

WINDOW, SIGMA = 5, 1.5
"""Of SSIM: the usual 11 pixels do not fit into 8. A Gaussian of 5x5 pixels, border left out: 16 places a digit."""
INK = WHITE / 2
"""A pixel at least as dark belongs to a stroke."""


@dataclass(frozen=True, eq=False)
class Scores:
    """One value a picture, ``(n,)`` each.

    Attributes:
        psnr_db: 10 log10(16^2 / MSE) over 64 pixels, at most 60 dB.
        ssim: Structural similarity, window `WINDOW`.
        iou: Intersection over union of the strokes (levels of 8 and more); 1 if both have none.
        right: 1 where the judge reads what the original truly is.
        alignment: Cosine of the judge's features of both, less their mean over its training pictures.
        equal: 1 where all 64 levels are those of the original.
    """

    psnr_db: np.ndarray
    ssim: np.ndarray
    iou: np.ndarray
    right: np.ndarray
    alignment: np.ndarray
    equal: np.ndarray

    def __len__(self) -> int:
        return len(self.ssim)


METRICS = tuple(field.name for field in fields(Scores))
Judged = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""The first judge: pictures ``(n, 64)`` -> classes ``(n,)`` and features ``(n, f)``."""


class Scorer:
    """Compares with originals that do not change, by features that the judge found in them.

    Args:
        originals: Levels ``(n, 64)``.
        labels: What they truly are, ``(n,)``.
        judged: The first judge.
        known: Pictures whose mean features are taken off: those that the judge was trained on.
    """

    def __init__(self, originals: np.ndarray, labels: np.ndarray, judged: Judged, known: np.ndarray) -> None:
        self._labels, self._judged = labels, judged
        self._x = originals.astype(np.float64)
        self._centre = judged(known)[1].astype(np.float64).mean(axis=0)
        self._features = self._direction(judged(originals)[1])

    def __call__(self, shown: np.ndarray) -> Scores:
        """Scores of shown levels ``(n, 64)``, each against the original of its place."""
        y = shown.astype(np.float64)
        classes, features = self._judged(shown)
        return Scores(
            psnr_db(self._x, y), ssim(self._x, y), stroke_iou(self._x, y), (classes == self._labels).astype(np.float64),
            (self._features * self._direction(features)).sum(axis=1), (self._x == y).all(axis=1).astype(np.float64),
        )  # fmt: skip

    def _direction(self, features: np.ndarray) -> np.ndarray:
        away = features.astype(np.float64) - self._centre
        direction: np.ndarray = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-12)
        return direction


def psnr_db(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of levels ``(n, 64)``, in dB, at most `EQUAL_DB`: ``(n,)``."""
    error = ((x - y) ** 2).mean(axis=1)
    found: np.ndarray = np.minimum(10 * np.log10(WHITE**2 / np.maximum(error, 1e-12)), EQUAL_DB)
    return found


def ssim(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Structural similarity (Wang et al. 2004) of levels ``(n, 64)``, peak 16, K1 = 0.01, K2 = 0.03: ``(n,)``."""
    c1, c2 = (0.01 * WHITE) ** 2, (0.03 * WHITE) ** 2
    mean_x, mean_y = _blur(x), _blur(y)
    var_x, var_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    both = _blur(x * y) - mean_x * mean_y
    places = (2 * mean_x * mean_y + c1) * (2 * both + c2) / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))
    mean: np.ndarray = places.mean(axis=(1, 2))
    return mean


def _blur(values: np.ndarray) -> np.ndarray:
    line = np.exp(-0.5 * ((np.arange(WINDOW) - WINDOW // 2) / SIGMA) ** 2)
    line /= line.sum()
    windows = sliding_window_view(values.reshape(-1, SIDE, SIDE), (WINDOW, WINDOW), axis=(1, 2))
    blurred: np.ndarray = np.einsum("nijkl,k,l->nij", windows, line, line, optimize=True)
    return blurred


def stroke_iou(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Intersection over union of the strokes of levels ``(n, 64)``: ``(n,)``."""
    a, b = x >= INK, y >= INK
    union = (a | b).sum(axis=1)
    return np.where(union == 0, 1.0, (a & b).sum(axis=1) / np.maximum(union, 1))
