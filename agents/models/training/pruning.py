"""Structured pruning by least squares: inner channels of residual blocks are left out, and the next convolution is fitted anew.

After Y. He, X. Zhang, J. Sun, "Channel pruning for accelerating very deep neural networks", ICCV 2017: what the whole network has
in its stream after a block is the target of a linear regression on what the thin block has left. Blocks are thinned one after the
other, so that each fit also makes up for the errors before it. No gradient is taken.
"""

import logging
from collections.abc import Callable

import torch
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn
from torch.nn import functional

from ..tiny.thin import blocks, thin

log = logging.getLogger(__name__)

RIDGE = 1e-3
"""Of the mean diagonal of the regression's normal equations."""


def prune(whole: nn.Module, copy: nn.Module, share: float, feed: Callable[[nn.Module], None]) -> dict[str, int]:
    """Thin the residual blocks of `copy`, which has the weights of `whole`.

    Args:
        whole: Left as it is.
        copy: Changed in place.
        share: Of inner channels that stay.
        feed: Runs a network (one of the two) on the same typical inputs.

    Returns:
        Name of each block -> its inner channels.
    """
    wanted = _seen(blocks(whole), lambda: feed(whole), outputs=True)
    widths = {}
    for name in wanted:  # in the order in which they are run
        block = blocks(copy)[name]
        given = _seen({name: block}, lambda: feed(copy), outputs=False)[name]
        kept = _most_telling(block, given, share)
        thin(block, kept)
        widths[name] = len(kept)
        error = _fit(block, given, [target for (target,) in wanted[name]])
        log.info("%s: %d inner channels, %.3f of the variance lost", name, len(kept), error)
    return widths


Seen = list[tuple[Tensor, ...]]


def _seen(watched: dict[str, ResnetBlock2D], run: Callable[[], None], *, outputs: bool) -> dict[str, Seen]:
    """Inputs (picture features, and time embedding where there is one) or outputs of blocks in every pass."""
    found: dict[str, Seen] = {}

    def watch(name: str) -> Callable[..., None]:
        def note(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            kept = (output,) if outputs else tuple(value for value in inputs if isinstance(value, Tensor))
            found.setdefault(name, []).append(tuple(value.detach().clone() for value in kept))

        return note

    hooks = [block.register_forward_hook(watch(name)) for name, block in watched.items()]
    run()
    for hook in hooks:
        hook.remove()
    return found


def _hidden(block: ResnetBlock2D, x: Tensor, *time: Tensor) -> Tensor:
    """What the second convolution of a block gets."""
    hidden = block.conv1(block.nonlinearity(block.norm1(x)))
    if block.time_emb_proj is not None:
        hidden = hidden + block.time_emb_proj(block.nonlinearity(time[0]))[:, :, None, None]
    return block.nonlinearity(block.norm2(hidden))  # type: ignore[no-any-return]


def _most_telling(block: ResnetBlock2D, given: Seen, share: float) -> list[int]:
    """Of every group of the second norm the channels whose deviation times weight is largest."""
    values = torch.cat([_hidden(block, *inputs).transpose(0, 1).flatten(1) for inputs in given], dim=1)
    worth = values.std(dim=1) * block.conv2.weight.detach().square().sum(dim=(0, 2, 3)).sqrt()
    groups = worth.view(block.norm2.num_groups, -1)
    best = groups.topk(max(1, round(share * groups.shape[1])), dim=1).indices.sort(dim=1).values
    return [int(row * groups.shape[1] + column) for row in range(len(best)) for column in best[row]]


def _fit(block: ResnetBlock2D, given: Seen, targets: list[Tensor]) -> float:
    """Least squares for the second convolution; returns the share of the target's variance that is missed."""
    size = 9 * block.conv2.in_channels + 1
    square = torch.zeros(size, size, dtype=torch.float64)
    product = torch.zeros(size, block.conv2.out_channels, dtype=torch.float64)
    energy, rows = torch.zeros(block.conv2.out_channels, dtype=torch.float64), 0
    for inputs, target in zip(given, targets, strict=True):
        patches = functional.unfold(_hidden(block, *inputs), 3, padding=1).transpose(1, 2).flatten(0, 1)
        patches = torch.cat([patches, torch.ones(len(patches), 1)], dim=1).double()
        shortcut = inputs[0] if block.conv_shortcut is None else block.conv_shortcut(inputs[0])
        missing = (target - shortcut).permute(0, 2, 3, 1).reshape(len(patches), -1).double()
        square += patches.T @ patches
        product += patches.T @ missing
        energy += missing.square().sum(dim=0)
        rows += len(patches)
    ridge = RIDGE * square.diagonal().mean() * torch.eye(size, dtype=torch.float64)
    solution = torch.linalg.solve(square + ridge, product)
    with torch.no_grad():
        block.conv2.weight.copy_(solution[:-1].T.reshape(block.conv2.weight.shape).float())
        block.conv2.bias.copy_(solution[-1].float())
    left = energy - 2 * (solution * product).sum(dim=0) + (solution * (square @ solution)).sum(dim=0)
    means = product[-1] / rows
    return float(left.sum() / (energy - rows * means.square()).sum().clamp_min(1e-9))
