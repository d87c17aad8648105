"""LoRA adapters of personal subjects (branch models): a low-rank change of the denoiser, another one for every sample of a batch.

An adapter holds, in half precision, for each adapted layer the two factors that `peft` trains (``NAME.lora_A.weight`` of shape
(rank, in, ...) and ``NAME.lora_B.weight`` of shape (out, rank, ...)), and the subject's fine-tuned identifier (``token``).
A layer's output becomes W x + B (A x), with A and B of the sample's own subject, stacked over the batch.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.nn import functional

from ....bus.errors import BadInput

RANK = 4
SLOTS = 2
"""Adapters that one sample can use; further ones are left out."""
TOKEN = "token"
MAX_BYTES = 200_000
TARGETS = (
    r"conv_in|(down_blocks\.0\.resnets\.0|up_blocks\.1\.resnets\.[01]|mid_block\.resnets\.0)\.conv[12]"
    r"|.*attn[12]\.to_(q|k|v|out\.0)"
)
"""Names of the layers that are adapted: those at the latent's own resolution, two at half of it, and the attention."""

Adapter = dict[str, Tensor]


@dataclass(frozen=True)
class AdapterSettings:
    """How an adapter is trained.

    Attributes:
        steps: Of AdamW; about 0.2 s each on one core.
        subjects: Views of the subject a step.
        priors: Drawn scenes without it a step.
        rate: Peak learning rate of the low-rank factors; it falls to zero by a cosine.
        token_rate: Of the identifier.
        views: Different views that are made of the shared pictures.
    """

    steps: int = 100
    subjects: int = 6
    priors: int = 2
    rate: float = 2e-3
    token_rate: float = 1e-2
    views: int = 64

    @property
    def passes(self) -> int:
        """Forward passes of one sample that the training costs; a backward pass counts as two."""
        return 3 * self.steps * (self.subjects + self.priors)


def pack(adapter: Adapter) -> bytes:
    """An adapter as safetensors in half precision; equal tensors give equal bytes."""
    data: bytes = save({name: adapter[name].detach().half().contiguous() for name in sorted(adapter)})
    return data


def unpack(data: bytes) -> Adapter:
    """Read an adapter, in float32.

    Raises:
        BadInput: Not safetensors, too large, or a layer with one factor only.
    """
    if len(data) > MAX_BYTES:
        raise BadInput(f"an adapter of {len(data)} bytes", f"at most {MAX_BYTES}")
    try:
        found = {name: value.float() for name, value in load(data).items()}
    except Exception as error:  # the library raises its own kinds
        raise BadInput(f"an adapter cannot be read: {error}", "give the bytes that the personaliser made") from None
    downs = {name.removesuffix(".lora_A.weight") for name in found if name.endswith(".lora_A.weight")}
    ups = {name.removesuffix(".lora_B.weight") for name in found if name.endswith(".lora_B.weight")}
    if downs != ups or TOKEN not in found:
        raise BadInput("an adapter lacks a factor or its token", "give the bytes that the personaliser made")
    return found


def blank(denoiser: nn.Module, identifier_size: int) -> Adapter:
    """An adapter of zeros for a denoiser: it changes nothing."""
    found = {TOKEN: torch.zeros(identifier_size)}
    for name, layer in denoiser.named_modules():
        if re.fullmatch(TARGETS, name):
            out, rest = layer.weight.shape[0], layer.weight.shape[1:]
            found[f"{name}.lora_A.weight"] = torch.zeros(RANK, *rest)
            found[f"{name}.lora_B.weight"] = torch.zeros(out, RANK, *(1 for _ in rest[1:]))
    return found


def layers(adapter: Adapter) -> list[str]:
    """Names of the denoiser's layers that an adapter changes, sorted."""
    return sorted(name.removesuffix(".lora_A.weight") for name in adapter if name.endswith(".lora_A.weight"))


@contextmanager
def swapped(denoiser: nn.Module, samples: Sequence[Sequence[Adapter]]) -> Iterator[None]:
    """Within it, each sample of a batch goes through the denoiser with its own adapters (at most `SLOTS`, mostly one or none).

    All samples take the same steps on tensors of the same shapes, zeros standing for no adapter, so that a sample's bits do not
    depend on its companions; where nobody has an adapter nothing is added, which changes no value.
    """
    names = sorted({name for own in samples for adapter in own for name in layers(adapter)})
    handles = []
    try:
        for name in names:
            layer = denoiser.get_submodule(name)
            down, up = _stacked(name, samples)
            handles.append(layer.register_forward_hook(_added(down, up)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _stacked(name: str, samples: Sequence[Sequence[Adapter]]) -> tuple[Tensor, Tensor]:
    """Both factors of a layer for every sample, the slots side by side: (n, slots * rank, in, ...), (n, out, slots * rank)."""
    key_down, key_up = f"{name}.lora_A.weight", f"{name}.lora_B.weight"
    one = next(adapter for own in samples for adapter in own if key_down in adapter)
    down = torch.zeros(len(samples), SLOTS * RANK, *one[key_down].shape[1:])
    up = torch.zeros(len(samples), one[key_up].shape[0], SLOTS * RANK)
    for row, own in enumerate(samples):
        for slot, adapter in enumerate(own[:SLOTS]):
            if key_down in adapter:
                part = slice(slot * RANK, (slot + 1) * RANK)
                down[row, part], up[row, :, part] = adapter[key_down], adapter[key_up].flatten(1)
    return down, up


def _added(down: Tensor, up: Tensor) -> Any:
    """A forward hook that adds each sample's low-rank product."""

    def hook(layer: Any, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        given = inputs[0]
        if given.ndim != 4:  # no convolution
            return output + torch.matmul(torch.matmul(given, down.transpose(1, 2)), up.transpose(1, 2))
        n, channels, height, width = given.shape
        # one convolution with a group of filters for every sample
        low = functional.conv2d(
            given.reshape(1, n * channels, height, width), down.flatten(0, 1), None, layer.stride, layer.padding, groups=n
        )
        raised = torch.matmul(up, low.view(n, down.shape[1], -1)).view(output.shape)
        return output + raised

    return hook
