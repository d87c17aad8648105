"""The training loop learns, resumes, and leaves the averaged weights; the detectors' targets are where objects are."""

import json

import numpy as np
import pytest
import torch
from semcast.agents.models.tiny.detector import Maps, read_boxes
from semcast.agents.models.training.data import batch, flip, to_tensor, wear
from semcast.agents.models.training.detectors import detection_loss, score, targets
from semcast.agents.models.training.loop import Settings, fit
from semcast.agents.models.training.subjects import contrast, family
from semcast.agents.scenes.vocabulary import COLOUR_NAMES, LABELS
from semcast.bus import keys
from torch import nn

SETTINGS = Settings(rate=0.05, warm_steps=1, average=0.5, bf16=False, weight_decay=0.0)


def line(step):
    x = torch.from_numpy(keys.generator("line", step).standard_normal((32, 2), dtype=np.float32))
    return x, x @ torch.tensor([[1.0], [-2.0]]) + 0.5


def train(network, work, minutes):
    def loss(step):
        x, y = line(step)
        return ((network(x) - y) ** 2).mean()

    return fit(network, loss, work, minutes, SETTINGS)


def test_it_learns_and_goes_on_where_it_stopped(tmp_path):
    torch.manual_seed(0)
    network = nn.Linear(2, 1)
    first = train(network, tmp_path, 0.01)
    assert network.weight.detach().numpy() == pytest.approx(np.array([[1.0, -2.0]]), abs=0.1)
    fresh = nn.Linear(2, 1)
    again = train(fresh, tmp_path, 0.01)  # all the minutes are spent: nothing is added, and the weights are those kept
    assert again["steps"] == first["steps"] == json.loads((tmp_path / "progress.json").read_text())["steps"]
    assert torch.equal(fresh.weight, network.weight)
    more = train(fresh, tmp_path, 0.02)
    assert more["steps"] > first["steps"]


def test_flip_moves_boxes_with_pixels():
    pictures, truth = batch(4, "flip")
    x, mirrored = flip(to_tensor(pictures), truth)
    assert torch.equal(x[0], to_tensor(pictures)[0]) and torch.equal(x[3], to_tensor(pictures)[3].flip(2))
    assert torch.equal(mirrored.box[0], truth.box[0])
    assert torch.allclose(mirrored.box[3, :, 0] + truth.box[3, :, 0], torch.tensor(64.0))


def test_batches_are_keyed():
    (one, _), (two, _), (other, _) = batch(3, "k", 1), batch(3, "k", 1), batch(3, "k", 2)
    assert np.array_equal(one, two) and not np.array_equal(one, other)
    assert torch.equal(wear(one, "w"), wear(two, "w"))


def perfect_maps(truth):
    """What a faultless network would say."""
    heat, index, _ = targets(truth)
    n = heat.shape[0]
    flat = index.flatten(1)
    hot = torch.nn.functional.one_hot
    label = hot(truth.label.gather(1, flat), len(LABELS)).view(n, 16, 16, -1).permute(0, 3, 1, 2) * 20.0
    colour = hot(truth.colour.gather(1, flat), len(COLOUR_NAMES)).view(n, 16, 16, -1).permute(0, 3, 1, 2) * 20.0
    box = truth.box.gather(1, flat[:, :, None].expand(-1, -1, 4)).view(n, 16, 16, 4).permute(0, 3, 1, 2)
    middle = torch.arange(16).float() + 0.5
    grid = torch.stack([middle[None].expand(16, -1), middle[:, None].expand(-1, 16)])
    ground = hot(truth.background, 4) * 20.0
    return Maps(torch.logit(heat.clamp(0.001, 0.999)), label, colour, box[:, :2] / 4 - grid, (box[:, 2:] / 18.0).log(), ground)


def test_boxes_are_read_back_from_faultless_maps():
    _, truth = batch(24, "targets", high=5)
    maps = perfect_maps(truth)
    wanted = [
        [
            (LABELS[int(truth.label[row, i])], COLOUR_NAMES[int(truth.colour[row, i])], *truth.box[row, i].tolist())
            for i in range(int(truth.present[row].sum()))
        ]
        for row in range(24)
    ]
    found = [
        [(box.label, box.colour, box.cx, box.cy, box.width, box.height) for box in boxes] for boxes in read_boxes(maps, 0.97)
    ]
    missed = 0
    for seen, true in zip(found, wanted, strict=True):
        for box in true:
            missed += not any(s[:2] == box[:2] and np.allclose(s[2:], box[2:], atol=0.05) for s in seen)
    assert missed <= 2  # centres in neighbouring cells may hide one another
    assert float(detection_loss(maps, truth)) < 0.1


def test_score_counts_each_object_once():
    _, truth = batch(1, "score", low=1, high=1)
    boxes = read_boxes(perfect_maps(truth), 0.97)
    assert score(boxes, boxes) == {"f1": 1.0, "colour": 1.0}
    assert score([boxes[0] * 2], boxes)["f1"] == pytest.approx(2 / 3, abs=1e-4)


def test_contrast_closed_form():
    """Two subjects at right angles, two equal views each: -log(e^(1/t) / (e^(1/t) + 2))."""
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    value = float(contrast(vectors, torch.tensor([5, 5, 7, 7]), temperature=0.5))
    assert value == pytest.approx(-np.log(np.exp(2) / (np.exp(2) + 2)), rel=1e-5)


def test_a_family_differs_in_markings_alone():
    members = family("f", 1)
    assert len({(m.label, m.colour) for m in members}) == 1
    assert len({m.marking for m in members}) == len(members)
