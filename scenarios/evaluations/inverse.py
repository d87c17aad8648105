"""Inverse problems through the generator: lost tiles painted in and thumbnails made sharp, against doing without it."""

from collections.abc import Sequence

import numpy as np

from ...agents.models.loading import load_models
from ...agents.models.roles import PICTURE_SIDE, Generate, Model, Picture, Restore
from ...agents.scenes.draw import draw
from ...agents.scenes.world import Scene
from ...bus import keys
from . import Request
from .generators import prompts
from .scenes import held_out, run_all
from .score import Score, Skipped, mean

TILE = 8
TILES = PICTURE_SIDE // TILE
LOST_SHARE = 0.3
SCALES = (2, 4)


def evaluate(request: Request) -> dict[str, Score | Skipped]:
    """On held-out scenes of 1 to 4 objects with true prompts; gains are paired.

    Returns:
        ``tiles_...``: three tenths of the tiles lost, by chance. ``psnr_db``: on lost tiles only; ``mean_fill``: they have the
        mean colour of the others; ``unprompted``: painted in without a prompt. ``thumbnail_32_...``, ``thumbnail_16_...``:
        enlarged from 32x32 and 16x16 pixels, against bicubic interpolation. ``image_alignment``: of the whole picture to the
        original.
    """
    model = load_models(request.profile, ["restorer"])["restorer"]
    scenes = held_out(request.scenes)
    truth = np.stack([draw(scene) for scene in scenes])
    scores = tiles(model, scenes, truth)
    for scale in SCALES:
        scores |= enlarged(model, scenes, truth, scale)
    return dict(scores)


def tiles(model: Model, scenes: list[Scene], truth: np.ndarray) -> dict[str, Score]:
    """Lost tiles."""
    gone = [lost(index) for index in range(len(scenes))]
    missing = (
        np.stack([np.kron(np.isin(np.arange(TILES**2), each).reshape(TILES, TILES), np.ones((TILE, TILE))) for each in gone]) > 0
    )
    filled = np.stack([_mean_filled(picture, holes) for picture, holes in zip(truth, missing, strict=True)])
    calls = prompts(scenes)
    silent = [Generate("", "", [], call.seed) for call in calls]
    ways = {"mean_fill": filled}
    for name, said in (("unprompted", silent), ("restored", calls)):
        ways[name] = _run(model, [Restore(p.tobytes(), q, r) for p, q, r in zip(filled, said, gone, strict=True)])
    return _compared("tiles", ways, scenes, truth, missing, {"mean_fill", "unprompted"})


def enlarged(model: Model, scenes: list[Scene], truth: np.ndarray, scale: int) -> dict[str, Score]:
    """Thumbnails, each pixel the mean of a block."""
    from PIL import Image

    side = PICTURE_SIDE // scale
    small = np.round(truth.reshape(-1, side, scale, side, scale, 3).mean(axis=(2, 4))).astype(np.uint8)
    size = (PICTURE_SIDE, PICTURE_SIDE)
    bicubic = np.stack([np.asarray(Image.fromarray(each).resize(size, Image.Resampling.BICUBIC)) for each in small])
    calls = [Restore(each.tobytes(), call, [], scale) for each, call in zip(small, prompts(scenes), strict=True)]
    everywhere = np.ones(truth.shape[:3], bool)
    ways = {"bicubic": bicubic, "restored": _run(model, calls)}
    return _compared(f"thumbnail_{side}", ways, scenes, truth, everywhere, {"bicubic"})


def lost(index: int) -> list[int]:
    """Tiles of a scene that do not come."""
    chances = keys.generator("evaluation", "lost tiles", index).random(TILES**2)
    return [int(tile) for tile in np.flatnonzero(chances < LOST_SHARE)] or [0]


def _mean_filled(picture: np.ndarray, holes: np.ndarray) -> np.ndarray:
    mean_colour = picture[~holes].mean(axis=0).round().astype(np.uint8)
    return np.where(holes[..., None], mean_colour, picture)


def _run(model: Model, calls: Sequence[Restore]) -> np.ndarray:
    results: list[Picture] = run_all(model, calls)
    return np.stack([np.frombuffer(each.picture, np.uint8).reshape(PICTURE_SIDE, PICTURE_SIDE, 3) for each in results])


def _compared(
    name: str, ways: dict[str, np.ndarray], scenes: list[Scene], truth: np.ndarray, where: np.ndarray, rivals: set[str]
) -> dict[str, Score]:
    """Both figures of every way, and the gains of ``restored`` over the rivals."""
    figures = {
        way: {"psnr_db": _psnr_db(made, truth, where), "image_alignment": _aligned(made, truth, scenes)}
        for way, made in ways.items()
    }
    found = {f"{name}_{way}_{figure}": mean(values) for way, both in figures.items() for figure, values in both.items()}
    for rival in sorted(rivals):
        for figure, values in figures[rival].items():
            found[f"{name}_gain_over_{rival}_{figure}"] = mean(figures["restored"][figure] - values)
    return found


def _psnr_db(made: np.ndarray, truth: np.ndarray, where: np.ndarray) -> np.ndarray:
    """PSNR over the pixels `where` of every picture."""
    squared = np.square(made.astype(np.float64) - truth).mean(axis=3)
    error = (squared * where).sum(axis=(1, 2)) / where.sum(axis=(1, 2))
    return np.asarray(10 * np.log10(255.0**2 / np.maximum(error, 255.0**2 / 1e6)))


def _aligned(made: np.ndarray, truth: np.ndarray, scenes: list[Scene]) -> np.ndarray:
    from ..metrics.alignment import View, alignments

    pairs = [
        (View(one.tobytes(), scene.background, scene.boxes()), View(two.tobytes(), scene.background, scene.boxes()))
        for one, two, scene in zip(truth, made, scenes, strict=True)
    ]
    return np.array([found.image for found in alignments(pairs)])
