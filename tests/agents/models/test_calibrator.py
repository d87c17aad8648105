"""The calibrator: what it looks at, what it leaves, what it learns from, and what the shipped weights repair."""

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from semcast.agents.models.codecs.library import read_library
from semcast.agents.models.loading import WEIGHTS, load_models
from semcast.agents.models.roles import Box, Calibrate
from semcast.agents.models.tiny.calibrator import examples, laid, mask_of, view_of
from semcast.agents.models.tiny.calibrator_network import CalibratorNetwork, View
from semcast.agents.models.tiny.repair import LIGHT, filled, mend, untinted
from semcast.agents.models.training.calibrator import draw_pool, example, loss_of
from semcast.agents.models.training.damage import TILES, blurred, lost_tiles, through_codec, tinted
from semcast.agents.models.training.data import to_tensor
from semcast.agents.pictures import cut, mirrored
from semcast.agents.scenes.draw import draw
from semcast.agents.scenes.vocabulary import BACKGROUNDS
from semcast.agents.scenes.world import make_scene
from semcast.bus.errors import BadInput


def scenes(number):
    return np.stack([draw(make_scene("test", "calibrator", index)) for index in range(number)])


def pixels(result):
    return np.frombuffer(result.picture, np.uint8).reshape(64, 64, 3)


def untrained():
    torch.manual_seed(0)
    return CalibratorNetwork().eval()


def test_an_untrained_network_leaves_pictures_as_they_are():
    view = view_of(examples()[:4], 4)
    with torch.no_grad():
        assert torch.equal(untrained()(view), view.picture)


def test_it_has_at_most_400_000_weights():
    assert sum(p.numel() for p in untrained().parameters()) <= 400_000


def test_tiles_are_numbered_row_by_row():
    mask = mask_of([[0, 9], [63]])
    assert mask.shape == (2, 1, 64, 64)
    assert mask[0, 0, :8, :8].all() and mask[0, 0, 8:16, 8:16].all() and mask[0].sum() == 128
    assert mask[1, 0, 56:, 56:].all() and mask[1].sum() == 64


def test_lost_pixels_are_not_looked_at():
    call = examples()[2]
    assert call.lost
    other = np.frombuffer(call.picture, np.uint8).reshape(64, 64, 3).copy()
    lost = mask_of([call.lost])[0, 0].bool().numpy()
    other[lost] = 255 - other[lost]
    model = load_models("tiny", ["calibrator"])["calibrator"]
    one, two = (model.run([each] * model.batch)[0] for each in (call, replace(call, picture=other.tobytes())))
    assert one == two


def test_a_reference_is_laid_into_its_box_and_turned_as_the_rest_of_its_subject_faces():
    scene = make_scene("test", "own", 1, count=1, subjects=("mia/dog",))
    box, picture = scene.boxes()[0], draw(scene).tobytes()
    reference = cut(picture, box)
    tiles = [t for t in range(64) if box.cx - box.width / 2 < 8 * (t % 8) + 8 and 8 * (t % 8) < box.cx]
    call = Calibrate(picture, 40.0, tiles, scene.background, [box], {"mia/dog": reference})
    right = view_of([call] * 4, 4)
    turned = view_of([replace(call, references={"mia/dog": mirrored(reference)})] * 4, 4)
    assert torch.equal(right.collage, turned.collage) and right.shown[0].sum() > 100
    near = right.shown[0, 0].bool()
    assert (
        float(
            (right.collage[0, :, near] - to_tensor(np.frombuffer(picture, np.uint8).reshape(1, 64, 64, 3))[0][:, near])
            .abs()
            .mean()
        )
        < 0.12
    )
    nothing, where = laid([[(box, b"")]])
    assert not nothing.any() and not where.any()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"lost": [64]}, "tiles"),
        ({"lost": [-1]}, "tiles"),
        ({"picture": b"123"}, "3 bytes"),
        ({"snr_db": float("nan")}, "snr_db"),
        ({"boxes": [Box("dog", "red", 20, 20, 9, 9, 1.0, "a/dog")], "references": {"a/dog": b"12"}}, "reference"),
    ],
)
def test_what_it_cannot_read_is_told(changes, what):
    with pytest.raises(BadInput, match=what):
        view_of([replace(examples()[0], **changes)] * 4, 4)


def test_damage_is_keyed_and_what_it_says():
    x = to_tensor(scenes(6))
    for damage in (tinted, blurred):
        assert torch.equal(damage(x, "a"), damage(x, "a")) and not torch.equal(damage(x, "a"), damage(x, "b"))
    flat = torch.full((3, 3, 64, 64), 0.25)
    assert torch.allclose(blurred(flat, "a"), flat, atol=1e-6)  # a blur keeps what is even, up to the rim
    assert tinted(flat, "a").flatten(2).std(dim=2).max() < 1e-6  # a tint is the same everywhere
    for gone in lost_tiles(50, "a"):
        assert 2 <= len(gone) <= 15 and gone == sorted(set(gone)) and gone[0] >= 0 and gone[-1] < TILES**2
    library, shown = read_library(WEIGHTS / "jscc"), scenes(4)
    errors = [
        np.square(through_codec(library, "snr01-cbr12", shown, torch.full((4,), snr), "k").astype(float) - shown).mean()
        for snr in (-5.0, 10.0)
    ]
    assert errors[0] > 1.3 * errors[1]


def test_examples_of_training_hide_lost_tiles_and_sometimes_show_references():
    pool = draw_pool(24, WEIGHTS / "jscc", "test", "pool")
    view, drawn = example(pool, torch.arange(24), "test", 0)
    again, _ = example(pool, torch.arange(24), "test", 0)
    assert all(torch.equal(a, b) for a, b in zip(view, again, strict=True))
    assert 0 < view.lost.mean() < 0.3
    assert view.shown.any() and not (view.collage * (1 - view.shown)).any()
    assert drawn.shape == view.picture.shape and {0} < set(view.background.tolist())
    network = untrained()
    perfect = View(drawn, *view[1:])
    with torch.no_grad():
        assert float(loss_of(network, perfect, drawn)) < float(loss_of(network, view, drawn)) - 1


def test_the_shipped_weights_repair_tints_and_lost_tiles_and_leave_what_is_whole():
    model = load_models("tiny", ["calibrator"])["calibrator"]
    world = [make_scene("test", "calibrator", index) for index in range(16)]
    shown = np.stack([draw(scene) for scene in world])
    x, lost = to_tensor(shown), lost_tiles(16, "test", "lost")
    kinds = {
        "tint": (tinted(x, "test"), [[]] * 16, 4.0),
        "lost": (x * (1 - mask_of(lost)), lost, 7.0),
        "blur": (blurred(x, "test"), [[]] * 16, -0.05),
    }
    for kind, (worn, gone, least_db) in kinds.items():
        raw = ((worn + 1) * 127.5).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
        calls = [
            Calibrate(picture.tobytes(), 40.0, tiles, scene.background, scene.boxes())
            for picture, tiles, scene in zip(raw, gone, world, strict=True)
        ]
        found = np.stack([pixels(result) for start in range(0, 16, 4) for result in model.run(calls[start : start + 4])])
        before, after = (np.square(shown.astype(float) - y).mean(axis=(1, 2, 3)) for y in (raw, found))
        assert float(np.mean(10 * np.log10(before / after))) > least_db, kind


def test_filling_is_exact_on_what_is_even_and_leaves_what_came():
    lost = mask_of([[9, 10, 27], list(range(64))])
    flat = torch.full((2, 3, 64, 64), 0.3)
    found = filled(flat * (1 - lost), lost)
    assert torch.allclose(found[0], flat[0], atol=1e-6) and not found[1].any()
    ramp = torch.linspace(-1, 1, 64).expand(1, 3, 64, 64)
    assert float((filled(ramp * (1 - lost[:1]), lost[:1]) - ramp).abs().max()) < 0.02  # a plane solves Laplace's equation
    assert torch.equal(filled(ramp, torch.zeros(1, 1, 64, 64)), ramp)


def test_a_tint_is_told_from_the_backgrounds_own_light():
    base = torch.tensor(BACKGROUNDS["grass"]).view(1, 3, 1, 1) / 127.5 - 1
    number = torch.tensor([list(BACKGROUNDS).index("grass") + 1])
    nothing, even = torch.zeros(1, 1, 64, 64), base.expand(1, 3, 64, 64)
    for shift, left in (((0.3, 0.0, 0.0), LIGHT), ((0.08, 0.08, 0.08), 0.08), ((0.0, 0.01, 0.0), 0.01), ((0.9, 0.9, 0.9), 0.9)):
        tinted_ground = even + torch.tensor(shift).view(1, 3, 1, 1)
        away = (untinted(tinted_ground, nothing, number) - even).mean(dim=(2, 3))
        assert float(away.abs().max()) <= left + 1e-4, shift
    assert torch.equal(untinted(even + 0.3, nothing, torch.tensor([0])), even + 0.3)  # where no background is known


def test_lost_pixels_of_an_own_subject_come_from_its_reference():
    lost = mask_of([[0, 1]])
    where, shown = torch.zeros(1, 1, 64, 64), torch.full((1, 3, 64, 64), 0.7)
    where[..., :8, :8] = 1
    found = mend(torch.zeros(1, 3, 64, 64), lost, lost, torch.tensor([0]), shown, where)
    assert torch.allclose(found[..., :8, :8], torch.tensor(0.7)) and float(found[..., 32:, 32:].abs().max()) == 0.0
