"""What can be repaired without learning: lost tiles are filled from their surroundings, a tint is told by the known background.

Lost pixels of an own subject are taken from its reference. The calibrator's network starts from this and repairs what is left.
"""

import torch
from torch import Tensor
from torch.nn import functional

from ...scenes.vocabulary import BACKGROUNDS

LIGHT = 14 / 127.5
"""A background's own light: it may be brighter or darker than the vocabulary's colour by this, in all three colours alike."""
SURE = 5 / 127.5
"""Differences between the colours below this say nothing of a tint: noise and objects make them. (With 12 and 3 tints gain
0.4 dB more, and undamaged pictures lose 1 dB on average.)"""
MOST = 80 / 127.5
"""A background further off than this was not the one that it was taken for."""
SWEEPS = 100
FLOPS_A_SWEEP = 10 * 3 * 64 * 64
"""Nine additions and a product a value."""


def mend(
    seen: Tensor, lost: Tensor, hidden: Tensor, background: Tensor, shown: Tensor, where: Tensor, sweeps: int = SWEEPS
) -> Tensor:
    """Tints first, then lost pixels: from references where these show something (``shown``, ``where``), else from around."""
    clear = untinted(seen, hidden, background)
    return filled(torch.where(lost * where > 0, shown, clear), lost * (1 - where), sweeps)


def filled(pictures: Tensor, lost: Tensor, sweeps: int = SWEEPS) -> Tensor:
    """Lost pixels from their surroundings: coarse means pushed up and pulled down a pyramid, then relaxed (Laplace's equation).

    Args:
        pictures: (n, 3, 64, 64).
        lost: (n, 1, 64, 64), 1 on lost pixels.
        sweeps: Of the relaxation.

    Returns:
        The pictures; a picture of which nothing came is zero.
    """
    if not lost.any():
        return pictures
    levels = [(pictures * (1 - lost), 1 - lost)]
    while levels[-1][1].shape[-1] > 1:
        value, weight = (functional.avg_pool2d(plane, 2) for plane in levels[-1])
        known = (weight > 0).float()
        levels.append((value / weight.clamp_min(1e-6) * known, known))
    coarse = levels.pop()[0]
    while levels:
        value, known = levels.pop()
        above = functional.interpolate(coarse, scale_factor=2.0, mode="bilinear", align_corners=False)
        coarse = value * known + above * (1 - known)
    for _ in range(sweeps):
        around = functional.avg_pool2d(functional.pad(coarse, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
        coarse = torch.where(lost > 0, around, pictures)
    return coarse


def untinted(pictures: Tensor, hidden: Tensor, background: Tensor) -> Tensor:
    """Shift each colour so that the background gets its known colour, as far as its own light does not explain the difference.

    Args:
        pictures: (n, 3, 64, 64) in [-1, 1].
        hidden: (n, 1, 64, 64), 1 on pixels not to be looked at: lost ones, and objects.
        background: Numbers + 1, int64 (n,); of 0 nothing is known.
    """
    table = torch.tensor([(127.5, 127.5, 127.5), *BACKGROUNDS.values()]) / 127.5 - 1
    away = []
    for row, number in enumerate(background.tolist()):
        came = pictures[row].flatten(1)[:, hidden[row].flatten() == 0]
        away.append(came.median(dim=1).values - table[number] if number and came.shape[1] else torch.zeros(3))
    shift = torch.stack(away)
    common = shift.mean(dim=1, keepdim=True)
    hue = shift - common
    tinted = hue.abs().amax(dim=1, keepdim=True) > SURE
    taken = shift.abs().amax(dim=1, keepdim=True) < MOST
    correction = taken * (functional.softshrink(common, LIGHT) + tinted * hue)
    return pictures - correction[:, :, None, None]
