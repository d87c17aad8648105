"""Thin residual blocks of diffusers: fewer channels between their two convolutions; the stream between blocks keeps its width."""

from collections.abc import Mapping, Sequence

import torch
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn

INNER = ("conv1", "time_emb_proj", "norm2", "conv2")
"""Layers of a block that change."""


def blocks(network: nn.Module) -> dict[str, ResnetBlock2D]:
    """The residual blocks of a network by name, in the order in which they lie in it."""
    return {name: part for name, part in network.named_modules() if isinstance(part, ResnetBlock2D)}


def thin(block: ResnetBlock2D, kept: Sequence[int]) -> None:
    """Leave only some inner channels of a block, equally many of every group of its second norm."""
    chosen = torch.tensor(list(kept))
    block.conv1 = _fewer_outputs(block.conv1, chosen)
    if block.time_emb_proj is not None:
        block.time_emb_proj = _fewer_outputs(block.time_emb_proj, chosen)
    norm = nn.GroupNorm(block.norm2.num_groups, len(chosen), block.norm2.eps)
    norm.load_state_dict({name: value[chosen] for name, value in block.norm2.state_dict().items()})
    block.norm2 = norm
    second = nn.Conv2d(len(chosen), block.conv2.out_channels, 3, padding=1)
    second.load_state_dict({"weight": block.conv2.weight.detach()[:, chosen], "bias": block.conv2.bias.detach()})
    block.conv2 = second
    block.requires_grad_(False).eval().to(memory_format=torch.channels_last)


def thinned(network: nn.Module, widths: Mapping[str, int], weights: Mapping[str, Tensor]) -> None:
    """Make blocks of a network thin and give them their weights.

    Args:
        network: Changed in place.
        widths: Name of a block -> its inner channels.
        weights: Of the layers `INNER` of these blocks, by their names in the network.
    """
    known = blocks(network)
    for name, width in widths.items():
        thin(known[name], range(width))
        own = {key.removeprefix(name + "."): value for key, value in weights.items() if key.startswith(name + ".")}
        known[name].load_state_dict({**known[name].state_dict(), **own})


def inner_weights(network: nn.Module, widths: Mapping[str, int]) -> dict[str, Tensor]:
    """What `thinned` takes as weights."""
    known = blocks(network)
    return {
        f"{name}.{key}": value
        for name in widths
        for key, value in known[name].state_dict().items()
        if key.partition(".")[0] in INNER
    }


def _fewer_outputs(layer: nn.Conv2d | nn.Linear, chosen: Tensor) -> nn.Conv2d | nn.Linear:
    state = {name: value[chosen] for name, value in layer.state_dict().items()}
    fewer: nn.Conv2d | nn.Linear
    if isinstance(layer, nn.Conv2d):
        fewer = nn.Conv2d(layer.in_channels, len(chosen), 3, padding=1)
    else:
        fewer = nn.Linear(layer.in_features, len(chosen))
    fewer.load_state_dict(state)
    return fewer
