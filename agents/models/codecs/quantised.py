"""Weights in 8 bits: half the download and half the file of float16, computed with in float32.

Large tensors are kept as int8 with one scale for each output channel: ``w = scale * q``, q in -127..127, scale = max |w| / 127
(symmetric linear quantisation); small ones (biases, norms) stay float16.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

LEAST = 4096
"""Tensors of fewer weights are not worth their scales."""
SCALE = ":scale"


def quantise(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """State of a network -> what is kept; the first dimension of a tensor is its output channel."""
    kept: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        weight = tensor.detach().float().contiguous()
        if weight.ndim < 2 or weight.numel() < LEAST:
            kept[name] = weight.half()
            continue
        rows = weight.flatten(1)
        scale = rows.abs().amax(1, keepdim=True).clamp_min(1e-12) / 127
        kept[name] = (rows / scale).round().to(torch.int8).reshape(weight.shape).contiguous()
        kept[name + SCALE] = scale.flatten()
    return kept


def dequantise(kept: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What `quantise` made, or plain float16 weights, -> float32 state of the network."""
    state = {}
    for name, tensor in kept.items():
        if name.endswith(SCALE):
            continue
        weight = tensor.float()
        if name + SCALE in kept:
            weight = weight * kept[name + SCALE].reshape(-1, *[1] * (weight.ndim - 1))
        state[name] = weight.contiguous()
    return state
