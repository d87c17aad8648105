"""What the calibrator makes of damaged pictures of held-out scenes, kind by kind, as a receiver would ask it.

The receiver knows the pixels that came, which tiles are lost, its SNR estimate, what its extractor sees in the damaged picture,
and for an own subject a reference. Where the calibrator does not help, the figures say so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from msgspec import structs

from ...agents.models.loading import WEIGHTS, load_models
from ...agents.models.roles import Box, Calibrate, Extract, Extraction, Generate, ModelSet, Picture, Restore
from ...agents.pictures import cut
from ...agents.scenes.draw import draw
from ...bus import keys
from . import Request
from .personalisation import Case, cases
from .scenes import held_out, run_all
from .score import Score, Skipped, mean

LOW, MIDDLE, HIGH = "snr01-cbr12", "snr07-cbr12", "snr13-cbr12"
CODECS = {-2.0: LOW, 0.0: LOW, 2.0: LOW, 4.0: LOW, 7.0: MIDDLE, 13.0: HIGH}
"""SNR (Es/N0, dB, AWGN) -> codec of the library that is made for about that."""
GREY = 128
SWEEPS = 300
"""Of the relaxation that fills lost tiles smoothly; the values no longer move by a level then."""


@dataclass
class Damaged:
    """Pictures of one kind of damage, uint8 (n, 64, 64, 3), and what is known of them."""

    pictures: np.ndarray
    snr_db: float = 40.0
    lost: list[list[int]] = field(default_factory=list)


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """PSNR (dB) and image feature alignment of damaged and repaired pictures against the drawn ones; gains are paired.

    Returns:
        For every KIND: ``calibration_KIND_psnr_db_before``, ``..._psnr_gain_db`` and ``..._alignment_gain``. Before: lost tiles
        are mid grey. ``calibration_lost_psnr_gain_over_smooth_db``: over tiles filled smoothly from their neighbours;
        ``..._over_restorer_db``: over the generator's inpainting, told what the extractor saw (a quarter of the scenes).
        ``calibration_lost_reference_true_box_gain_db``: what a reference adds within the box of a personal
            subject of which half is lost, if background and box are known truly: the most that it can add.
        ``calibration_background_gain_db``: what telling the background adds, over all kinds.
    """
    models = load_models("tiny", ["calibrator", "extractor", "restorer"])
    scenes = held_out(request.scenes)
    drawn = np.stack([draw(scene) for scene in scenes])
    found: dict[str, Score | Skipped] = {}
    told: list[np.ndarray] = []
    for kind, damaged in kinds(drawn).items():
        repaired = calibrated(models, damaged)
        found |= _gains(f"calibration_{kind}", drawn, damaged.pictures, repaired)
        told.append(psnr_db(drawn, repaired) - psnr_db(drawn, calibrated(models, damaged, background=False)))
        if kind == "lost":
            found |= _against_others(models, drawn, damaged, repaired)
    found["calibration_background_gain_db"] = mean(np.mean(told, axis=0))
    found["calibration_lost_reference_true_box_gain_db"] = mean(_reference_gains(models, cases(max(2, request.scenes // 4))))
    return found


def kinds(drawn: np.ndarray) -> Mapping[str, Damaged]:
    """The kinds of damage, on uint8 (n, 64, 64, 3)."""
    from ...agents.models.codecs.library import read_library
    from ...agents.models.training.damage import blurred, lost_tiles, through_codec, tinted
    from ...agents.models.training.data import to_pixels, to_tensor

    key, n, planes = ("evaluation", "calibration"), len(drawn), to_tensor(drawn)
    lost = lost_tiles(n, *key)
    found = {
        "tint": Damaged(to_pixels(tinted(planes, *key))),
        "blur": Damaged(to_pixels(blurred(planes, *key))),
        "lost": Damaged(without(drawn, lost), lost=lost),
        "undamaged": Damaged(drawn),
    }
    library = read_library(WEIGHTS / "jscc")
    for snr_db, codec in CODECS.items():
        received = through_codec(library, codec, drawn, torch.full((n,), snr_db), *key, round(snr_db))
        found[f"jscc_at_{snr_db:g}db"] = Damaged(received, snr_db)
    return found


def without(pictures: np.ndarray, lost: Sequence[Sequence[int]]) -> np.ndarray:
    """Pictures with mid grey in their lost tiles."""
    return np.where(_mask(lost)[..., None], np.uint8(GREY), pictures)


def calibrated(models: ModelSet, damaged: Damaged, *, background: bool = True) -> np.ndarray:
    """The pictures as the calibrator repairs them; the extractor looks at them first, lost tiles filled smoothly."""
    calls = []
    looked_at = smooth(damaged.pictures, damaged.lost) if damaged.lost else damaged.pictures
    for picture, lost, seen in zip(damaged.pictures, _lost(damaged), _seen(models, looked_at), strict=True):
        ground = seen.background if background else ""
        calls.append(Calibrate(picture.tobytes(), damaged.snr_db, list(lost), ground, seen.boxes))
    return _pixels(run_all(models["calibrator"], calls))


def psnr_db(drawn: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    """PSNR of each picture (peak 255); equal ones count as 60 dB."""
    errors = np.square(drawn.astype(np.float64) - pictures).mean(axis=(1, 2, 3))
    return np.asarray(10 * np.log10(255**2 / np.maximum(errors, 255**2 / 1e6)))


def smooth(pictures: np.ndarray, lost: Sequence[Sequence[int]]) -> np.ndarray:
    """Lost tiles filled by the mean of their neighbours, again and again (Laplace's equation); a baseline without any model."""
    mask, x = _mask(lost)[..., None], pictures.astype(np.float64)
    for _ in range(SWEEPS):
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
        around = padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]
        x = np.where(mask, around / 4, x)
    return np.asarray(x.round(), np.uint8)


def _gains(name: str, drawn: np.ndarray, before: np.ndarray, after: np.ndarray) -> dict[str, Score | Skipped]:
    was, then = psnr_db(drawn, before), psnr_db(drawn, after)
    return {
        f"{name}_psnr_db_before": mean(was),
        f"{name}_psnr_gain_db": mean(then - was),
        f"{name}_alignment_gain": mean(_alignment(drawn, after) - _alignment(drawn, before)),
    }


def _alignment(drawn: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    from ..metrics.alignment import View, alignments

    # the judge is asked for the whole pictures alone
    pairs = [(View(a.tobytes(), "grass", []), View(b.tobytes(), "grass", [])) for a, b in zip(drawn, pictures, strict=True)]
    return np.array([each.image for each in alignments(pairs)])


def _against_others(models: ModelSet, drawn: np.ndarray, damaged: Damaged, repaired: np.ndarray) -> dict[str, Score | Skipped]:
    ours = psnr_db(drawn, repaired)
    some = max(2, len(drawn) // 4)
    calls = []
    for index, (picture, seen) in enumerate(zip(damaged.pictures[:some], _seen(models, damaged.pictures[:some]), strict=True)):
        seed = keys.integer(1 << 62, "evaluation", "restorer", index)
        prompt = Generate(seen.caption, seen.background, seen.boxes, seed)
        calls.append(Restore(picture.tobytes(), prompt, list(damaged.lost[index])))
    restored = _pixels(run_all(models["restorer"], calls))
    return {
        "calibration_lost_psnr_gain_over_smooth_db": mean(ours - psnr_db(drawn, smooth(damaged.pictures, damaged.lost))),
        "calibration_lost_psnr_gain_over_restorer_db": mean(ours[:some] - psnr_db(drawn[:some], restored)),
    }


def _reference_gains(models: ModelSet, strangers: Sequence[Case]) -> np.ndarray:
    """PSNR within the true box of a subject of which the left half is lost: with a reference minus without, in dB."""
    gains = []
    for case in strangers:
        picture, box = draw(case.scene), case.box
        lost = _half(box)
        plain = Calibrate(without(picture[None], [lost])[0].tobytes(), 40.0, lost, case.scene.background, [box])
        reference = cut(case.shared.pictures[0], case.shared.boxes[0])
        told = structs.replace(plain, references={box.subject: reference})
        errors = [_error(picture, _one(models, call), box) for call in (plain, told)]
        gains.append(10 * np.log10(errors[0] / errors[1]))
    return np.array(gains)


def _half(box: Box) -> list[int]:
    """The tiles that lie for the most part in the left half of a box."""
    found = []
    for tile in range(64):
        x, y = 8 * (tile % 8) + 4, 8 * (tile // 8) + 4
        if box.cx - box.width / 2 - 2 <= x <= box.cx and abs(y - box.cy) <= box.height / 2 + 2:
            found.append(tile)
    return found or [int(box.cy // 8) * 8 + int(box.cx // 8)]


def _error(drawn: np.ndarray, picture: np.ndarray, box: Box) -> float:
    rows = slice(max(0, int(box.cy - box.height / 2)), int(box.cy + box.height / 2))
    columns = slice(max(0, int(box.cx - box.width / 2)), int(box.cx + box.width / 2))
    return float(np.square(drawn[rows, columns].astype(np.float64) - picture[rows, columns]).mean()) + 1e-3


def _one(models: ModelSet, call: Calibrate) -> np.ndarray:
    return np.asarray(_pixels(run_all(models["calibrator"], [call]))[0])


def _seen(models: ModelSet, pictures: np.ndarray) -> list[Extraction]:
    return run_all(models["extractor"], [Extract(picture.tobytes()) for picture in pictures])


def _lost(damaged: Damaged) -> list[list[int]]:
    return damaged.lost or [[] for _ in damaged.pictures]


def _mask(lost: Sequence[Sequence[int]]) -> np.ndarray:
    """bool (n, 64, 64), True on lost tiles."""
    tiles = np.zeros((len(lost), 64), bool)
    for row, gone in enumerate(lost):
        tiles[row, list(gone)] = True
    return np.asarray(tiles.reshape(-1, 8, 8).repeat(8, axis=1).repeat(8, axis=2))


def _pixels(results: Sequence[Picture]) -> np.ndarray:
    return np.stack([np.frombuffer(result.picture, np.uint8).reshape(64, 64, 3) for result in results])
