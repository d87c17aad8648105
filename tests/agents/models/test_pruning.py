"""Thin blocks by least squares: exact where nothing is lost, better than dropping channels where something is."""

import copy

import numpy as np
import pytest
import torch
from diffusers.models.resnet import ResnetBlock2D
from semcast.agents.models.loading import load_models
from semcast.agents.models.tiny import generator
from semcast.agents.models.tiny.small_generator import MOST_STEPS
from semcast.agents.models.tiny.thin import blocks, inner_weights, thin, thinned
from semcast.agents.models.training.pruning import prune
from semcast.bus import keys
from torch import nn


class Stack(nn.Module):
    """Two blocks with a time embedding, one with a shortcut."""

    def __init__(self):
        super().__init__()
        self.first = ResnetBlock2D(in_channels=16, out_channels=16, temb_channels=8, groups=4)
        self.second = ResnetBlock2D(in_channels=16, out_channels=24, temb_channels=8, groups=4)

    def forward(self, x, time):
        return self.second(self.first(x, time), time)


def stack():
    torch.manual_seed(3)
    return Stack().requires_grad_(False).eval()


def inputs(number, key):
    rng = keys.generator("pruning", key)
    return [torch.from_numpy(rng.standard_normal(shape, dtype=np.float32)) for shape in ((number, 16, 8, 8), (number, 8))]


def error(network, whole, key):
    given = inputs(8, key)
    return float((network(*given) - whole(*given)).square().mean())


def test_all_channels_kept_changes_nothing():
    whole = stack()
    same = copy.deepcopy(whole)
    for block in blocks(same).values():
        thin(block, range(block.conv1.out_channels))
    given = inputs(4, "a")
    assert torch.allclose(same(*given), whole(*given), atol=1e-5)


def test_channels_that_say_nothing_are_left_out_at_little_loss():
    whole = stack()
    idle = [1, 2, 5, 6, 9, 10, 13, 14]  # two of the four of every group
    with torch.no_grad():
        whole.first.conv2.weight[:, idle] = 0
    slim = copy.deepcopy(whole)
    given = inputs(32, "fit")

    class Only(nn.Module):
        def __init__(self, block):
            super().__init__()
            self.block = block

        def forward(self, x, time):
            return self.block(x, time)

    one, other = Only(whole.first), Only(slim.first)
    assert prune(one, other, 0.5, lambda network: network(*given)) == {"block": 8}
    # the norm's statistics are of other channels now, so the fit is near and not exact
    lost = float((other(*inputs(8, "test")) - one(*inputs(8, "test"))).square().mean())
    assert lost < 0.2 * float((one(*inputs(8, "test")) - inputs(8, "test")[0]).var())


def test_the_fit_beats_dropping_channels():
    whole = stack()
    fitted, dropped = copy.deepcopy(whole), copy.deepcopy(whole)
    given = inputs(48, "fit")
    widths = prune(whole, fitted, 0.5, lambda network: network(*given))
    assert widths == {"first": 8, "second": 12}
    for block in blocks(dropped).values():
        kept = [
            c
            for g in range(4)
            for c in range(g * block.conv1.out_channels // 4, g * block.conv1.out_channels // 4 + block.conv1.out_channels // 8)
        ]
        thin(block, kept)
    assert error(fitted, whole, "test") < 0.6 * error(dropped, whole, "test")
    assert fitted.first.conv1.out_channels == 8 and whole.first.conv1.out_channels == 16


def test_thin_blocks_are_kept_and_read_again():
    slim = stack()
    for block in blocks(slim).values():
        thin(block, range(0, block.conv1.out_channels, 2))
    widths = {name: block.conv1.out_channels for name, block in blocks(slim).items()}
    again = stack()
    thinned(again, widths, inner_weights(slim, widths))
    assert torch.equal(again(*inputs(2, "a")), slim(*inputs(2, "a")))


@pytest.mark.parametrize("steps", [1, 8])
def test_the_small_generator_makes_few_steps_and_reads_no_adapters(steps):
    from msgspec.structs import replace

    model = load_models("tiny", ["generator@small"])["generator@small"]
    calls = [replace(call, steps=steps) for call in generator.examples()]
    few = [replace(call, steps=min(steps, MOST_STEPS)) for call in calls]
    assert model.run(calls) == model.run(few)
    adapted = [replace(call, adapters={"eve/dog": b"not read"}) for call in calls]
    assert model.run(adapted) == model.run(calls)
    assert model.flops(adapted[0]) == model.flops(few[0]) and model.group(calls[0]) == model.group(few[0])
