"""Inverse problems with the shipped generator: what is known stays, what is missing comes from the prompt."""

import numpy as np
import pytest
from semcast.agents.models.loading import load_models
from semcast.agents.models.roles import Box, Generate, Restore
from semcast.agents.models.tiny.restorer import TILE, TILES, Known, TinyRestorer, thumbnails
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.world import make_scene
from semcast.bus import keys
from semcast.bus.errors import BadInput

N = 8
SCENES = [make_scene("test", "restorer", index, count=(1, 4)) for index in range(N)]
PICTURES = np.stack([draw(scene) for scene in SCENES])
PROMPTS = [Generate("", scene.background, scene.boxes(), index, 4) for index, scene in enumerate(SCENES)]
LOST = [sorted(keys.generator("test", "lost", index).permutation(TILES**2)[:20].tolist()) for index in range(N)]


@pytest.fixture(scope="module")
def model() -> TinyRestorer:
    found = load_models(roles=["restorer"])["restorer"]
    assert isinstance(found, TinyRestorer)
    return found


def mask(lost: list[int]) -> np.ndarray:
    tiles = np.isin(np.arange(TILES**2), lost).reshape(TILES, TILES)
    return np.kron(tiles, np.ones((TILE, TILE), bool))


def restored(model: TinyRestorer, calls: list[Restore]) -> np.ndarray:
    return np.stack([np.frombuffer(each.picture, np.uint8).reshape(64, 64, 3) for each in model.run(calls)])


def error(pictures: np.ndarray, where: np.ndarray) -> float:
    return float(np.square(pictures.astype(float) - PICTURES)[where].mean())


def test_lost_tiles_are_painted_in_and_the_others_stay(model: TinyRestorer) -> None:
    lost = np.stack([mask(each) for each in LOST])
    holed = np.where(lost[..., None], 0, PICTURES).astype(np.uint8)
    filled = restored(model, [Restore(p.tobytes(), q, r) for p, q, r in zip(holed, PROMPTS, LOST, strict=True)])
    assert (filled == PICTURES)[~lost].all()
    mean = np.stack([np.broadcast_to(p[~m].mean(axis=0), p.shape) for p, m in zip(PICTURES, lost, strict=True)])
    assert error(filled, lost) < 0.5 * error(mean, lost)
    empty = [Generate("", "", [], call.seed, call.steps) for call in PROMPTS]
    unprompted = restored(model, [Restore(p.tobytes(), q, r) for p, q, r in zip(holed, empty, LOST, strict=True)])
    assert error(filled, lost) < 0.7 * error(unprompted, lost)


def test_what_lies_under_lost_tiles_is_not_looked_at(model: TinyRestorer) -> None:
    calls = []
    for value in (0, 255):
        holed = np.where(np.stack([mask(each) for each in LOST])[..., None], value, PICTURES).astype(np.uint8)
        calls.append([Restore(p.tobytes(), q, r) for p, q, r in zip(holed, PROMPTS, LOST, strict=True)])
    assert model.run(calls[0]) == model.run(calls[1])


@pytest.mark.parametrize("scale", [2, 4])
def test_a_thumbnail_becomes_sharper_than_its_blocks_and_stays_true_to_them(model: TinyRestorer, scale: int) -> None:
    small = np.round(thumbnails(PICTURES, scale)).astype(np.uint8)
    pictures = restored(model, [Restore(p.tobytes(), q, [], scale) for p, q in zip(small, PROMPTS, strict=True)])
    blocks = small.repeat(scale, axis=1).repeat(scale, axis=2)
    everywhere = np.ones(PICTURES.shape[:3], bool)
    assert error(pictures, everywhere) < 0.6 * error(blocks, everywhere)
    off = np.abs(thumbnails(pictures, scale) - small)
    assert off.mean() < 0.5  # but for rounding and values cut at 0 and 255


def test_agreement_is_a_projection() -> None:
    rng = keys.generator("test", "agreement")
    any_pictures = rng.integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)
    call = Generate("", "", [], 0)
    tiles = Known([Restore(PICTURES[i].tobytes(), call, LOST[i]) for i in range(2)])
    once = tiles.agree(any_pictures)
    assert (tiles.agree(once) == once).all()
    assert (tiles.agree(PICTURES[:2]) == PICTURES[:2]).all()
    small = thumbnails(PICTURES[:2], 4)
    thumbs = Known([Restore(np.round(each).astype(np.uint8).tobytes(), call, [], 4) for each in small])
    assert np.abs(thumbs.agree(PICTURES[:2]).astype(int) - PICTURES[:2]).max() <= 1  # the rounding of the thumbnail


@pytest.mark.parametrize(
    "call",
    [
        Restore(bytes(64 * 64 * 3), PROMPTS[0], [], 3),
        Restore(bytes(64 * 64 * 3), PROMPTS[0], [], 2),
        Restore(bytes(64 * 64 * 3), PROMPTS[0], [64]),
        Restore(bytes(32 * 32 * 3), PROMPTS[0], [0], 2),
    ],
)
def test_calls_that_make_no_sense_are_refused(model: TinyRestorer, call: Restore) -> None:
    with pytest.raises(BadInput, match="restorer"):
        model.group(call)


def test_a_step_costs_the_way_to_pixels_and_back(model: TinyRestorer) -> None:
    picture = bytes(64 * 64 * 3)
    few, many = (model.flops(Restore(picture, Generate("", "", [Box("dog", "red", 30, 30, 20, 20)], 0, n))) for n in (4, 8))
    assert many - few > 4 * 1_000_000_000
    assert model.group(Restore(picture, PROMPTS[0])) != model.group(Restore(bytes(32 * 32 * 3), PROMPTS[0], [], 2))
    assert model.flops(Restore(picture, PROMPTS[0])) == few
