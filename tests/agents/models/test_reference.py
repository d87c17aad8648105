"""Reference pictures: cut-outs land in their boxes, facing the right way, and only their own cells are told."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from semcast.agents.models.loading import WEIGHTS
from semcast.agents.models.roles import Box, Generate
from semcast.agents.models.tiny import generator
from semcast.agents.models.tiny.prompt import cutouts_of
from semcast.agents.models.tiny.reference import collage, facing_away
from semcast.agents.pictures import cut, mirrored
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.vocabulary import Marking, Subject
from semcast.agents.scenes.world import scene_of
from semcast.bus.errors import BadInput

DOG = Subject("eve/dog", "dog", "white", Marking("half", "blue", 0, 2.0, 0.5))


@pytest.fixture(scope="module")
def shipped() -> generator.TinyGenerator:
    torch.set_num_threads(1)
    return generator.load(WEIGHTS / "generator")


def test_a_cut_out_laid_back_is_the_picture_again() -> None:
    y, x = np.mgrid[:64, :64]
    picture = np.stack([2 * x + 60, 2 * y + 60, x + y + 60], axis=-1).astype(np.uint8)
    box = Box("dog", "", 30.0, 26.0, 28.0, 20.0)
    pixels = np.frombuffer(cut(picture.tobytes(), box), np.uint8).reshape(1, 1, 32, 32, 3).astype(np.float32)
    cutouts = torch.from_numpy(pixels).permute(0, 1, 4, 2, 3)
    laid = collage(cutouts, torch.tensor([[[30.0, 26.0, 28.0, 20.0]]]), torch.ones(1, 1))[0]
    inside = np.abs(laid[17:35, 17:43].astype(int) - picture[17:35, 17:43])
    assert inside.max() <= 3
    outside = np.ones((64, 64), bool)
    outside[16:36, 16:44] = False
    assert (np.abs(laid[outside].astype(int) - 128) <= 1).all()


def test_what_is_not_used_leaves_no_trace_and_later_ones_lie_in_front() -> None:
    cutouts = torch.stack([torch.full((3, 32, 32), 10.0), torch.full((3, 32, 32), 200.0)]).unsqueeze(0)
    boxes = torch.tensor([[[32.0, 32.0, 20.0, 20.0], [32.0, 32.0, 10.0, 10.0]]])
    both = collage(cutouts, boxes, torch.ones(1, 2))[0]
    assert both[32, 32, 0] == 200 and both[24, 24, 0] == 10
    one = collage(cutouts, boxes, torch.tensor([[1.0, 0.0]]))[0]
    assert one[32, 32, 0] == 10
    assert (collage(cutouts, boxes, torch.zeros(1, 2)) == 128).all()


@given(st.floats(-20, 90), st.floats(-20, 90), st.floats(0, 99), st.floats(0, 99))
@settings(max_examples=40, deadline=None)
def test_any_box_can_be_cut(cx: float, cy: float, width: float, height: float) -> None:
    assert len(cut(bytes(64 * 64 * 3), Box("", "", cx, cy, width, height))) == 32 * 32 * 3


def test_mirrored_twice_is_the_same() -> None:
    reference = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert np.array_equal(np.frombuffer(mirrored(reference.tobytes()), np.uint8).reshape(32, 32, 3), reference[:, ::-1])
    assert mirrored(mirrored(reference.tobytes())) == reference.tobytes()


def views(number: int) -> list[tuple[bytes, Box, bool]]:
    """Pictures of the dog, its box, and whether it looks left."""
    found = []
    for index in range(number):
        scene = scene_of((DOG,), 1, 1, "test", "reference", index)
        thing = scene.objects[0]
        found.append((draw(scene).tobytes(), thing.box(), thing.flip))
    return found


def call(references: dict[str, bytes], seed: int = 0) -> Generate:
    box = Box("dog", "white", 32.0, 32.0, 30.0, 24.0, 1.0, DOG.name)
    other = Box("cup", "red", 10.0, 50.0, 14.0, 14.0)
    return Generate("a white dog and a red cup on sand", "sand", [box, other], seed, 2, references=references)


def test_the_sketch_tells_which_way_a_reference_faces(shipped: generator.TinyGenerator) -> None:
    seen = views(8)
    calls = [call({DOG.name: cut(picture, box)}, seed) for seed, (picture, box, _) in enumerate(seen)]
    plain = shipped.conditions([call({}, seed) for seed in range(8)])
    wanted = plain.flips[:, 0] < 0
    boxes = plain.boxes[:, :1]
    pixels = torch.from_numpy(cutouts_of(calls, shipped._statistics)[:, :1].astype(np.float32)).permute(0, 1, 4, 2, 3)
    from semcast.agents.models.tiny import autoencoder

    latents = autoencoder.encode(shipped.coder, collage(pixels, boxes, torch.ones(8, 1)))
    with torch.inference_mode():
        away = facing_away(shipped._conditioner, plain, latents)[:, 0]
    true = torch.tensor([flip for _, _, flip in seen]) != wanted
    assert int((away == true).sum()) >= 7


def test_a_reference_shows_the_subject_and_not_the_class(shipped: generator.TinyGenerator) -> None:
    picture, box, _ = max(views(8), key=lambda view: view[1].width)
    reference = cut(picture, box)
    without = shipped.run([call({}, seed) for seed in range(8)])
    shown = shipped.run([call({DOG.name: reference}, seed) for seed in range(8)])

    def blue(picture: bytes) -> int:
        pixels = np.frombuffer(picture, np.uint8).reshape(64, 64, 3).astype(int)[20:44, 17:47]
        return int(((pixels[..., 2] - pixels[..., 0]) > 60).sum())

    gained = [blue(b.picture) - blue(a.picture) for a, b in zip(without, shown, strict=True)]
    assert sorted(gained)[2] > 20, gained


def test_references_of_companions_change_nothing(shipped: generator.TinyGenerator) -> None:
    picture, box, _ = views(1)[0]
    plain = [call({}, seed) for seed in range(8)]
    mixed = [call({DOG.name: cut(picture, box)} if seed % 2 else {}, seed) for seed in range(8)]
    alone, together = shipped.latents(plain), shipped.latents(mixed)
    assert torch.equal(alone[::2], together[::2])
    assert not torch.equal(alone[1], together[1])
    lonely = shipped.latents([mixed[1]] * 8)
    assert torch.equal(lonely[0], together[1]) and torch.equal(lonely[7], together[1])


def test_a_reference_of_another_size_is_refused(shipped: generator.TinyGenerator) -> None:
    with pytest.raises(BadInput, match="3072"):
        shipped.latents([call({DOG.name: b"123"})] * 8)
