"""Convolutions computed in 8 bits: integers are multiplied and added, so a sample's result cannot depend on its companions.

A convolution's input becomes unsigned 8-bit numbers by one scale and zero point, fixed beforehand on pictures drawn for it
(static quantisation; B. Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only
inference", CVPR 2018). Weights have one scale an output channel, as in `codecs.quantised`. Sums are exact 32-bit integers; the
result is scaled back to float32, in which norms, activations, attention and small or linear layers stay.
"""

from collections.abc import Callable, Mapping
from functools import cache

import torch
from safetensors.torch import save
from torch import Tensor, nn

from ...bus.errors import Missing
from .codecs.quantised import LEAST, SCALE, quantise

Ranges = dict[str, tuple[float, float]]
"""Name of a convolution -> least and largest value of its input; zero is always within."""

COST = 0.5
"""What an 8-bit operation counts against a float one where FLOPs become time: units of 8 bits do at least two at once."""


class EightBitConv(nn.Module):
    """A `torch.nn.Conv2d` in 8 bits.

    Args:
        convolution: With float32 weights.
        low: Least input.
        high: Largest input; what lies outside is cut.
    """

    def __init__(self, convolution: nn.Conv2d, low: float, high: float) -> None:
        super().__init__()
        kept = quantise({"w": convolution.weight})
        self._scale = max(high - low, 1e-8) / 255
        self._zero = round(-low / self._scale)
        self._offset = torch.tensor(self._zero + 0.5)
        self.weight = torch.empty(convolution.weight.shape, device="meta")  # for those who ask for its shape
        self.stride, self.padding = convolution.stride, convolution.padding
        self._shape = [list(v) for v in (convolution.stride, convolution.padding, convolution.dilation)]
        self._weight_scale = kept["w" + SCALE]
        self._weight_zero = torch.zeros(len(self._weight_scale), dtype=torch.int32)
        self._bias = None if convolution.bias is None else convolution.bias.detach().float().clone()
        stride, padding, dilation = self._shape
        self._weight = torch.ops.onednn.qconv_prepack(
            kept["w"], self._weight_scale, self._scale, self._zero, stride, padding, dilation, convolution.groups, None
        )
        self._groups = convolution.groups

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) float32 -> (n, outputs, h', w') float32."""
        ordered = x.contiguous(memory_format=torch.channels_last)
        whole = torch.add(self._offset, ordered, alpha=1 / self._scale).clamp_(0, 255.5).to(torch.uint8)  # cut to the next lower
        stride, padding, dilation = self._shape
        result: Tensor = torch.ops.onednn.qconv2d_pointwise(
            whole, self._scale, self._zero, self._weight, self._weight_scale, self._weight_zero, self._bias,
            stride, padding, dilation, self._groups, 1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip
        return result


def convolutions(network: nn.Module) -> dict[str, nn.Conv2d]:
    """The convolutions that are worth it, by name: those of at least `LEAST` weights."""
    found = {name: part for name, part in network.named_modules() if isinstance(part, nn.Conv2d)}
    return {name: part for name, part in found.items() if part.weight.numel() >= LEAST}


def ranges_of(network: nn.Module, feed: Callable[[], object]) -> Ranges:
    """What the convolutions' inputs range over while `feed` runs the network on typical pictures."""
    found: Ranges = {}

    def watch(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def note(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            low, high = found.get(name, (0.0, 0.0))
            found[name] = min(low, float(inputs[0].min())), max(high, float(inputs[0].max()))

        return note

    hooks = [part.register_forward_pre_hook(watch(name)) for name, part in convolutions(network).items()]
    feed()
    for hook in hooks:
        hook.remove()
    return found


def in_eight_bits(network: nn.Module, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Put an `EightBitConv` in place of every convolution that `ranges` names.

    Raises:
        Missing: This build of torch has no 8-bit convolutions, or this processor's are not exact.
    """
    if not hasattr(torch.ops.onednn, "qconv2d_pointwise"):
        raise Missing("this build of torch has no 8-bit convolutions (oneDNN)", "choose another variant")
    if not sums_are_exact():
        raise Missing("8-bit convolutions saturate on this processor (it has no VNNI or the like)", "choose another variant")
    for name, part in convolutions(network).items():
        if name in ranges:
            place, _, last = name.rpartition(".")
            setattr(network.get_submodule(place), last, EightBitConv(part, *ranges[name]))


@cache
def sums_are_exact() -> bool:
    """Whether sums of largest products come out right: processors without VNNI add pairs of products in 16 bits that saturate."""
    convolution = nn.Conv2d(64, 8, 3, bias=False)
    nn.init.constant_(convolution.weight, 1.0)
    found = EightBitConv(convolution, 0.0, 255.0)(torch.full((1, 64, 3, 3), 255.0))
    return bool(torch.allclose(found, torch.full_like(found, 255.0 * 64 * 9), rtol=1e-4))


def memory_bytes(network: nn.Module, ranges: Mapping[str, tuple[float, float]]) -> int:
    """Size of a network's weights in use: a byte each in convolutions of 8 bits, else float32."""
    small = sum(part.weight.numel() for name, part in convolutions(network).items() if name in ranges)
    return 4 * sum(value.numel() for value in network.parameters()) - 3 * small


def kept_bytes(network: nn.Module) -> int:
    """Size of a network's weights as a file in 8 bits (small tensors in float16): what a device downloads."""
    return len(save(quantise(network.state_dict())))
