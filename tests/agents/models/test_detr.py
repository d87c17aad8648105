"""The detector over the trunk: its features are the trunk's, boxes are read as they are said, it learns, it is saved and read."""

import pytest
import torch
from semcast.agents.models.roles import PICTURE_SIDE
from semcast.agents.models.tiny.captioner import load_trunk
from semcast.agents.models.tiny.detector import CELL, GRID, MAX_BOXES, Trunk
from semcast.agents.models.tiny.detr import SceneDetector, build, find, set_trunk
from semcast.agents.models.tiny.pretrained import read, write
from semcast.agents.models.training.data import batch, to_tensor
from semcast.agents.models.training.extractor import targets_of
from semcast.agents.scenes.vocabulary import BACKGROUND_NAMES, COLOUR_NAMES, LABELS


def small(seed=0):
    torch.manual_seed(seed)
    return build(32, 1, 2)


def test_the_trunk_is_copied_norms_and_all():
    torch.manual_seed(1)
    trunk, network = Trunk(), small()
    with torch.no_grad():
        trunk.train()
        trunk.features(torch.randn(4, 3, 64, 64))  # norms that are not the initial ones
    trunk.eval()
    set_trunk(network.eval(), trunk)
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        features = network.model.backbone(x, torch.ones(2, 64, 64))[0][0]
        assert torch.allclose(features, trunk.features(x), atol=1e-4)
    assert features.shape == (2, Trunk.width, GRID, GRID) and CELL * GRID == PICTURE_SIDE


def test_boxes_are_those_of_the_best_queries(monkeypatch):
    network = small()
    logits = torch.full((1, 16, len(LABELS)), -8.0)
    logits[0, 3, LABELS.index("cup")] = 2.0
    logits[0, 9, LABELS.index("dog")] = 4.0
    boxes, colours = torch.zeros(1, 16, 4), torch.zeros(1, 16, len(COLOUR_NAMES))
    boxes[0, 3] = torch.tensor([0.25, 0.5, 0.125, 0.25])
    boxes[0, 9] = torch.tensor([0.501, 0.75, 0.2, 0.3])
    colours[0, 9, COLOUR_NAMES.index("blue")] = 3.0
    grounds = torch.tensor([[0.0, 0.0, 5.0, 0.0]])
    monkeypatch.setattr(network, "see", lambda pictures: (logits, boxes, colours, grounds))
    [[dog, cup]], said = find(network, torch.zeros(1, 3, 64, 64), 0.5)
    assert (dog.label, dog.colour, dog.cx, dog.cy, dog.width, dog.height) == ("dog", "blue", 32.0625, 48.0, 12.8125, 19.1875)
    assert (cup.label, cup.cx, cup.cy, cup.width, cup.height, cup.score) == ("cup", 16.0, 32.0, 8.0, 16.0, 0.881)
    assert said == [BACKGROUND_NAMES[2]]
    [found], _ = find(network, torch.zeros(1, 3, 64, 64), 0.0)
    assert len(found) == MAX_BOXES


def test_the_loss_falls_and_reaches_every_head():
    network = small()
    pictures, truth = batch(6, "detr")
    x, targets = to_tensor(pictures), targets_of(truth)
    assert [len(target["boxes"]) for target in targets] == truth.present.sum(dim=1).tolist()
    assert all(float(target["boxes"].max()) <= 1 for target in targets)
    network.model.freeze_backbone()
    optimiser = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=3e-3)
    losses = []
    for step in range(12):
        torch.manual_seed(step)
        loss = network.loss(x, targets, truth.background)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert network.colour.weight.grad.abs().sum() > 0 and network.ground.weight.grad.abs().sum() > 0
    assert losses[-1] < 0.9 * losses[0]


def test_it_is_saved_in_half_precision_and_read_as_it_was_measured(tmp_path):
    network = small(3)
    write(network, tmp_path)
    x = torch.randn(2, 3, 64, 64)
    again = read(SceneDetector, tmp_path)
    with torch.no_grad():
        for one, two in zip(network.see(x), again.see(x), strict=True):
            assert torch.equal(one, two)
    trunk = load_trunk(tmp_path / "model.safetensors").eval()
    with torch.no_grad():
        assert torch.allclose(trunk.features(x), network.model.backbone(x, torch.ones(2, 64, 64))[0][0], atol=1e-3)


@pytest.mark.parametrize("place", [0, 2])
def test_companions_do_not_matter(place):
    network = small().eval()
    x = torch.randn(3, 3, 64, 64)
    others = torch.randn(3, 3, 64, 64)
    others[place] = x[place]
    with torch.no_grad():
        assert torch.equal(network.see(x)[1][place], network.see(others)[1][place])
