"""Training on another device: batches are drawn on the CPU, by keys, and moved; all else is made where the network is.

A loss that `loop.fit` calls says which part of it is drawing:

    def loss(step: int) -> Tensor:
        pictures, truth = drawn(lambda: batch("mine", seed, step))
        return criterion(network(pictures), truth)
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ....bus.errors import BadInput

T = TypeVar("T")
CPU = "cpu"


def checked_device(name: str) -> str:
    """``"cpu"``, ``"cuda"`` or ``"cuda:N"``, if it is there.

    Raises:
        BadInput: Another name, or no such device.
    """
    kind, _, number = name.partition(":")
    if kind not in (CPU, "cuda") or (number and (kind == CPU or not number.isdigit())):
        raise BadInput(f"no device {name!r}", "--device cpu, cuda or cuda:N")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        what = f"torch {torch.__version__} sees {torch.cuda.device_count()} CUDA devices"
        raise BadInput(f"no device {name!r}: {what}", "leave --device out to train on the CPU, or install a CUDA build of torch")
    return name


def described(name: str) -> str:
    """The device as cards tell it, for instance ``"cuda (NVIDIA H200)"``."""
    return name if name == CPU else f"{name} ({torch.cuda.get_device_name(name)})"


@contextmanager
def working_on(name: str) -> Iterator[None]:
    """Within it, tensors are made on the device; on the CPU nothing changes (and no call of torch is slowed)."""
    if name == CPU:
        yield
        return
    with torch.device(name):
        yield


def drawn(draw: Callable[[], T]) -> T:
    """What `draw` makes on the CPU, moved to the device worked on."""
    device = torch.get_default_device()
    if device.type == CPU:
        return draw()
    with torch.device(CPU):
        value = draw()
    return moved(value, device)


def moved(value: T, device: torch.device | str) -> T:
    """The value with all its tensors and networks on a device; tuples, lists, mappings and dataclasses are walked through."""
    result: Any = value
    if isinstance(value, Tensor | nn.Module):
        result = value.to(device)
    elif isinstance(value, tuple):
        parts = [moved(part, device) for part in value]
        result = type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    elif isinstance(value, list):
        result = [moved(part, device) for part in value]
    elif isinstance(value, Mapping):
        result = {key: moved(part, device) for key, part in value.items()}
    elif is_dataclass(value) and not isinstance(value, type):
        result = replace(value, **{field.name: moved(getattr(value, field.name), device) for field in fields(value)})
    return result  # type: ignore[no-any-return]
